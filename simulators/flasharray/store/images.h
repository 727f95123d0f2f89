// All block maps of the array by number, and the record of what happened to them since the last commit.
//
// An image is the content of one volume, snapshot or hidden replication base. Every change is applied at once and noted
// in a binary log that the persistence layer takes at commit and can play again.
//
// Threads: the array's lock. Ownership: owns the trees; the block file is the caller's. Failure: I/O errors throw.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "simulators/flasharray/store/block_tree.h"

namespace protector::fasim {

using ImageId = std::uint64_t;  // 0 is none

class ImageStore {
 public:
  explicit ImageStore(BlockFile* file) : file_(file) {}

  ImageId Create();
  ImageId Clone(ImageId from);
  // Takes effect at commit, so that an aborted change has lost nothing.
  void Drop(ImageId image);
  void Write(ImageId image, std::uint64_t offset, const char* bytes, std::uint64_t length);
  void Read(ImageId image, std::uint64_t offset, char* bytes, std::uint64_t length) const;
  void TruncateBytes(ImageId image, std::uint64_t bytes);
  std::uint64_t AllocatedBytes(ImageId image) const;

  struct Block {
    std::uint64_t index;
    Slot slot;  // 0: became a hole
  };
  // Up to `limit` blocks, from index `from` on, in which `to` differs from `base` (0: from nothing).
  std::vector<Block> Diff(ImageId base, ImageId to, std::uint64_t from, std::size_t limit) const;
  std::uint64_t DiffCount(ImageId base, ImageId to) const;
  void ReadBlock(Slot slot, char* bytes) const { file_->Read(slot, bytes); }
  std::string Checksum(ImageId image) const;

  // Commit protocol. Rollback undoes creations since the last commit (writes are never rolled back: they are only done
  // when nothing can fail any more).
  void MarkStart();
  void Rollback();
  std::string TakeLog();  // also carries out the drops

  void Replay(const std::string& log);
  void Serialize(std::string* out) const;
  void Load(const std::string& data);

 private:
  BlockTree& At(ImageId image);
  const BlockTree& At(ImageId image) const;
  void Put(ImageId image, BlockTree& tree, std::uint64_t index, Slot slot);

  BlockFile* file_;
  std::unordered_map<ImageId, BlockTree> images_;
  ImageId next_ = 1;
  std::string log_;
  std::vector<ImageId> created_;
  std::vector<ImageId> dropped_;
  std::size_t log_start_ = 0;
};

}  // namespace protector::fasim
