// The content of one volume or snapshot: which block is in which slot. A persistent radix tree (64 ways): copying it is
// one pointer, two copies share every node that neither has changed since, and comparing two copies skips what they
// share. That makes snapshots and clones free and the difference between two snapshots cost what changed, not what
// exists.
//
// Threads: the array's lock guards every tree. Ownership: nodes are shared; a leaf owns one reference to each slot in
// it. Failure: none of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "simulators/flasharray/store/block_file.h"

namespace protector::fasim {

struct BlockNode;
using BlockNodePtr = std::shared_ptr<BlockNode>;

class BlockTree {
 public:
  explicit BlockTree(BlockFile* file) : file_(file) {}

  Slot Get(std::uint64_t index) const;
  // Takes over the caller's reference to `slot`; 0 makes a hole.
  void Set(std::uint64_t index, Slot slot);
  // Drops every block from `first` on.
  void Truncate(std::uint64_t first);
  std::uint64_t blocks() const;  // how many are not holes

  // Calls `visit(index, slot)` in rising order of index for each block from `from` on; stops when it returns false.
  using Visit = std::function<bool(std::uint64_t, Slot)>;
  void ForEach(std::uint64_t from, const Visit& visit) const;
  // The blocks of `to` that differ from `base` (slot 0: became a hole).
  static void Diff(const BlockTree& base, const BlockTree& to, std::uint64_t from, const Visit& visit);

  // For checkpoints.
  const BlockNodePtr& root() const { return root_; }
  unsigned height() const { return height_; }
  void Adopt(BlockNodePtr root, unsigned height) {
    root_ = std::move(root);
    height_ = height;
  }

 private:
  void Grow(std::uint64_t index);

  BlockFile* file_;
  BlockNodePtr root_;
  unsigned height_ = 0;  // 1: the root is a leaf
};

// Nodes are open for the checkpoint writer; nobody else needs them.
struct BlockNode {
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kWays = 1U << kBits;

  BlockNode(BlockFile* block_file, bool is_leaf);
  ~BlockNode();
  BlockNode(const BlockNode&) = delete;
  BlockNode& operator=(const BlockNode&) = delete;

  BlockFile* file;
  bool leaf;
  std::uint64_t count = 0;  // blocks below
  std::unique_ptr<Slot[]> slots;
  std::unique_ptr<BlockNodePtr[]> children;
};

}  // namespace protector::fasim
