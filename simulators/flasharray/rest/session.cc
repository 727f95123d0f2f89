#include "simulators/flasharray/rest/session.h"

#include "simulators/flasharray/base/text.h"

namespace protector::fasim {

std::string Sessions::Open(const std::string& user, const std::string& role, const std::string& location) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string token = NewUuid();
  sessions_[token] = Session{NewUuid(), user, role, location, clock_->Now(), clock_->Now(), next_++};
  return token;
}

Session Sessions::Check(const std::string& token, Millis idle_timeout) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = sessions_.find(token);
  if (it != sessions_.end() && clock_->Now() - it->second.last_used <= idle_timeout) {
    it->second.last_used = clock_->Now();
    return it->second;
  }
  if (it != sessions_.end()) sessions_.erase(it);
  throw ApiError(401, {{std::nullopt, "Invalid session."}});
}

void Sessions::Close(const std::string& token) {
  const std::lock_guard<std::mutex> lock(mutex_);
  sessions_.erase(token);
}

void Sessions::CloseAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  sessions_.clear();
}

std::vector<Session> Sessions::List(Millis idle_timeout) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Session> out;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (clock_->Now() - it->second.last_used > idle_timeout) {
      it = sessions_.erase(it);
    } else {
      out.push_back((it++)->second);
    }
  }
  return out;
}

}  // namespace protector::fasim
