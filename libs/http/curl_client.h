#pragma once
// HttpClient over libcurl. Connections are kept alive per scheme, host and port and used again.
//
// Threads: any number at once; each call uses an easy handle of its own. Ownership: the clock must outlive the client.
// Failure: see client.h. Redirects are not followed, proxies from the environment are not used, cookies are not kept.
// A change (any method but GET, HEAD, OPTIONS) is put on the wire at most once: libcurl's silent second sending over a
// fresh connection, when a kept one dies, is prevented, because the first may have been carried out.

#include <cstdint>
#include <memory>
#include <string>

#include "libs/base/clock.h"
#include "libs/http/client.h"

namespace protector::http {

struct CurlOptions {
  absl::Duration connect_timeout = absl::Seconds(5);
  absl::Duration max_duration = absl::Seconds(60);  // of one call, whatever its deadline
  std::string ca_file;                              // PEM; empty: the system's
  std::string client_cert_file;                     // PEM, with client_key_file: mutual TLS
  std::string client_key_file;
  std::string pinned_sha256;  // hex SHA-256 of the server's certificate (DER), colons allowed: this
                              // one is accepted and no other, instead of checking chain and name
  bool force_ipv4 = false;
  bool insecure = false;  // accept any certificate; for a lab only
  std::string user_agent = "protector/0.1";
  size_t max_idle_connections = 32;
  int64_t max_response_bytes = 256LL << 20;
};

std::unique_ptr<HttpClient> NewCurlHttpClient(const CurlOptions& options, Clock& clock);

}  // namespace protector::http
