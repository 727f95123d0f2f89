#pragma once
// Times between absl and the contracts. Threads: pure functions. Failure: an unset time is the infinite past.

#include <google/protobuf/timestamp.pb.h>

#include "absl/time/time.h"

namespace protector::orchestrator {

inline google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const absl::Duration since = time - absl::UnixEpoch();
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(since, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

inline absl::Time FromProto(const google::protobuf::Timestamp& proto) {
  if (proto.seconds() == 0 && proto.nanos() == 0) return absl::InfinitePast();
  return absl::UnixEpoch() + absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}

}  // namespace protector::orchestrator
