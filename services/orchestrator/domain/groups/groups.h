#pragma once
// Groups and their members: what GroupService does, without gRPC.
//
// Every change is one commit of the group's document, made by the primary site's metadata-sync, which acknowledges it
// only when both sites hold it. Changes that also touch the arrays (members) go: intent in the own store -> arrays ->
// commit -> intent removed. Arrays are always brought to what a whole document says (EnsureProtection takes the full
// list of disks), so whatever happens in between is mended by doing it again with the committed document (Reconcile),
// at the start and before the next change.
//
// Threads: safe for all; changes of one group are made one after the other. Ownership: everything passed in outlives
// it. Failure: see operation.proto; a refused change has changed nothing.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/store/store.h"
#include "protector/operation/v1/operation.pb.h"
#include "services/orchestrator/domain/groups/member_source.h"
#include "services/orchestrator/ports/site_ports.h"
#include "services/orchestrator/ports/sites_port.h"

namespace protector::orchestrator {

class Groups {
 public:
  struct Dependencies {
    SitesPort& sites;
    PortsFactory& ports;
    MemberSource& members;
    store::Store& store;
    Clock& clock;
    IdGenerator& ids;
  };

  explicit Groups(const Dependencies& dependencies) : deps_(dependencies) {}

  absl::StatusOr<op::Group> Create(const Call& call, const op::CreateGroupRequest& request);
  absl::StatusOr<op::Group> Get(const Call& call, const op::GetGroupRequest& request);
  absl::StatusOr<op::ListGroupsResponse> List(const Call& call, const op::ListGroupsRequest& request);
  absl::StatusOr<op::Group> Update(const Call& call, const op::UpdateGroupRequest& request);
  absl::StatusOr<op::DeleteGroupResponse> Delete(const Call& call, const op::DeleteGroupRequest& request);
  absl::StatusOr<op::Group> AddMembers(const Call& call, const op::AddMembersRequest& request);
  absl::StatusOr<op::Group> RemoveMembers(const Call& call, const op::RemoveMembersRequest& request);
  absl::StatusOr<op::Group> SetMappings(const Call& call, const op::SetMappingsRequest& request);
  absl::StatusOr<op::Group> SetPolicy(const Call& call, const op::SetPolicyRequest& request);

  // The document of a group named by name or id, as this site's metadata has it.
  absl::StatusOr<op::Group> Find(const Call& call, const std::string& group, const op::Project& project);

  // Brings arrays back to what the documents say, for changes that were interrupted. At start, and again while
  // something is left.
  absl::Status Reconcile(const Call& call);

  // Captures the members of every group that is at rest here anew and commits what has changed since: what an unplanned
  // failover brings up is what was captured last. Answers with the first failure; the other groups are captured all the
  // same.
  absl::Status RefreshCaptures(const Call& call);

 private:
  // What a change of a group's document needs to know and may alter.
  struct Change {
    std::string group;
    op::Project project;
    std::string etag;
    std::string request_id;
    std::string reason;
    // Changes the document; returns false when there is nothing to change. Runs again on a newer document when another
    // commit came between.
    std::function<absl::StatusOr<bool>(groups::GroupDocument&)> apply;
    // Also when an operation holds the group that neither site runs: it failed, or its journal is lost.
    bool frees_group = false;
  };

  // The project of this site that a request is about: the one it names, which has to be the caller's where the caller
  // is kept to one; without a name the caller's. "": all.
  absl::StatusOr<std::string> ProjectId(const Call& call, const op::Project& project);
  // Makes the change again, from a newer document, when another commit came between: an operation commits when the
  // last of its pending work is done, whenever that is. With an etag the caller decides.
  static absl::StatusOr<op::Group> Repeat(const std::string& etag,
                                          const std::function<absl::StatusOr<op::Group>()>& change);
  absl::StatusOr<op::Group> Apply(const Call& call, const Change& change);
  // Asks both sites; one that does not answer may be running it.
  absl::Status RequireNobodyRuns(const Call& call, const groups::GroupDocument& group);
  // Found, this site is primary, no operation holds it, etag fits.
  absl::StatusOr<op::Group> FindForChange(const Call& call, const Change& change);
  absl::StatusOr<op::Group> Commit(const Call& call, const groups::GroupDocument& document, int64_t base_version,
                                   const std::string& reason, const std::string& request_id);
  // Both sites have the same version and the other one answers: before anything is done to an array.
  absl::Status RequirePeer(const Call& call, const groups::GroupDocument& group);
  // Protection on both arrays for exactly the document's disks; none left: taken apart.
  absl::Status Protect(const Call& call, const groups::GroupDocument& group);
  absl::StatusOr<op::Group> CommitProtected(const Call& call, const op::Group& before,
                                            const groups::GroupDocument& wanted, const std::string& reason,
                                            const std::string& request_id);
  // One try of the change of that name.
  absl::StatusOr<op::Group> AddMembersOnce(const Call& call, const op::AddMembersRequest& request);
  absl::StatusOr<op::Group> RemoveMembersOnce(const Call& call, const op::RemoveMembersRequest& request);
  absl::StatusOr<op::Group> DeleteOnce(const Call& call, const op::DeleteGroupRequest& request);
  absl::StatusOr<std::vector<groups::Member>> NewMembers(const Call& call, const op::Group& group,
                                                         const op::AddMembersRequest& request);
  absl::Status RefreshGroup(const Call& call, const groups::GroupDocument& group);
  void LookAtProtection(const Call& call, groups::GroupDocument& group);
  std::shared_ptr<std::mutex> LockOf(const std::string& group_id);

  Dependencies deps_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<std::mutex>> locks_;
};

}  // namespace protector::orchestrator
