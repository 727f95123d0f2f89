#include "services/orchestrator/adapters/openstack/recapture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "libs/base/error.h"
#include "services/orchestrator/adapters/openstack/capture.h"
#include "services/orchestrator/domain/groups/rules.h"

namespace protector::orchestrator {
namespace {

absl::Status Changed(const std::string& name, const std::string& what) {
  return Error(absl::StatusCode::kFailedPrecondition, "MEMBER_CHANGED", fmt::format("member {}: {}", name, what))
      .Object("member " + name)
      .Remedy("Remove the member from the group and add it again, so that exactly its present volumes are replicated.");
}

}  // namespace

absl::StatusOr<groups::Member> MergeCapture(const groups::Member& member, const groups::Member& fresh,
                                            const std::string& site) {
  groups::Member merged = member;
  *merged.mutable_captured_at() = fresh.captured_at();
  *merged.mutable_server() = fresh.server();
  groups::Placement& placement = *FindPlacement(merged, site);
  const groups::Placement& seen = *FindPlacement(fresh, site);
  placement.set_server_id(seen.server_id());
  *placement.mutable_port_ids() = seen.port_ids();
  *placement.mutable_port_owned() = seen.port_owned();

  // A volume keeps its index: (member, index) names the disk on both sites, whatever device letter it has today.
  std::map<std::string, const groups::VolumePlacement*> known;
  for (const auto& volume : placement.volumes()) known[volume.volume_id()] = &volume;
  std::vector<std::pair<groups::VolumeSpec, groups::VolumePlacement>> volumes;
  for (int i = 0; i < seen.volumes_size(); ++i) {
    const auto old = known.find(seen.volumes(i).volume_id());
    if (old == known.end()) {
      return Changed(member.server().name(),
                     fmt::format("volume {} was attached after it was protected", seen.volumes(i).volume_id()));
    }
    groups::VolumePlacement placed = *old->second;
    placed.set_array_volume(seen.volumes(i).array_volume());
    groups::VolumeSpec spec = fresh.server().volumes(i);
    spec.set_index(placed.index());
    volumes.emplace_back(std::move(spec), std::move(placed));
  }
  if (volumes.size() != known.size()) {
    return Changed(member.server().name(),
                   fmt::format("{} of its protected volumes are no longer attached", known.size() - volumes.size()));
  }
  std::sort(volumes.begin(), volumes.end(),
            [](const auto& a, const auto& b) { return a.first.index() < b.first.index(); });
  merged.mutable_server()->clear_volumes();
  placement.clear_volumes();
  for (auto& [spec, placed] : volumes) {
    *merged.mutable_server()->add_volumes() = std::move(spec);
    *placement.add_volumes() = std::move(placed);
  }
  return merged;
}

absl::StatusOr<std::vector<groups::Member>> Recapture(openstack::Cloud& cloud, const openstack::CallContext& call,
                                                      const std::string& site,
                                                      const std::vector<groups::Member>& members, absl::Time now) {
  std::vector<std::string> ids;
  for (const groups::Member& member : members) {
    const groups::Placement* placement = FindPlacement(member, site);
    if (placement == nullptr || placement->server_id().empty()) {
      return Changed(member.server().name(), fmt::format("has no server on {}", site));
    }
    ids.push_back(placement->server_id());
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<groups::Member> fresh, CaptureServers(cloud, call, site, ids, now));
  std::vector<groups::Member> merged;
  for (size_t i = 0; i < members.size(); ++i) {
    PROTECTOR_ASSIGN_OR_RETURN(merged.emplace_back(), MergeCapture(members[i], fresh[i], site));
  }
  return merged;
}

}  // namespace protector::orchestrator
