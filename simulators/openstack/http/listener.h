// One listening port: parses HTTP with cpp-httplib, but owns the connections itself, for three reasons: a fault can
// close a connection without an answer, an idle keep-alive connection costs nothing, and an answer leaves in one write.
//
// Threads: one per connection, joined by Stop. The callback runs on them concurrently. Failure: Listen returns an error
// text (port taken, bad address).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace protector::ossim {

struct WireRequest {
  std::string method;
  std::string path;
  std::multimap<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;
};

struct WireResponse {
  int status = 200;
  std::string body;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  bool cut = false;  // close the connection, send nothing
};

class Listener {
 public:
  using Callback = std::function<WireResponse(const WireRequest&)>;

  Listener(std::string address, int port, Callback callback);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string Listen();
  void Stop();
  int port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace protector::ossim
