#include "cli/protector/commands/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "absl/time/time.h"
#include "libs/base/clock.h"

namespace protector::cli {

json::Value TimeText(bool set, const google::protobuf::Timestamp& time) {
  if (!set) return nullptr;
  return Rfc3339(absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()));
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string OperationTypeText(op_pb::OperationType type) {
  return type == op_pb::FAILBACK ? "failback" : "failover";
}

std::string MannerText(op_pb::OperationType type) {
  return type == op_pb::UNPLANNED_FAILOVER ? "unplanned" : "planned";
}

std::string ProblemText(const op_pb::Problem& problem) {
  std::string text = problem.cause();
  if (!problem.object().empty()) text += fmt::format(" ({})", problem.object());
  if (!problem.site().empty() && text.find(problem.site()) == std::string::npos)
    text += fmt::format(" [{}]", problem.site());
  if (!problem.remedy().empty()) text += fmt::format("{} {}", text.ends_with(".") ? "" : ".", problem.remedy());
  return text;
}

namespace {

json::Value Strings(const google::protobuf::RepeatedPtrField<std::string>& values) {
  return std::vector<std::string>(values.begin(), values.end());
}

json::Value StringMap(const google::protobuf::Map<std::string, std::string>& map) {
  return std::map<std::string, std::string>(map.begin(), map.end());
}

std::string MappingKindText(group_pb::MappingKind kind) {
  std::string text = Lower(group_pb::MappingKind_Name(kind));
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

const group_pb::Placement* ServingPlacement(const group_pb::Member& member) {
  for (const group_pb::Placement& placement : member.placements()) {
    if (placement.state() == group_pb::Placement::SERVING) return &placement;
  }
  return nullptr;
}

std::string MemberName(const group_pb::GroupDocument& document, const std::string& id) {
  for (const group_pb::Member& member : document.members()) {
    if (member.id() == id) return member.server().name();
  }
  return id;
}

json::Value PendingList(const group_pb::GroupDocument& document) {
  json::Value list = json::Value::Array();
  for (const group_pb::PendingWork& work : document.pending()) {
    list.Append(json::Value::Object(
        {{"operation_id", work.operation_id()}, {"site", work.site()}, {"steps", Strings(work.steps())}}));
  }
  return list;
}

json::Value RowsAsJson(const Listing& listing) {
  json::Value list = json::Value::Array();
  for (const auto& row : listing.rows) {
    json::Value object = json::Value::Object();
    for (size_t i = 0; i < row.size(); ++i) object.Set(listing.columns[i].name, row[i]);
    list.Append(std::move(object));
  }
  return list;
}

void AddConditions(const group_pb::Conditions& conditions, Record& record) {
  record.Add("serving", conditions.serving())
      .Add("protected", conditions.protected_())
      .Add("clean", conditions.clean());
  record.Add("conditions_reason", conditions.reason());
}

}  // namespace

Record PolicyRecord(const group_pb::GroupDocument& document) {
  const group_pb::Policy& policy = document.policy();
  Record record;
  record.Add("protection_group", document.name())
      .Add("replication_type", Lower(group_pb::ReplicationType_Name(document.replication_type())))
      .Add("replication_interval", policy.replication_interval())
      .Add("rpo_minutes", policy.rpo_minutes())
      .Add("pure_pg_name", policy.pure_pg_name())
      .Add("stop_timeout", policy.stop_timeout())
      .Add("source_retention", policy.source_retention())
      .Add("target_retention", policy.target_retention());
  return record;
}

Record GroupRecord(const op_pb::Group& group) {
  const group_pb::GroupDocument& document = group.document();
  Record record;
  record.Add("name", document.name())
      .Add("status", Lower(group_pb::GroupStatus_Name(document.status())))
      .Add("current_primary_site", document.primary_site())
      .Add("failover_count", document.failover_count())
      .Add("last_failover_at", TimeText(document.has_last_failover_at(), document.last_failover_at()))
      .Add("replication_type", Lower(group_pb::ReplicationType_Name(document.replication_type())))
      .Add("id", document.id())
      .Add("description", document.description())
      .Add("home_site", document.home_site())
      .Add("peer_site", document.peer_site())
      .Add("failback_count", document.failback_count())
      .Add("last_failback_at", TimeText(document.has_last_failback_at(), document.last_failback_at()))
      .Add("member_count", document.members_size());
  AddConditions(document.conditions(), record);
  record.Add("epoch", document.epoch()).Add("version", group.version());
  record.Add("active_operation_id", document.active_operation_id())
      .Add("pending", PendingList(document))
      .Add("pure_pg_name", document.policy().pure_pg_name())
      .Add("replication_interval", document.policy().replication_interval())
      .Add("rpo_minutes", document.policy().rpo_minutes())
      .Add("created_at", TimeText(document.has_create_time(), document.create_time()))
      .Add("updated_at", TimeText(document.has_update_time(), document.update_time()));
  record.AddMachine("projects", StringMap(document.projects()))
      .AddMachine("members", RowsAsJson(MemberListing(document)))
      .AddMachine("mappings", RowsAsJson(MappingListing(document)))
      .AddMachine("storage_names", StringMap(document.storage_names()))
      .AddMachine("answered_by", group.site())
      .AddMachine("etag", group.etag())
      .AddMachine("warnings", Strings(group.warnings()));
  return record;
}

Listing GroupListing(const std::vector<op_pb::Group>& groups) {
  Listing listing;
  listing.columns = {{"name"},
                     {"status"},
                     {"current_primary_site"},
                     {"replication_type"},
                     {"member_count"},
                     {"serving"},
                     {"protected"},
                     {"clean"},
                     {"id"}};
  for (const op_pb::Group& group : groups) {
    const group_pb::GroupDocument& document = group.document();
    listing.rows.push_back({document.name(), Lower(group_pb::GroupStatus_Name(document.status())),
                            document.primary_site(), Lower(group_pb::ReplicationType_Name(document.replication_type())),
                            document.members_size(), document.conditions().serving(),
                            document.conditions().protected_(), document.conditions().clean(), document.id()});
  }
  return listing;
}

Listing MemberListing(const group_pb::GroupDocument& document) {
  Listing listing;
  listing.columns = {{"name"},
                     {"site"},
                     {"server_id"},
                     {"flavor"},
                     {"volumes"},
                     {"size_gib"},
                     {"networks"},
                     {"addresses"},
                     {"boot_order"},
                     {"depends_on"},
                     {"member_id", true},
                     {"volume_ids", true},
                     {"security_groups", true},
                     {"key_name", true},
                     {"captured_at", true}};
  for (const group_pb::Member& member : document.members()) {
    const group_pb::ServerSpec& server = member.server();
    const group_pb::Placement* placement = ServingPlacement(member);
    json::Value networks = json::Value::Array(), addresses = json::Value::Array(), depends = json::Value::Array();
    json::Value volumes = json::Value::Array(), groups = json::Value::Array();
    int64_t size = 0;
    for (const group_pb::PortSpec& port : server.ports()) {
      networks.Append(port.network_name());
      for (const group_pb::FixedIp& ip : port.fixed_ips()) addresses.Append(ip.ip_address());
      for (const std::string& name : port.security_groups()) groups.Append(name);
    }
    for (const group_pb::VolumeSpec& volume : server.volumes()) size += volume.size_gib();
    for (const std::string& id : member.depends_on()) depends.Append(MemberName(document, id));
    if (placement != nullptr) {
      for (const group_pb::VolumePlacement& volume : placement->volumes()) volumes.Append(volume.volume_id());
    }
    listing.rows.push_back({server.name(), placement == nullptr ? "" : placement->site(),
                            placement == nullptr ? "" : placement->server_id(), server.flavor_name(),
                            server.volumes_size(), size, networks, addresses, member.boot_order(), depends, member.id(),
                            volumes, groups, server.key_name(),
                            TimeText(member.has_captured_at(), member.captured_at())});
  }
  return listing;
}

Listing MappingListing(const group_pb::GroupDocument& document) {
  Listing listing;
  listing.columns = {{"source_site"}, {"target_site"}, {"kind"}, {"source"}, {"target"}};
  for (const group_pb::MappingSet& set : document.mappings()) {
    for (const group_pb::Mapping& mapping : set.mappings()) {
      listing.rows.push_back(
          {set.source_site(), set.target_site(), MappingKindText(mapping.kind()), mapping.source(), mapping.target()});
    }
  }
  return listing;
}

}  // namespace protector::cli
