#include "libs/http/curl_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "libs/base/error.h"
#include "libs/base/sha256.h"
#include "libs/http/curl_handle_pool.h"

namespace protector::http {
namespace {

// Servers commonly close a kept connection after 5 s of silence; one that is older is not used again, so that a request
// seldom meets a connection that is being closed.
constexpr long kMaxIdleSeconds = 4;

void InitialiseOnce() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)done;
}

bool IsChange(const std::string& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

std::string PlainHex(const std::string& fingerprint) {
  std::string hex;
  for (const char c : fingerprint) {
    if (c != ':') hex += static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  }
  return hex;
}

// OpenSSL asks this instead of checking the chain when a certificate is pinned.
int CheckPinned(X509_STORE_CTX* context, void* argument) {
  const auto* pinned = static_cast<const std::string*>(argument);
  X509* certificate = X509_STORE_CTX_get0_cert(context);
  unsigned char* der = nullptr;
  const int length = certificate == nullptr ? -1 : i2d_X509(certificate, &der);
  const bool same = length > 0 && Sha256Hex(std::string_view(reinterpret_cast<const char*>(der),
                                                             static_cast<size_t>(length))) == *pinned;
  OPENSSL_free(der);
  X509_STORE_CTX_set_error(context, same ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return same ? 1 : 0;
}

CURLcode UsePin(CURL*, void* ssl_context, void* pinned) {
  SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(ssl_context), CheckPinned, pinned);
  return CURLE_OK;
}

// One call's state, which the callbacks of libcurl get.
struct Transfer {
  Transfer(const Request& sent, int64_t limit) : request(sent), max_bytes(limit) {}

  const Request& request;
  int64_t max_bytes;
  size_t body_sent = 0;
  Response response;
  char error[CURL_ERROR_SIZE] = {};
};

size_t OnBody(char* data, size_t, size_t length, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (static_cast<int64_t>(transfer.response.body.size() + length) > transfer.max_bytes) return 0;
  transfer.response.body.append(data, length);
  return length;
}

size_t OnHeader(char* data, size_t, size_t length, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::string line(data, length);
  if (line.rfind("HTTP/", 0) == 0) transfer.response.headers.clear();  // what came before was interim (100)
  const size_t colon = line.find(':');
  if (colon == std::string::npos) return length;
  const size_t begin = line.find_first_not_of(" \t", colon + 1);
  const size_t end = line.find_last_not_of(" \t\r\n");
  const bool empty = begin == std::string::npos || end == std::string::npos || begin > end;
  transfer.response.headers.emplace_back(line.substr(0, colon), empty ? "" : line.substr(begin, end - begin + 1));
  return length;
}

size_t OnRead(char* buffer, size_t, size_t room, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::string& body = transfer.request.body;
  if (transfer.body_sent >= body.size()) return CURL_READFUNC_ABORT;  // libcurl begins again: see OnSeek
  const size_t length = std::min(room, body.size() - transfer.body_sent);
  std::memcpy(buffer, body.data() + transfer.body_sent, length);
  transfer.body_sent += length;
  return length;
}

// libcurl rewinds to send a request a second time when a kept connection died without an answer. The server may have
// carried out the first, so the answer is no, and the call fails with its outcome unknown.
int OnSeek(void*, curl_off_t, int) {
  return CURL_SEEKFUNC_FAIL;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(user)->request.stop.stop_requested() ? 1 : 0;
}

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

void AddHeader(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer != nullptr) (void)list.release(), list.reset(longer);
}

HeaderList MakeHeaders(const Request& request) {
  HeaderList list;
  bool content_type = false;
  for (const auto& [name, value] : request.headers) {
    AddHeader(list, value.empty() ? name + ";" : name + ": " + value);
    content_type = content_type || curl_strequal(name.c_str(), "Content-Type") != 0;
  }
  AddHeader(list, "Expect:");  // no waiting for 100
  if (!content_type) AddHeader(list, "Content-Type:");
  return list;
}

class CurlHttpClient final : public HttpClient {
 public:
  CurlHttpClient(const CurlOptions& options, Clock& clock)
      : options_(options), pin_(PlainHex(options.pinned_sha256)), clock_(clock), pool_(options.max_idle_connections) {
    InitialiseOnce();
  }

  absl::StatusOr<Response> Do(const Request& request) override {
    const std::string host = HostOf(request.url);
    if (host.empty() || request.url.find('\n') != std::string::npos) {
      return WithOutcome(Error(absl::StatusCode::kInvalidArgument, "BAD_URL", "not an http or https URL"),
                         Outcome::kNotSent);
    }
    if (request.stop.stop_requested()) {
      return WithOutcome(Error(absl::StatusCode::kCancelled, "CANCELLED", "given up before sending").Object(host),
                         Outcome::kNotSent);
    }
    const absl::Duration limit = std::min(options_.max_duration, request.deadline - clock_.Now());
    if (limit < absl::Milliseconds(1)) {
      return WithOutcome(
          Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED", "no time was left to ask " + host)
              .Object(host),
          Outcome::kNotSent);
    }
    const std::string origin = request.url.substr(0, request.url.find("://")) + "://" + host;
    const CurlHandlePool::Lease lease(pool_, origin);
    CURL* curl = lease.get();
    if (curl == nullptr) return absl::ResourceExhaustedError("libcurl cannot make a handle");

    Transfer transfer(request, options_.max_response_bytes);
    const HeaderList headers = MakeHeaders(request);
    SetTransport(curl, limit);
    SetTls(curl);
    SetRequest(curl, transfer, headers.get());
    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) return Failure(curl, code, transfer, host, limit);

    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    return std::move(transfer.response);
  }

 private:
  void SetTransport(CURL* curl, absl::Duration limit) const {
    const auto milliseconds = [](absl::Duration d) {
      return static_cast<long>(std::max<int64_t>(1, absl::ToInt64Milliseconds(d)));
    };
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(limit));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(std::min(limit, options_.connect_timeout)));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // none, whatever the environment says
    curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, options_.user_agent.c_str());
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
    if (options_.force_ipv4) curl_easy_setopt(curl, CURLOPT_IPRESOLVE, static_cast<long>(CURL_IPRESOLVE_V4));
  }

  void SetTls(CURL* curl) const {
    const bool check_name = !options_.insecure && pin_.empty();
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, options_.insecure && pin_.empty() ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, check_name ? 2L : 0L);
    if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (!options_.client_cert_file.empty()) curl_easy_setopt(curl, CURLOPT_SSLCERT, options_.client_cert_file.c_str());
    if (!options_.client_key_file.empty()) curl_easy_setopt(curl, CURLOPT_SSLKEY, options_.client_key_file.c_str());
    if (!pin_.empty()) {
      curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, UsePin);
      curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, const_cast<std::string*>(&pin_));
    }
  }

  static void SetRequest(CURL* curl, Transfer& transfer, curl_slist* headers) {
    const Request& request = transfer.request;
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer.error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
    if (request.method == "HEAD") {
      curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
      return;
    }
    if (!request.body.empty()) {
      curl_easy_setopt(curl, CURLOPT_POST, 1L);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnRead);
      curl_easy_setopt(curl, CURLOPT_READDATA, &transfer);
      curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, OnSeek);
    } else if (request.method != "GET" && request.method != "DELETE") {
      curl_easy_setopt(curl, CURLOPT_POST, 1L);  // says Content-Length: 0, which servers insist on
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    // Without a body there is nothing that OnSeek could refuse to rewind; a new connection is never sent over twice.
    if (IsChange(request.method) && request.body.empty()) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  }

  static bool IsTlsFailure(CURLcode code) {
    return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CIPHER ||
           code == CURLE_SSL_PINNEDPUBKEYNOTMATCH || code == CURLE_SSL_INVALIDCERTSTATUS;
  }

  static absl::Status Failure(CURL* curl, CURLcode code, const Transfer& transfer, const std::string& host,
                              absl::Duration limit) {
    long bytes_sent = 0;
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &bytes_sent);
    const bool sent = bytes_sent > 0;
    const std::string cause = transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(code);
    const Outcome outcome = sent ? Outcome::kUnknown : Outcome::kNotSent;
    const auto failure = [&](absl::StatusCode status, const char* reason, const std::string& message,
                             const std::string& remedy) {
      return WithOutcome(Error(status, reason, message).Object(host).Remedy(remedy), outcome);
    };
    if (code == CURLE_ABORTED_BY_CALLBACK && transfer.request.stop.stop_requested()) {
      return failure(absl::StatusCode::kCancelled, "CANCELLED", fmt::format("call to {} given up", host), "");
    }
    if (code == CURLE_OPERATION_TIMEDOUT && sent) {
      return failure(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER_IN_TIME",
                     fmt::format("{} gave no complete answer within {}", host, absl::FormatDuration(limit)),
                     "Check the load and the logs of the service.");
    }
    if (IsTlsFailure(code)) {
      return failure(absl::StatusCode::kUnavailable, "TLS_FAILED",
                     fmt::format("no trusted connection to {}: {}", host, cause),
                     "Check the service's certificate and the CA file or fingerprint that is configured for it.");
    }
    if (!sent) {
      return failure(absl::StatusCode::kUnavailable, "CONNECTION_FAILED",
                     fmt::format("cannot connect to {}: {}", host, cause),
                     "Check that the service runs, its address, and the network to it.");
    }
    return failure(absl::StatusCode::kUnavailable, "CONNECTION_CUT",
                   fmt::format("connection to {} broke before the answer was complete: {}", host, cause),
                   "Check that the service runs and the network to it.");
  }

  const CurlOptions options_;
  const std::string pin_;
  Clock& clock_;
  CurlHandlePool pool_;
};

}  // namespace

std::unique_ptr<HttpClient> NewCurlHttpClient(const CurlOptions& options, Clock& clock) {
  return std::make_unique<CurlHttpClient>(options, clock);
}

}  // namespace protector::http
