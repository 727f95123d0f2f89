#pragma once
// One user's token in one project, kept and renewed.
//
// Threads: safe for all. Of threads that need a token at the same time one logs in and the others wait for it, each no
// longer than its own deadline; a login that Keystone refuses or cannot be reached for fails them all at once, instead
// of one after the other. Ownership: Dependencies outlive it. Failure: as call.h says, always "not sent": the call that
// needed the token was not.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "libs/openstack/cloud.h"
#include "libs/openstack/token.h"

namespace protector::openstack {

// The X-OpenStack-Request-ID for a call; empty: none.
std::string RequestIdFor(const CallContext& call, const Dependencies& dependencies);

class TokenSource {
 public:
  // project_id empty: the scope of the configuration.
  TokenSource(const cloudconfig::Cloud& cloud, const std::string& project_id, const Dependencies& dependencies);

  // A token that is valid for a while yet.
  absl::StatusOr<std::shared_ptr<const Token>> Get(const CallContext& call);
  // A service refused this one: the next Get brings another.
  void Forget(const std::string& token);

 private:
  absl::StatusOr<std::shared_ptr<const Token>> LogIn(const CallContext& call);
  bool Usable() const;

  const cloudconfig::Cloud cloud_;
  const std::string project_id_;
  const Dependencies dependencies_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_:
  bool logging_in_ = false;
  int64_t logins_ = 0;    // ended ones
  absl::Status failure_;  // of the last one
  std::shared_ptr<const Token> token_;
  absl::Duration renew_at_ = absl::ZeroDuration();  // on the monotonic clock
};

}  // namespace protector::openstack
