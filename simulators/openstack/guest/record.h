// What a guest writes on its volume: a header that names the lineage, and fixed-size numbered records in a ring.
// Pure functions of bytes; layout in README.md. Threads: any. Failure: decoding answers nothing for bytes that are not
// one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace protector::ossim {

constexpr int64_t kHeaderBytes = 512;
constexpr int64_t kRecordArea = 4096;  // from the header's offset
constexpr int64_t kRecordBytes = 64;
constexpr uint32_t kMaxSlots = 262144;

struct VolumeHeader {
  std::string lineage;  // uuid text
  uint32_t slots = 0;
  int64_t created_ms = 0;
};

struct GuestRecord {
  std::string lineage, server_id;
  uint64_t boot_id = 0;
  uint64_t sequence = 0;
  int64_t time_ms = 0;
  std::string Writer() const;  // "<server uuid>/<boot id>"
};

int64_t HeaderOffset(int64_t volume_bytes);
uint32_t SlotsFor(int64_t volume_bytes);
int64_t RecordOffset(int64_t volume_bytes, uint32_t slots, uint64_t sequence);

std::string Encode(const VolumeHeader& header);
std::string Encode(const GuestRecord& record);
std::optional<VolumeHeader> DecodeHeader(const std::string& bytes);
std::optional<GuestRecord> DecodeRecord(const char* bytes);
bool IsBlank(const char* bytes, size_t size);

}  // namespace protector::ossim
