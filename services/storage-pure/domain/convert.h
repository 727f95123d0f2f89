#pragma once
// Times and recovery points in the contract's form. Threads: pure functions. Failure: none.

#include <string>

#include "google/protobuf/timestamp.pb.h"
#include "protector/storage/v1/storage.pb.h"
#include "services/storage-pure/ports/array_objects.h"

namespace protector::storage {

inline void SetTime(google::protobuf::Timestamp* out, absl::Time time) {
  const int64_t ms = absl::ToUnixMillis(time);
  out->set_seconds(ms / 1000);
  out->set_nanos(static_cast<int32_t>((ms % 1000) * 1'000'000));
}

// `name` as both sites call it ("src:pg.suffix"); `created`: when its data was current.
inline v1::RecoveryPoint ToPoint(const std::string& name, const Transfer& transfer, absl::Time created) {
  v1::RecoveryPoint point;
  point.set_name(name);
  if (created != absl::InfinitePast()) SetTime(point.mutable_data_time(), created);
  point.set_complete(transfer.Complete());
  point.set_progress(transfer.progress);
  point.set_data_transferred(transfer.data_transferred);
  // The array says how much was sent and which part of the whole that is; the whole follows from it.
  if (transfer.Complete()) {
    point.set_data_total(transfer.data_transferred);
  } else if (transfer.progress > 0) {
    point.set_data_total(static_cast<int64_t>(static_cast<double>(transfer.data_transferred) / transfer.progress));
  }
  if (transfer.completed != absl::InfinitePast()) SetTime(point.mutable_completed_at(), transfer.completed);
  return point;
}

}  // namespace protector::storage
