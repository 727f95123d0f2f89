// Where blocks live: one file (or anonymous memory) of 4 KiB slots with reference counts.
//
// A slot is never changed once written: overwriting a block takes a new slot, so that a crash leaves either the old or
// the new content. A slot whose last reference has gone is handed out again only after ReleasePending, which the store
// calls when the change that dropped the reference is in the journal.
//
// Threads: none of its own; the array's lock guards it. Ownership: owns the file descriptor. Failure: I/O errors throw
// std::runtime_error: an array that cannot keep its bytes must not answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace protector::fasim {

constexpr std::uint64_t kBlockSize = 4096;
using Slot = std::uint64_t;  // 0 is a hole: reads as zeros, is never stored

class BlockFile {
 public:
  explicit BlockFile(const std::string& path);  // empty path: anonymous memory
  ~BlockFile();
  BlockFile(const BlockFile&) = delete;
  BlockFile& operator=(const BlockFile&) = delete;

  Slot Write(const char* block);  // the new slot carries one reference
  void Read(Slot slot, char* block) const;
  void Ref(Slot slot);
  void Unref(Slot slot);
  void ReleasePending();
  // After a replay: everything without a reference is free.
  void RebuildFreeList();
  void Sync() const;
  std::uint64_t used_slots() const { return used_; }

 private:
  int fd_ = -1;
  std::vector<std::uint32_t> refs_;
  std::vector<Slot> free_;
  std::vector<Slot> pending_;
  std::uint64_t used_ = 0;
};

}  // namespace protector::fasim
