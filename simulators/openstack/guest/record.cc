#include "simulators/openstack/guest/record.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace protector::ossim {
namespace {

constexpr char kHeaderMagic[] = "PTGLHDR1";
constexpr char kRecordMagic[] = "PTG1";
constexpr int64_t kMiB = 1 << 20;

uint32_t Crc(const char* bytes, size_t size) {
  return static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes), static_cast<uInt>(size)));
}

void PutUuid(char* to, const std::string& text) {
  int n = 0, high = -1;
  for (char c : text) {
    int v = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : -1;
    if (v < 0) continue;
    if (high < 0) {
      high = v;
    } else if (n < 16) {
      to[n++] = static_cast<char>(high * 16 + v);
      high = -1;
    }
  }
}

std::string GetUuid(const char* from) {
  std::string out;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", static_cast<unsigned char>(from[i]));
  }
  return out;
}

template <class T>
void Put(char* to, T value) {
  std::memcpy(to, &value, sizeof(value));  // little endian machines only, like the format
}

template <class T>
T Get(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

}  // namespace

std::string GuestRecord::Writer() const {
  return fmt::format("{}/{:016x}", server_id, boot_id);
}

int64_t HeaderOffset(int64_t volume_bytes) {
  return volume_bytes >= 2 * kMiB ? kMiB : 0;
}

uint32_t SlotsFor(int64_t volume_bytes) {
  int64_t room = (volume_bytes - HeaderOffset(volume_bytes) - kRecordArea) / kRecordBytes;
  return static_cast<uint32_t>(std::clamp<int64_t>(room, 1, kMaxSlots));
}

int64_t RecordOffset(int64_t volume_bytes, uint32_t slots, uint64_t sequence) {
  return HeaderOffset(volume_bytes) + kRecordArea + static_cast<int64_t>((sequence - 1) % slots) * kRecordBytes;
}

std::string Encode(const VolumeHeader& header) {
  std::string out(kHeaderBytes, '\0');
  std::memcpy(out.data(), kHeaderMagic, 8);
  Put<uint32_t>(&out[8], 1);
  Put<uint32_t>(&out[12], header.slots);
  PutUuid(&out[16], header.lineage);
  Put<uint64_t>(&out[32], static_cast<uint64_t>(header.created_ms));
  Put<uint32_t>(&out[508], Crc(out.data(), 508));
  return out;
}

std::string Encode(const GuestRecord& record) {
  std::string out(kRecordBytes, '\0');
  std::memcpy(out.data(), kRecordMagic, 4);
  PutUuid(&out[8], record.lineage);
  PutUuid(&out[24], record.server_id);
  Put<uint64_t>(&out[40], record.boot_id);
  Put<uint64_t>(&out[48], record.sequence);
  Put<uint64_t>(&out[56], static_cast<uint64_t>(record.time_ms));
  Put<uint32_t>(&out[4], Crc(&out[8], 56));
  return out;
}

std::optional<VolumeHeader> DecodeHeader(const std::string& bytes) {
  if (bytes.size() < static_cast<size_t>(kHeaderBytes) || std::memcmp(bytes.data(), kHeaderMagic, 8) != 0)
    return std::nullopt;
  if (Get<uint32_t>(&bytes[508]) != Crc(bytes.data(), 508)) return std::nullopt;
  VolumeHeader header;
  header.slots = Get<uint32_t>(&bytes[12]);
  header.lineage = GetUuid(&bytes[16]);
  header.created_ms = static_cast<int64_t>(Get<uint64_t>(&bytes[32]));
  if (header.slots == 0 || header.slots > kMaxSlots) return std::nullopt;
  return header;
}

std::optional<GuestRecord> DecodeRecord(const char* bytes) {
  if (std::memcmp(bytes, kRecordMagic, 4) != 0 || Get<uint32_t>(bytes + 4) != Crc(bytes + 8, 56)) return std::nullopt;
  GuestRecord record;
  record.lineage = GetUuid(bytes + 8);
  record.server_id = GetUuid(bytes + 24);
  record.boot_id = Get<uint64_t>(bytes + 40);
  record.sequence = Get<uint64_t>(bytes + 48);
  record.time_ms = static_cast<int64_t>(Get<uint64_t>(bytes + 56));
  return record;
}

bool IsBlank(const char* bytes, size_t size) {
  return std::all_of(bytes, bytes + size, [](char c) { return c == '\0'; });
}

}  // namespace protector::ossim
