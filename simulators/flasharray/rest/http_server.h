// An HTTP(S) server on cpp-httplib's request parser with sockets of our own: idle keep-alive connections wait in poll()
// (the library wakes up every 10 ms for each), a handler can cut its connection without an answer, and requests with a
// body method but no Content-Length do not hang.
//
// Threads: one per connection that is being served, made when needed and reused; the handler is called on them at the
// same time. Ownership: owns sockets, TLS context and threads; Stop joins them all. Failure: Bind throws
// std::runtime_error.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace protector::fasim {

struct HttpRequest {
  std::string method, path, query, body, remote;
  // Header names are case-insensitive.
  std::function<std::string(const std::string&)> header;
  std::function<std::string(const std::string&)> param;
  std::function<void(const std::function<void(const std::string&, const std::string&)>&)> each_param;
};

struct HttpResponse {
  int status = 200;
  std::string body, content_type = "application/json";
  std::string request_id, auth_token, retry_limit;  // headers that some answers carry
  bool cut = false;                                 // close the connection and send nothing
};

class HttpServer {
 public:
  using Handler = std::function<void(const HttpRequest&, HttpResponse*)>;
  // Empty certificate: plain HTTP.
  HttpServer(Handler handler, const std::string& certificate_file, const std::string& key_file);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "ip:port", port 0 for a free one; the bound port comes back.
  int Bind(const std::string& host, int port);
  void Start();
  // No new connections, the open ones are shut down, every thread has ended when it returns.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace protector::fasim
