#include "services/storage-pure/adapters/flasharray/decode.h"

namespace protector::storage::flasharray {
namespace {

absl::Time Millis(const json::Value& item, const std::string& path) {
  const std::optional<int64_t> ms = item.GetInt(path);
  return ms ? absl::FromUnixMillis(*ms) : absl::InfinitePast();
}

}  // namespace

Volume DecodeVolume(const json::Value& item) {
  return {.name = item.GetStringOr("name", ""),
          .id = item.GetStringOr("id", ""),
          .serial = item.GetStringOr("serial", ""),
          .size = item.GetIntOr("provisioned", 0),
          .connection_count = static_cast<int>(item.GetIntOr("connection_count", 0)),
          .destroyed = item.GetBoolOr("destroyed", false),
          .pod = item.GetStringOr("pod.name", ""),
          .source = item.GetStringOr("source.name", "")};
}

Connection DecodeConnection(const json::Value& item) {
  return {.volume = item.GetStringOr("volume.name", ""),
          .host = item.GetStringOr("host.name", ""),
          .host_group = item.GetStringOr("host_group.name", "")};
}

Tag DecodeTag(const json::Value& item) {
  return {.key = item.GetStringOr("key", ""),
          .value = item.GetStringOr("value", ""),
          .volume = item.GetStringOr("resource.name", ""),
          .volume_id = item.GetStringOr("resource.id", "")};
}

Group DecodeGroup(const json::Value& item) {
  return {.name = item.GetStringOr("name", ""),
          .destroyed = item.GetBoolOr("destroyed", false),
          .is_local = item.GetBoolOr("is_local", true),
          .replication_enabled = item.GetBoolOr("replication_schedule.enabled", false),
          .frequency = absl::Milliseconds(item.GetIntOr("replication_schedule.frequency", 0)),
          .source_retention = absl::Seconds(item.GetIntOr("source_retention.all_for_sec", 0)),
          .target_retention = absl::Seconds(item.GetIntOr("target_retention.all_for_sec", 0))};
}

GroupVolume DecodeGroupVolume(const json::Value& item) {
  return {.group = item.GetStringOr("group.name", ""),
          .volume = item.GetStringOr("member.name", ""),
          .volume_id = item.GetStringOr("member.id", "")};
}

GroupTarget DecodeGroupTarget(const json::Value& item) {
  return {.group = item.GetStringOr("group.name", ""),
          .target = item.GetStringOr("member.name", ""),
          .allowed = item.GetBoolOr("allowed", false)};
}

GroupSnapshot DecodeGroupSnapshot(const json::Value& item) {
  return {.name = item.GetStringOr("name", ""),
          .destroyed = item.GetBoolOr("destroyed", false),
          .created = Millis(item, "created")};
}

Transfer DecodeTransfer(const json::Value& item) {
  return {.name = item.GetStringOr("name", ""),
          .started = Millis(item, "started"),
          .completed = Millis(item, "completed"),
          .progress = item.GetDoubleOr("progress", 0),
          .data_transferred = item.GetIntOr("data_transferred", 0)};
}

Pod DecodePod(const json::Value& item) {
  Pod pod{.name = item.GetStringOr("name", ""),
          .destroyed = item.GetBoolOr("destroyed", false),
          .promotion_status = item.GetStringOr("promotion_status", ""),
          .requested_state = item.GetStringOr("requested_promotion_state", ""),
          .arrays = {}};
  for (const json::Value& array : item.GetItems("arrays")) {
    pod.arrays.push_back({.name = array.GetStringOr("name", ""),
                          .status = array.GetStringOr("status", ""),
                          .mediator_status = array.GetStringOr("mediator_status", ""),
                          .frozen_at = Millis(array, "frozen_at"),
                          .progress = array.GetDoubleOr("progress", 0)});
  }
  return pod;
}

ReplicaLink DecodeLink(const json::Value& item) {
  return {.local_pod = item.GetStringOr("local_pod.name", ""),
          .remote_pod = item.GetStringOr("remote_pod.name", ""),
          .remote_array = item.GetStringOr("remotes.0.name", ""),
          .direction = item.GetStringOr("direction", ""),
          .status = item.GetStringOr("status", ""),
          .paused = item.GetBoolOr("paused", false),
          .lag_ms = item.GetIntOr("lag", -1),
          .recovery_point = Millis(item, "recovery_point")};
}

}  // namespace protector::storage::flasharray
