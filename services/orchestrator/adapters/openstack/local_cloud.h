#pragma once
// This site's cloud, scoped to the project that a group belongs to, and the translation of our deadlines into its
// calls.
//
// Threads: safe for all. Ownership: shares the cloud; the metadata port and clock outlive it. Failure: GROUP_NOT_FOUND
// when this site's metadata does not know the group; the cloud's own errors.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "libs/base/clock.h"
#include "libs/openstack/cloud.h"
#include "protector/group/v1/group.pb.h"
#include "services/orchestrator/ports/call.h"
#include "services/orchestrator/ports/metadata_port.h"

namespace protector::orchestrator {

class LocalCloud {
 public:
  LocalCloud(std::shared_ptr<openstack::Cloud> cloud, MetadataPort& metadata, Clock& clock, std::string site)
      : cloud_(std::move(cloud)), metadata_(metadata), clock_(clock), site_(std::move(site)) {}

  const std::string& site() const { return site_; }
  absl::Time Now() { return clock_.Now(); }

  // The cloud as the service user within a project. Credentials that are bound to one project (an application
  // credential) serve only it.
  absl::StatusOr<std::shared_ptr<openstack::Cloud>> ForProject(const std::string& project_id);
  // The head of the group's document on this site.
  absl::StatusOr<group::v1::GroupDocument> Document(const Call& call, const std::string& group_id);
  // The cloud within the group's project on this site. The project is looked up once: it never changes, and the whole
  // document of a large group is too much for each of its members' calls.
  absl::StatusOr<std::shared_ptr<openstack::Cloud>> ForGroup(const Call& call, const std::string& group_id);

  // The cloud in the service user's own project: for objects of any project that are named by id.
  std::shared_ptr<openstack::Cloud> Own() { return cloud_; }

  openstack::CallContext Context(const Call& call) const;

 private:
  std::shared_ptr<openstack::Cloud> cloud_;
  MetadataPort& metadata_;
  Clock& clock_;
  const std::string site_;
  std::mutex mutex_;
  std::map<std::string, std::string> projects_;  // of groups
};

// For a change: a failure whose outcome is not known gets the reason OUTCOME_UNKNOWN, so that it is told apart across
// gRPC as well.
absl::Status MarkUnknown(const absl::Status& status);

}  // namespace protector::orchestrator
