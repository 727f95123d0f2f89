// Who may call: API tokens and the sessions they open, with a sliding idle timeout on the array's clock.
//
// Threads: safe. Ownership: owns the sessions; users are in the Db. Failure: an unknown token is ApiError 400 (login)
// or 401.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "simulators/flasharray/base/clock.h"

namespace protector::fasim {

struct Session {
  std::string id, user, role, location;
  Millis started = 0, last_used = 0;
  int number = 0;
};

class Sessions {
 public:
  explicit Sessions(SimClock* clock) : clock_(clock) {}

  // The new session's token.
  std::string Open(const std::string& user, const std::string& role, const std::string& location);
  // Throws ApiError 401 for an unknown or expired token.
  Session Check(const std::string& token, Millis idle_timeout);
  void Close(const std::string& token);
  std::vector<Session> List(Millis idle_timeout);
  void CloseAll();

 private:
  SimClock* clock_;
  std::mutex mutex_;
  std::map<std::string, Session> sessions_;
  int next_ = 1;
};

}  // namespace protector::fasim
