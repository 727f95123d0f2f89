#pragma once
// An HttpClient whose answers are the fuzzer's bytes: pieces between 0x1E, each "NNN" (the status, 200 when these are
// no digits) and a body. A target scripts what has to succeed for the rest to be reached (logins, versions). When the
// bytes are used up, everything is 404.
//
// Threads: safe for all. Failure: none, but for the answers.

#include <cctype>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/http/client.h"
#include "tests/fuzz/fuzz.h"

namespace protector::fuzz {

class Answers final : public http::HttpClient {
 public:
  using Script = std::function<std::optional<http::Response>(const http::Request&)>;

  Answers(const std::string& bytes, Script script) : pieces_(Pieces(bytes, '\x1e')), script_(std::move(script)) {}

  absl::StatusOr<http::Response> Do(const http::Request& request) override {
    const std::lock_guard lock(mutex_);
    if (auto scripted = script_(request)) return *scripted;
    http::Response response;
    response.status = 404;
    if (next_ >= pieces_.size()) return response;
    const std::string& piece = pieces_[next_++];
    response.status = 200;
    size_t begin = 0;
    if (piece.size() >= 3 && std::isdigit(piece[0]) && std::isdigit(piece[1]) && std::isdigit(piece[2])) {
      response.status = std::stoi(piece.substr(0, 3));
      begin = 3;
    }
    response.body = piece.substr(begin);
    response.headers = {{"Retry-After", response.body.substr(0, 20)}, {"x-openstack-request-id", "req-1"}};
    return response;
  }

  bool Left() const {
    const std::lock_guard lock(mutex_);
    return next_ < pieces_.size();
  }

 private:
  mutable std::mutex mutex_;
  const std::vector<std::string> pieces_;
  const Script script_;
  size_t next_ = 0;
};

}  // namespace protector::fuzz
