#pragma once
// The array's objects as the domain sees them: only what it needs, with plain types.
//
// Threads: values. Failure: none. A time that the array did not give is absl::InfinitePast().

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace protector::storage {

struct ArrayIdentity {
  std::string name = {};
  std::string id = {};
  std::string purity_version = {};
  std::string rest_version = {};            // in use, "2.26"
  absl::Time as_of = absl::InfinitePast();  // the array's own clock, where it tells it
};

// Another array that this one is connected to.
struct PeerArray {
  std::string name = {};
  std::string status = {};  // connected | connecting | partially_connected | unbalanced
  std::string type = {};    // async-replication | sync-replication
};

struct Volume {
  std::string name = {};  // with its pod's or volume group's prefix
  std::string id = {};
  std::string serial = {};
  int64_t size = 0;
  int connection_count = 0;
  bool destroyed = false;
  std::string pod = {};
  std::string source = {};  // what it was copied from
};

// Wanted volumes: those that have one of the names, ids or serials, or are in the pod. All lists empty: every volume.
struct VolumeFilter {
  std::vector<std::string> names = {};
  std::vector<std::string> ids = {};
  std::vector<std::string> serials = {};
  std::string pod = {};
  std::optional<bool> destroyed = {};  // unset: live ones and destroyed ones
  bool Everything() const { return names.empty() && ids.empty() && serials.empty() && pod.empty(); }
};

// A volume's connection to a host or, through it, to a host group.
struct Connection {
  std::string volume = {};
  std::string host = {};
  std::string host_group = {};
};

struct Tag {
  std::string key = {};
  std::string value = {};
  std::string volume = {};  // name of the volume that has it
  std::string volume_id = {};
};

struct Group {
  std::string name = {};
  bool destroyed = false;
  bool is_local = true;  // false: the face of another array's group
  bool replication_enabled = false;
  absl::Duration frequency = absl::ZeroDuration();
  absl::Duration source_retention = absl::ZeroDuration();
  absl::Duration target_retention = absl::ZeroDuration();
};

struct GroupUpdate {
  std::optional<bool> replication_enabled = {};
  std::optional<absl::Duration> frequency = {};
  std::optional<absl::Duration> source_retention = {};
  std::optional<absl::Duration> target_retention = {};
  std::optional<bool> destroyed = {};
};

struct GroupVolume {
  std::string group = {};
  std::string volume = {};
  std::string volume_id = {};
};

struct GroupTarget {
  std::string group = {};
  std::string target = {};
  bool allowed = false;
};

struct GroupSnapshot {
  std::string name = {};  // "pg.suffix" or, on the target, "src:pg.suffix"
  bool destroyed = false;
  absl::Time created = absl::InfinitePast();
};

// One group snapshot on its way to (source) or arriving at (target) an array.
struct Transfer {
  std::string name = {};
  absl::Time started = absl::InfinitePast();
  absl::Time completed = absl::InfinitePast();
  double progress = 0;
  int64_t data_transferred = 0;
  // Only then are its volume snapshots usable.
  bool Complete() const { return progress >= 1.0 && completed != absl::InfinitePast(); }
};

struct PodArray {
  std::string name = {};
  std::string status = {};  // online | offline | resyncing | suspended | unknown
  std::string mediator_status = {};
  absl::Time frozen_at = absl::InfinitePast();
  double progress = 0;
};

struct Pod {
  std::string name = {};
  bool destroyed = false;
  std::string promotion_status = {};  // promoted | demoted | promoting | demoting ...
  std::string requested_state = {};
  std::vector<PodArray> arrays = {};
  bool Stretched() const { return arrays.size() > 1; }
};

struct PodUpdate {
  std::string requested_state = {};  // "promoted" or "demoted"; empty: unchanged
  bool quiesce = false;
  bool skip_quiesce = false;
  bool abort_quiesce = false;
  bool destroy = false;  // with what is in it; recoverable
};

struct ReplicaLink {
  std::string local_pod = {};
  std::string remote_pod = {};
  std::string remote_array = {};
  std::string direction = {};  // outbound | inbound
  std::string status = {};     // baselining | replicating | paused | quiescing | quiesced | idle | unhealthy
  bool paused = false;
  int64_t lag_ms = -1;
  absl::Time recovery_point = absl::InfinitePast();
};

}  // namespace protector::storage
