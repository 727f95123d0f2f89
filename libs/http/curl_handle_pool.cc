#include "libs/http/curl_handle_pool.h"

#include <algorithm>

namespace protector::http {

CurlHandlePool::~CurlHandlePool() {
  for (const auto& [origin, handle] : idle_) curl_easy_cleanup(handle);
}

CURL* CurlHandlePool::Take(const std::string& origin) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found =
      std::find_if(idle_.begin(), idle_.end(), [&origin](const auto& idle) { return idle.first == origin; });
  if (found == idle_.end()) return curl_easy_init();
  CURL* handle = found->second;
  idle_.erase(found);
  return handle;
}

void CurlHandlePool::Return(const std::string& origin, CURL* handle) {
  if (handle == nullptr) return;
  curl_easy_reset(handle);  // options go, the connection stays
  CURL* surplus = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.emplace_front(origin, handle);
    if (idle_.size() > max_idle_) {
      surplus = idle_.back().second;
      idle_.pop_back();
    }
  }
  if (surplus != nullptr) curl_easy_cleanup(surplus);
}

}  // namespace protector::http
