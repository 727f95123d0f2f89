#pragma once
// What this service remembers durably: the epoch of each group, which objects on the array are whose, which volumes
// hold the same disk (the pair map, by serial), intents and outcomes of clones, and fences.
//
// Threads: safe for all (the store is). Ownership: the store outlives it. Failure: the store's statuses; a record that
// cannot be read is DATA_LOSS.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/json/json.h"
#include "libs/store/store.h"

namespace protector::storage {

// A disk of a group.
struct DiskKey {
  std::string group_id = {};
  std::string member_id = {};
  int32_t index = 0;
  std::string Text() const;
  bool operator==(const DiskKey&) const = default;
};

// A protection group, face or pod that a group uses on this array.
struct ProtectionRecord {
  std::string name = {};  // on this array: "pg", "src:pg", "pod"
  std::string group_id = {};
  bool pod = false;
  std::string source_array = {};        // of a target side: whose; empty: this array is the source
  std::string source_name = {};         // of a target side: name on the source
  std::string peer_pod = {};            // of a source pod: its target
  bool retired = false;                 // a pod whose place another one has taken
  int64_t epoch = 0;                    // of the group, when the present direction of a protection group began
  std::vector<std::string> stale = {};  // its snapshots from before that: of other volumes, never to be used again
};

// A volume that was (or was about to be) made for a disk.
struct CloneRecord {
  DiskKey disk = {};
  std::string operation_id = {};
  std::string name = {};    // asked for
  std::string source = {};  // what it is copied from
  std::string source_serial = {};
  std::string volume_id = {};  // empty: intent only, outcome unknown
  std::string serial = {};
  bool tagged = false;
};

class State {
 public:
  explicit State(store::Store& store) : store_(store) {}

  // The highest epoch seen of a group; 0: none.
  absl::StatusOr<int64_t> Epoch(const std::string& group_id);
  // ABORTED if somebody raised it meanwhile.
  absl::Status RaiseEpoch(const std::string& group_id, int64_t from, int64_t to);

  absl::StatusOr<std::optional<ProtectionRecord>> Protection(const std::string& name);
  absl::Status SaveProtection(const ProtectionRecord& record);
  absl::Status ForgetProtection(const std::string& name);
  absl::StatusOr<std::vector<ProtectionRecord>> Protections();

  // Pair map. Serials are this array's and others'; saving adds to what is known of a disk.
  absl::Status SavePairs(const std::vector<std::pair<DiskKey, std::map<std::string, std::string>>>& pairs);
  absl::StatusOr<std::map<std::string, std::string>> Pair(const DiskKey& disk);  // array name -> serial
  // The disk that a serial belongs to, on whatever array; nullopt: not known.
  absl::StatusOr<std::optional<DiskKey>> DiskOf(const std::string& serial);

  absl::StatusOr<std::optional<CloneRecord>> Clone(const DiskKey& disk, const std::string& operation_id);
  absl::Status SaveClones(const std::vector<CloneRecord>& records);

  // Connections ("volume -> host") that a fence removed.
  absl::Status SaveFence(const std::string& group_id, const std::string& serial,
                         const std::vector<std::string>& removed);
  absl::StatusOr<std::vector<std::string>> Fence(const std::string& group_id, const std::string& serial);
  absl::Status ForgetFence(const std::string& group_id, const std::string& serial);

  // A pod's recovery point that was marked for (operation, purpose).
  absl::StatusOr<std::optional<std::string>> Point(const std::string& key);
  absl::Status SavePoint(const std::string& key, const std::string& point);

 private:
  absl::StatusOr<std::optional<json::Value>> Read(const std::string& bucket, const std::string& key);
  absl::Status Write(const failpoint::Site& site, const std::string& bucket, const std::string& key,
                     const json::Value& value);

  store::Store& store_;
};

}  // namespace protector::storage
