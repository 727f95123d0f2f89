#include "libs/http/fake_client.h"

#include <algorithm>

namespace protector::http {
namespace {

std::string WithoutQuery(const std::string& url) {
  return url.substr(0, url.find('?'));
}

}  // namespace

void FakeHttpClient::Expect(const std::string& method, const std::string& url, absl::StatusOr<Response> answer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  queued_[{method, url}].push_back(std::move(answer));
}

void FakeHttpClient::Always(const std::string& method, const std::string& url, absl::StatusOr<Response> answer) {
  Handle(method, url, [answer = std::move(answer)](const Request&) { return answer; });
}

void FakeHttpClient::Handle(const std::string& method, const std::string& url, Handler handler) {
  const std::lock_guard<std::mutex> lock(mutex_);
  handlers_[{method, url}] = std::move(handler);
}

absl::StatusOr<Response> FakeHttpClient::Do(const Request& request) {
  Handler handler;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    requests_.push_back(request);
    for (const std::string& url : {request.url, WithoutQuery(request.url)}) {
      const Key key(request.method, url);
      if (const auto queue = queued_.find(key); queue != queued_.end() && !queue->second.empty()) {
        absl::StatusOr<Response> answer = std::move(queue->second.front());
        queue->second.pop_front();
        return answer;
      }
      if (const auto found = handlers_.find(key); found != handlers_.end()) {
        handler = found->second;
        break;
      }
    }
    if (!handler) unexpected_.push_back(request.method + " " + request.url);
  }
  // Outside the lock: a handler may block until another request has come.
  return handler ? handler(request) : JsonResponse(599, R"({"error":"nothing was scripted for this request"})");
}

std::vector<Request> FakeHttpClient::requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

size_t FakeHttpClient::Count(const std::string& method, const std::string& url) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<size_t>(std::count_if(requests_.begin(), requests_.end(), [&](const Request& request) {
    return request.method == method && (request.url == url || WithoutQuery(request.url) == url);
  }));
}

std::vector<std::string> FakeHttpClient::Unexpected() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return unexpected_;
}

Response JsonResponse(int status, const std::string& body, Headers headers) {
  headers.emplace_back("Content-Type", "application/json");
  return {status, std::move(headers), body};
}

absl::Status ConnectionRefused() {
  return WithOutcome(absl::UnavailableError("connection refused"), Outcome::kNotSent);
}

absl::Status ConnectionCut() {
  return WithOutcome(absl::UnavailableError("connection cut before the answer was complete"), Outcome::kUnknown);
}

}  // namespace protector::http
