// Reads back what guests wrote on a volume. Threads: any; blocks on the array. Failure: the array's status.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

#include "simulators/openstack/array/array.h"
#include "simulators/openstack/guest/record.h"

namespace protector::ossim {

struct VolumeScan {
  std::optional<VolumeHeader> header;
  std::vector<GuestRecord> records;  // by sequence; for the slots that hold one
  int64_t corrupt = 0;               // slots that hold something else than a record or nothing
  struct Span {
    std::string writer, server_id;
    uint64_t first = 0, last = 0;
    int64_t first_ms = 0, last_ms = 0, count = 0;
  };
  std::vector<Span> Spans() const;  // runs of one writer, in order of sequence
};

absl::StatusOr<VolumeScan> ScanVolume(Array& array, const std::string& initiator, const std::string& serial,
                                      int64_t volume_bytes);

// The whole ranges of `numbers` (sorted, without repeats).
std::vector<std::pair<uint64_t, uint64_t>> Ranges(const std::vector<uint64_t>& numbers);
// What lies between the ranges of `numbers`, from `oldest` to `newest`.
std::vector<std::pair<uint64_t, uint64_t>> Gaps(const std::vector<uint64_t>& numbers, uint64_t oldest, uint64_t newest);

}  // namespace protector::ossim
