#pragma once
// A server for the tests of the HTTP client: reads one request after the other from each connection and sends back,
// byte for byte, what the handler makes of it; a connection is cut when the handler has nothing to say. Plain or TLS
// with a certificate of its own.
//
// Threads: one per connection; the handler is called from all of them. Ownership: stops and joins when destroyed.

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace protector::http {

class TestServer {
 public:
  // The n-th request (from 1) as it came, head and body.
  using Handler = std::function<std::optional<std::string>(const std::string& request, int n)>;

  explicit TestServer(Handler handler, bool tls = false);
  ~TestServer();

  std::string url() const;  // "http://127.0.0.1:PORT"
  int requests() const { return requests_; }
  int connections() const { return connections_; }
  std::string certificate_pem() const;
  std::string certificate_sha256() const;

 private:
  void Accept();
  void Serve(int fd);
  void Converse(const std::function<long(char*, size_t)>& read, const std::function<void(const std::string&)>& write);

  const Handler handler_;
  SSL_CTX* tls_ = nullptr;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> requests_{0};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// "HTTP/1.1 200 OK" with this body, kept alive.
std::string Answer(int status, const std::string& body, const std::string& more_headers = "");

}  // namespace protector::http
