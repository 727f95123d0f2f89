#pragma once
// A scripted HttpClient for tests. Answers for a method and URL are queued (given once each, in order); when none is
// queued, the one for always or the handler answers. A request that nothing was scripted for is answered 599 and
// recorded as such.
//
// Threads: safe for all. Ownership: handlers are copied in. Failure: what was scripted.

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "libs/http/client.h"

namespace protector::http {

class FakeHttpClient final : public HttpClient {
 public:
  using Handler = std::function<absl::StatusOr<Response>(const Request&)>;

  // `url` is compared whole, or up to '?' when the script has no '?'.
  void Expect(const std::string& method, const std::string& url, absl::StatusOr<Response> answer);
  void Always(const std::string& method, const std::string& url, absl::StatusOr<Response> answer);
  void Handle(const std::string& method, const std::string& url, Handler handler);

  absl::StatusOr<Response> Do(const Request& request) override;

  std::vector<Request> requests() const;  // all that came, in order
  size_t Count(const std::string& method, const std::string& url) const;
  std::vector<std::string> Unexpected() const;  // "GET http://...": asked for without a script

 private:
  using Key = std::pair<std::string, std::string>;
  mutable std::mutex mutex_;
  std::map<Key, std::deque<absl::StatusOr<Response>>> queued_;
  std::map<Key, Handler> handlers_;
  std::vector<Request> requests_;
  std::vector<std::string> unexpected_;
};

Response JsonResponse(int status, const std::string& body, Headers headers = {});
absl::Status ConnectionRefused();  // kNotSent
absl::Status ConnectionCut();      // kUnknown

}  // namespace protector::http
