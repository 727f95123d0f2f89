#pragma once
// Setting up and taking apart the replication of pods (ActiveDR). Stretched pods (ActiveCluster) are adopted as they
// are.
//
// The link is made on the source, and only when the target's demoted pod is there: Ensure before Accept leaves the pod
// without a link and says so; Ensure after Accept makes it. A pod that cannot serve (again) as source or target - the
// other direction's old one, or one that is linked elsewhere - is not bent into shape: a new one named after the epoch
// is made. Callers go on using the name of the policy (pods.h); the answer of Accept has the new one in
// Protection.name.
//
// Threads: safe for all; changes of one group are serialised by the caller. Failure: the contract's reasons. Dying in
// between: claims are on record first, then each step looks and makes up the difference; the names depend on the epoch
// only.

#include "services/storage-pure/domain/pods.h"

namespace protector::storage {

class PodSetup {
 public:
  PodSetup(const Deps& deps, Inventory& inventory, Pods& pods) : deps_(deps), inventory_(inventory), pods_(pods) {}

  absl::StatusOr<v1::Protection> Ensure(const Scope& scope, const v1::EnsureProtectionRequest& request);
  absl::StatusOr<v1::Protection> Accept(const Scope& scope, const v1::AcceptProtectionRequest& request);
  absl::StatusOr<v1::Protection> Suspend(const Scope& scope, const v1::SuspendProtectionRequest& request);
  absl::Status Remove(const Scope& scope, const v1::RemoveProtectionRequest& request);

 private:
  absl::StatusOr<std::string> ChooseSource(const Scope& scope, const v1::EnsureProtectionRequest& request,
                                           const std::string& remote_pod);
  absl::StatusOr<std::string> ChooseTarget(const Scope& scope, const v1::AcceptProtectionRequest& request);
  absl::Status MakePod(const Scope& scope, const std::string& name);
  absl::Status MatchVolumes(const Scope& scope, const std::string& pod, const std::string& group_id,
                            const std::vector<Volume>& wanted);
  // A reason why there is no link yet; empty: there is one.
  absl::StatusOr<std::string> MakeLink(const Scope& scope, const std::string& pod,
                                       const std::vector<std::string>& remote_pods, const std::string& remote_array);
  absl::Status ForgetFamily(const std::string& name, const std::string& group_id);
  absl::Status ReleaseOld(const Scope& scope, const std::string& pod, const std::string& group_id);

  Deps deps_;
  Inventory& inventory_;
  Pods& pods_;
};

}  // namespace protector::storage
