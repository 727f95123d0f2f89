#pragma once
// How our programs talk to each other: mutual TLS, or plain text where a configuration says `insecure: true`.
//
// With TLS both ends show a certificate of a CA that the other trusts, and a client connects to nobody but the program
// of the site that it means (libs/grpc/identity.h): the host name is not compared, so addresses may change and one
// certificate serves a service wherever it runs. TLS 1.2 at least. The files are read again when they change (within
// two seconds); open connections go on with the old ones.
//
// Threads: a value that any thread may copy and use. Failure: Tls says which file is wrong and how.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/grpc/identity.h"

namespace grpc::experimental {
class CertificateProviderInterface;
}

namespace protector::rpc {

struct TlsFiles {
  std::string ca_file;           // PEM: every CA whose certificates are trusted
  std::string certificate_file;  // PEM: our certificate, then its chain up to the CA
  std::string key_file;          // PEM: its private key; only its owner and group may read it
};

class Security {
 public:
  // Plain text: nobody is known, everybody may read and change what is sent.
  static Security Insecure();
  // Reads and checks the files; the errors are TLS_FILE_UNREADABLE, TLS_FILE_INVALID, TLS_KEY_EXPOSED,
  // TLS_CERTIFICATE_EXPIRED, TLS_NO_IDENTITY.
  static absl::StatusOr<Security> Tls(const TlsFiles& files);

  bool insecure() const { return provider_ == nullptr; }
  // What our own certificate says; empty when insecure.
  const Identity& self() const { return self_; }

  std::shared_ptr<::grpc::ServerCredentials> ForServer() const;
  // `server`: whom the other end has to prove to be; an empty part means any.
  std::shared_ptr<::grpc::ChannelCredentials> ForChannel(const Identity& server) const;

 private:
  std::shared_ptr<::grpc::experimental::CertificateProviderInterface> provider_;
  Identity self_;
};

}  // namespace protector::rpc
