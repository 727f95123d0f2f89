#include "services/storage-pure/domain/fencing.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/base/parallel.h"
#include "services/storage-pure/domain/naming.h"

namespace protector::storage {
namespace {

constexpr int kRounds = 3;  // a host may be connected again while we disconnect it

}  // namespace

absl::Status Fencing::RemoveConnections(const Scope& scope, const std::string& group_id,
                                        const std::vector<Volume>& volumes, v1::FenceVolumesResponse& response) {
  std::vector<std::string> names;
  std::map<std::string, std::string> serial_of;
  for (const Volume& volume : volumes) {
    names.push_back(volume.name);
    serial_of[volume.name] = volume.serial;
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Connection> listed, deps_.array.ListConnections(scope, names));
  // A host group's connection is listed once for each of its hosts, and removed once.
  std::vector<Connection> connections;
  std::vector<std::string> texts;
  std::set<std::string> seen;
  std::map<std::string, std::vector<std::string>> by_serial;
  for (const Connection& connection : listed) {
    const std::string host = connection.host_group.empty() ? connection.host : connection.host_group;
    const std::string text = fmt::format("{} -> {}", connection.volume, host);
    if (host.empty() || !seen.insert(text).second) continue;
    connections.push_back(connection);
    texts.push_back(text);
    by_serial[serial_of[connection.volume]].push_back(text);
  }
  for (auto& [serial, removed] : by_serial) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<std::string> before, deps_.state.Fence(group_id, serial));
    for (const std::string& text : before) {
      if (std::find(removed.begin(), removed.end(), text) == removed.end()) removed.push_back(text);
    }
    PROTECTOR_RETURN_IF_ERROR(deps_.state.SaveFence(group_id, serial, removed));
  }
  std::vector<absl::Status> results(connections.size());
  ForEachInParallel(connections.size(), deps_.parallelism,
                    [&](size_t i) { results[i] = deps_.array.DeleteConnection(scope, connections[i]); });
  absl::Status worst;
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok()) {
      response.add_removed_connections(texts[i]);
    } else if (!NotThere(results[i])) {
      worst = results[i];
    }
  }
  return worst;
}

absl::StatusOr<v1::FenceVolumesResponse> Fencing::Fence(const Scope& scope, const std::string& group_id,
                                                        const google::protobuf::RepeatedPtrField<v1::Disk>& disks) {
  std::vector<std::string> serials;
  for (const v1::Disk& disk : disks) serials.push_back(UpperSerial(disk.serial()));
  PROTECTOR_RETURN_IF_ERROR(inventory_.CheckOwner(group_id, serials));
  v1::FenceVolumesResponse response;
  for (int round = 0;; ++round) {
    PROTECTOR_ASSIGN_OR_RETURN(const auto found, inventory_.BySerial(scope, serials));
    std::vector<Volume> connected;
    for (const auto& [serial, volume] : found) {
      if (!volume.destroyed && volume.connection_count > 0) connected.push_back(volume);
    }
    response.set_fenced(connected.empty());
    if (connected.empty() || round == kRounds) return response;
    const absl::Status removed = RemoveConnections(scope, group_id, connected, response);
    if (!removed.ok() && !NotThere(removed))
      return removed;  // renamed meanwhile: the next round knows it by serial again
  }
}

absl::Status Fencing::Unfence(const std::string& group_id, const google::protobuf::RepeatedPtrField<v1::Disk>& disks) {
  for (const v1::Disk& disk : disks) {
    PROTECTOR_RETURN_IF_ERROR(deps_.state.ForgetFence(group_id, UpperSerial(disk.serial())));
  }
  return absl::OkStatus();
}

}  // namespace protector::storage
