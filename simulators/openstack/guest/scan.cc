#include "simulators/openstack/guest/scan.h"

#include <algorithm>

namespace protector::ossim {

absl::StatusOr<VolumeScan> ScanVolume(Array& array, const std::string& initiator, const std::string& serial,
                                      int64_t volume_bytes) {
  VolumeScan scan;
  int64_t base = HeaderOffset(volume_bytes);
  auto head = array.Read(initiator, serial, base, kHeaderBytes);
  if (!head.ok()) return head.status();
  scan.header = DecodeHeader(*head);
  if (!scan.header) return scan;
  int64_t area = static_cast<int64_t>(scan.header->slots) * kRecordBytes;
  int64_t chunk = 64 << 10;
  for (int64_t at = 0; at < area; at += chunk, chunk = std::min<int64_t>(chunk * 2, 1 << 20)) {
    int64_t n = std::min({chunk, area - at, volume_bytes - base - kRecordArea - at});
    if (n < kRecordBytes) break;
    auto bytes = array.Read(initiator, serial, base + kRecordArea + at, n);
    if (!bytes.ok()) return bytes.status();
    bool anything = false;
    for (size_t i = 0; i + kRecordBytes <= bytes->size(); i += kRecordBytes) {
      const char* slot = bytes->data() + i;
      if (auto record = DecodeRecord(slot)) {
        scan.records.push_back(std::move(*record));
        anything = true;
      } else if (!IsBlank(slot, kRecordBytes)) {
        ++scan.corrupt;
        anything = true;
      }
    }
    // The ring is filled from the front: after a whole chunk of nothing there is nothing more.
    if (!anything) break;
  }
  std::sort(scan.records.begin(), scan.records.end(),
            [](const GuestRecord& a, const GuestRecord& b) { return a.sequence < b.sequence; });
  return scan;
}

std::vector<VolumeScan::Span> VolumeScan::Spans() const {
  std::vector<Span> out;
  for (const GuestRecord& r : records) {
    std::string writer = r.Writer();
    if (out.empty() || out.back().writer != writer)
      out.push_back({writer, r.server_id, r.sequence, r.sequence, r.time_ms, r.time_ms, 0});
    out.back().last = r.sequence;
    out.back().last_ms = r.time_ms;
    ++out.back().count;
  }
  return out;
}

std::vector<std::pair<uint64_t, uint64_t>> Ranges(const std::vector<uint64_t>& numbers) {
  std::vector<std::pair<uint64_t, uint64_t>> out;
  for (uint64_t n : numbers) {
    if (!out.empty() && out.back().second + 1 == n) {
      out.back().second = n;
    } else {
      out.emplace_back(n, n);
    }
  }
  return out;
}

std::vector<std::pair<uint64_t, uint64_t>> Gaps(const std::vector<uint64_t>& numbers, uint64_t oldest,
                                                uint64_t newest) {
  std::vector<std::pair<uint64_t, uint64_t>> out;
  auto ranges = Ranges(numbers);
  for (size_t i = 1; i < ranges.size(); ++i) {
    uint64_t from = std::max(ranges[i - 1].second + 1, oldest), to = std::min(ranges[i].first - 1, newest);
    if (from <= to) out.emplace_back(from, to);
  }
  return out;
}

}  // namespace protector::ossim
