#include "services/orchestrator/adapters/openstack/cloud_members.h"

#include <fmt/format.h>

#include <map>

#include "libs/base/error.h"
#include "services/orchestrator/adapters/openstack/capture.h"
#include "services/orchestrator/adapters/openstack/inventory.h"

namespace protector::orchestrator {
namespace {

class CloudMembers final : public MemberSource {
 public:
  explicit CloudMembers(LocalCloud& cloud) : cloud_(cloud) {}

  absl::StatusOr<std::vector<groups::Member>> Capture(const Call& call, const std::string& project_id,
                                                      const std::vector<std::string>& servers,
                                                      groups::ReplicationType replication_type) override {
    PROTECTOR_ASSIGN_OR_RETURN(const auto cloud, cloud_.ForProject(project_id));
    const openstack::CallContext context = cloud_.Context(call);
    PROTECTOR_ASSIGN_OR_RETURN(std::vector<groups::Member> members,
                               CaptureServers(*cloud, context, cloud_.site(), servers, cloud_.Now()));
    PROTECTOR_ASSIGN_OR_RETURN(const auto types, ReadVolumeTypes(*cloud, context));
    for (const groups::Member& member : members) {
      for (const auto& volume : member.server().volumes()) {
        PROTECTOR_RETURN_IF_ERROR(CheckType(member, volume, types, replication_type));
      }
    }
    return members;
  }

 private:
  static absl::Status CheckType(const groups::Member& member, const groups::VolumeSpec& volume,
                                const std::vector<VolumeTypeFacts>& types, groups::ReplicationType wanted) {
    const std::string shown =
        volume.name().empty() ? fmt::format("volume {}", volume.index()) : "volume " + volume.name();
    const VolumeTypeFacts* type = nullptr;
    for (const auto& candidate : types) {
      if (candidate.name == volume.volume_type()) type = &candidate;
    }
    const std::string wanted_name = wanted == groups::SYNC ? "sync" : "async";
    const std::string remedy = fmt::format(
        "Retype it to a volume type with replication_enabled='<is> True' and replication_type='<in> {}' "
        "(`protector site list-volume-types` shows them).",
        wanted_name);
    if (type == nullptr || !type->replicated) {
      return Error(absl::StatusCode::kFailedPrecondition, "VOLUME_NOT_REPLICATED",
                   fmt::format("{} of server {} has volume type {}, which is not replicated", shown,
                               member.server().name(), volume.volume_type().empty() ? "(none)" : volume.volume_type()))
          .Object(shown)
          .Remedy(remedy);
    }
    // A type without replication_type is the driver's default, asynchronous.
    const std::string kind = type->replication_type.empty() ? "async" : type->replication_type;
    if (kind == wanted_name || kind == "trisync") return absl::OkStatus();
    return Error(absl::StatusCode::kFailedPrecondition, "VOLUME_TYPE_MISMATCH",
                 fmt::format("{} of server {} has volume type {} ({}), but the group replicates {}", shown,
                             member.server().name(), volume.volume_type(), kind, wanted_name))
        .Object(shown)
        .Remedy(remedy);
  }

  LocalCloud& cloud_;
};

}  // namespace

std::unique_ptr<MemberSource> MakeCloudMembers(LocalCloud& cloud) {
  return std::make_unique<CloudMembers>(cloud);
}

}  // namespace protector::orchestrator
