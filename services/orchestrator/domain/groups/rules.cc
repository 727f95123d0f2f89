#include "services/orchestrator/domain/groups/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/ids.h"

namespace protector::orchestrator {
namespace {

absl::Status Invalid(const std::string& object, const std::string& message, const std::string& remedy) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", message).Object(object).Remedy(remedy);
}

// FlashArray: 1-63 letters, digits, '-' ('_' is allowed for volumes only), beginning and ending with a letter or digit,
// with a letter.
bool IsArrayName(const std::string& name) {
  if (name.empty() || name.size() > 63) return false;
  const auto alpha = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto alnum = [&](char c) { return alpha(c) || digit(c); };
  if (!alnum(name.front()) || !alnum(name.back())) return false;
  if (std::none_of(name.begin(), name.end(), alpha)) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return alnum(c) || c == '-' || c == '_'; });
}

std::string DefaultArrayName(const std::string& group_name) {
  std::string name = "pg-" + group_name;
  std::replace(name.begin(), name.end(), '.', '-');
  name = name.substr(0, 63);
  while (!name.empty() && (name.back() == '-' || name.back() == '_')) name.pop_back();
  return name;
}

}  // namespace

std::string KindName(groups::MappingKind kind) {
  switch (kind) {
    case groups::NETWORK:
      return "network";
    case groups::FLAVOR:
      return "flavor";
    case groups::SECURITY_GROUP:
      return "security group";
    case groups::KEY_PAIR:
      return "key pair";
    case groups::AVAILABILITY_ZONE:
      return "availability zone";
    case groups::VOLUME_TYPE:
      return "volume type";
    default:
      return "mapping";
  }
}

std::string StatusName(groups::GroupStatus status) {
  switch (status) {
    case groups::ACTIVE:
      return "active";
    case groups::FAILING_OVER:
      return "failing_over";
    case groups::FAILED_OVER:
      return "failed_over";
    case groups::FAILED_OVER_PARTIAL:
      return "failed_over_partial";
    case groups::FAILING_BACK:
      return "failing_back";
    case groups::ERROR:
      return "error";
    case groups::DELETING:
      return "deleting";
    default:
      return "unknown";
  }
}

std::string Trimmed(const std::string& text) {
  return IsPrintableUtf8(text) && text.size() <= 80 ? text : "(unprintable or too long)";
}

absl::Status CheckGroupName(const std::string& name) {
  if (IsResourceName(name)) return absl::OkStatus();
  const std::string shown = Trimmed(name);
  return Invalid("protection group " + shown, fmt::format("\"{}\" is not a name for a protection group", shown),
                 "Use 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit.");
}

absl::StatusOr<groups::Policy> CompletePolicy(groups::Policy policy, const std::string& group_name,
                                              bool stop_immediately) {
  if (policy.replication_interval() == 0) policy.set_replication_interval(300);
  if (policy.rpo_minutes() == 0) policy.set_rpo_minutes(15);
  if (policy.pure_pg_name().empty()) policy.set_pure_pg_name(DefaultArrayName(group_name));
  if (policy.stop_timeout() == 0 && !stop_immediately) policy.set_stop_timeout(60);
  if (policy.source_retention() == 0) policy.set_source_retention(86400);
  if (policy.target_retention() == 0) policy.set_target_retention(86400);

  const std::string object = "policy of protection group " + group_name;
  if (policy.replication_interval() < kMinReplicationInterval || policy.replication_interval() > 86400) {
    return Invalid(object, fmt::format("replication_interval {} is out of range", policy.replication_interval()),
                   "Give seconds from 300 (the array's minimum) to 86400.");
  }
  if (policy.rpo_minutes() < 0 || policy.rpo_minutes() > 10080) {
    return Invalid(object, fmt::format("rpo_minutes {} is out of range", policy.rpo_minutes()),
                   "Give minutes from 1 to 10080.");
  }
  if (policy.stop_timeout() < 0 || policy.stop_timeout() > 3600) {
    return Invalid(object, fmt::format("stop_timeout {} is out of range", policy.stop_timeout()),
                   "Give seconds from 0 to 3600.");
  }
  for (const int seconds : {policy.source_retention(), policy.target_retention()}) {
    if (seconds < 3600 || seconds > 34560000) {
      return Invalid(object, fmt::format("retention {} is out of range", seconds),
                     "Give seconds from 3600 to 34560000.");
    }
  }
  if (!IsArrayName(policy.pure_pg_name())) {
    return Invalid(
        object, "pure_pg_name is not a name that a FlashArray accepts",
        "Use 1 to 63 letters, digits, '-' or '_', beginning and ending with a letter or digit, with at least one letter.");
  }
  return policy;
}

absl::Status CheckMappings(const std::vector<groups::Mapping>& mappings) {
  std::set<std::pair<int, std::string>> seen;
  for (const auto& mapping : mappings) {
    const std::string kind = KindName(mapping.kind());
    if (mapping.kind() == groups::MAPPING_KIND_UNSPECIFIED || !groups::MappingKind_IsValid(mapping.kind())) {
      return Invalid("mapping", "a mapping without a kind",
                     "Give network, flavor, security group, key pair, availability zone or volume type.");
    }
    for (const std::string& side : {mapping.source(), mapping.target()}) {
      if (side.empty() || side.size() > 255 || !IsPrintableUtf8(side)) {
        return Invalid(kind + " mapping", fmt::format("a {} mapping with an empty, too long or unprintable side", kind),
                       "Write SOURCE=TARGET with a name or id on both sides, each at most 255 bytes.");
      }
    }
    if (!seen.emplace(mapping.kind(), mapping.source()).second) {
      return Invalid(fmt::format("{} mapping {}", kind, mapping.source()),
                     fmt::format("{} {} is mapped twice", kind, mapping.source()), "Give each source once.");
    }
  }
  return absl::OkStatus();
}

std::vector<groups::Mapping> MergeMappings(const std::vector<groups::Mapping>& base,
                                           const std::vector<groups::Mapping>& over) {
  std::map<std::pair<int, std::string>, groups::Mapping> merged;
  for (const auto& mapping : base) merged[{mapping.kind(), mapping.source()}] = mapping;
  for (const auto& mapping : over) merged[{mapping.kind(), mapping.source()}] = mapping;
  std::vector<groups::Mapping> result;
  result.reserve(merged.size());
  for (auto& [key, mapping] : merged) result.push_back(std::move(mapping));
  return result;
}

std::vector<groups::Mapping> UnusedMappings(const groups::GroupDocument& group,
                                            const std::vector<groups::Mapping>& mappings) {
  std::set<std::pair<int, std::string>> in_use;
  for (const auto& member : group.members()) {
    const groups::ServerSpec& server = member.server();
    in_use.emplace(groups::FLAVOR, server.flavor_id());
    in_use.emplace(groups::FLAVOR, server.flavor_name());
    in_use.emplace(groups::KEY_PAIR, server.key_name());
    in_use.emplace(groups::AVAILABILITY_ZONE, server.availability_zone());
    for (const auto& port : server.ports()) {
      in_use.emplace(groups::NETWORK, port.network_id());
      in_use.emplace(groups::NETWORK, port.network_name());
      for (const auto& name : port.security_groups()) in_use.emplace(groups::SECURITY_GROUP, name);
    }
    for (const auto& volume : server.volumes()) in_use.emplace(groups::VOLUME_TYPE, volume.volume_type());
  }
  std::vector<groups::Mapping> unused;
  std::copy_if(mappings.begin(), mappings.end(), std::back_inserter(unused), [&](const auto& mapping) {
    return in_use.count({mapping.kind(), mapping.source()}) == 0;
  });
  return unused;
}

groups::MappingSet StoredMappings(const groups::GroupDocument& group, const std::string& source_site,
                                  const std::string& target_site) {
  for (const auto& set : group.mappings()) {
    if (set.source_site() == source_site && set.target_site() == target_site) return set;
  }
  groups::MappingSet empty;
  empty.set_source_site(source_site);
  empty.set_target_site(target_site);
  return empty;
}

void StoreMappings(groups::GroupDocument& group, const groups::MappingSet& set) {
  for (auto& stored : *group.mutable_mappings()) {
    if (stored.source_site() == set.source_site() && stored.target_site() == set.target_site()) {
      stored = set;
      return;
    }
  }
  *group.add_mappings() = set;
}

std::string OtherSite(const groups::GroupDocument& group, const std::string& site) {
  return site == group.home_site() ? group.peer_site() : group.home_site();
}

const groups::Placement* FindPlacement(const groups::Member& member, const std::string& site) {
  for (const auto& placement : member.placements()) {
    if (placement.site() == site) return &placement;
  }
  return nullptr;
}

groups::Placement* FindPlacement(groups::Member& member, const std::string& site) {
  return const_cast<groups::Placement*>(FindPlacement(std::as_const(member), site));
}

const groups::Member* FindMember(const groups::GroupDocument& group, const std::string& name_or_id) {
  for (const auto& member : group.members()) {
    if (member.id() == name_or_id || member.server().name() == name_or_id) return &member;
    for (const auto& placement : member.placements()) {
      if (placement.server_id() == name_or_id) return &member;
    }
  }
  return nullptr;
}

std::string StorageName(const groups::GroupDocument& group, const std::string& site) {
  const auto found = group.storage_names().find(site);
  return found == group.storage_names().end() || found->second.empty() ? group.policy().pure_pg_name() : found->second;
}

absl::Status CheckDependencies(const groups::GroupDocument& group) {
  std::map<std::string, std::set<std::string>> waits;
  for (const auto& member : group.members()) {
    auto& mine = waits[member.id()];
    for (const auto& id : member.depends_on()) mine.insert(id);
  }
  for (bool progress = true; progress && !waits.empty();) {
    progress = false;
    for (auto it = waits.begin(); it != waits.end();) {
      if (!it->second.empty()) {
        ++it;
        continue;
      }
      const std::string done = it->first;
      it = waits.erase(it);
      for (auto& [id, others] : waits) others.erase(done);
      progress = true;
    }
  }
  if (waits.empty()) return absl::OkStatus();
  const groups::Member* member = FindMember(group, waits.begin()->first);
  const std::string name = member == nullptr ? waits.begin()->first : member->server().name();
  return Error(absl::StatusCode::kFailedPrecondition, "INVALID_ARGUMENT",
               fmt::format("member {} waits for itself or for a member that is not in the group", name))
      .Object("member " + name)
      .Remedy("Take the circle out of the members' depends_on.");
}

groups::GroupStatus RestingStatus(const groups::GroupDocument& group, const std::string& primary) {
  return primary == group.home_site() ? groups::ACTIVE : groups::FAILED_OVER;
}

}  // namespace protector::orchestrator
