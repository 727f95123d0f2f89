#include "simulators/flasharray/store/block_tree.h"

#include <utility>

namespace protector::fasim {
namespace {

constexpr unsigned kBits = BlockNode::kBits;
constexpr unsigned kWays = BlockNode::kWays;

// How many blocks one child of a node of this height covers.
std::uint64_t SpanOfChild(unsigned height) {
  return std::uint64_t{1} << (kBits * (height - 1));
}

bool Covers(unsigned height, std::uint64_t index) {
  return height * kBits >= 64 || index < (std::uint64_t{1} << (kBits * height));
}

BlockNodePtr CopyOf(const BlockNode& node) {
  auto copy = std::make_shared<BlockNode>(node.file, node.leaf);
  copy->count = node.count;
  for (unsigned i = 0; i < kWays; ++i) {
    if (node.leaf) {
      copy->slots[i] = node.slots[i];
      node.file->Ref(node.slots[i]);
    } else {
      copy->children[i] = node.children[i];
    }
  }
  return copy;
}

void SetIn(BlockFile* file, BlockNodePtr& node, unsigned height, std::uint64_t index, Slot slot) {
  if (!node) {
    if (slot == 0) return;
    node = std::make_shared<BlockNode>(file, height == 1);
  } else if (node.use_count() > 1) {
    node = CopyOf(*node);
  }
  if (height == 1) {
    Slot& place = node->slots[index];
    node->count += (slot != 0 ? 1U : 0U);
    node->count -= (place != 0 ? 1U : 0U);
    file->Unref(place);
    place = slot;
  } else {
    const std::uint64_t span = SpanOfChild(height);
    BlockNodePtr& child = node->children[index / span];
    const std::uint64_t before = child ? child->count : 0;
    SetIn(file, child, height - 1, index % span, slot);
    node->count += (child ? child->count : 0);
    node->count -= before;
  }
  if (node->count == 0) node.reset();
}

void TruncateIn(BlockFile* file, BlockNodePtr& node, unsigned height, std::uint64_t first) {
  if (!node) return;
  if (first == 0) {
    node.reset();
    return;
  }
  if (node.use_count() > 1) node = CopyOf(*node);
  if (height == 1) {
    for (std::uint64_t i = first; i < kWays; ++i) {
      if (node->slots[i] == 0) continue;
      file->Unref(node->slots[i]);
      node->slots[i] = 0;
      --node->count;
    }
  } else {
    const std::uint64_t span = SpanOfChild(height);
    for (std::uint64_t i = first / span; i < kWays; ++i) {
      BlockNodePtr& child = node->children[i];
      if (!child) continue;
      const std::uint64_t before = child->count;
      const std::uint64_t begin = i * span;
      TruncateIn(file, child, height - 1, first > begin ? first - begin : 0);
      node->count += (child ? child->count : 0);
      node->count -= before;
    }
  }
  if (node->count == 0) node.reset();
}

// Walks two trees of the same height together; equal pointers mean equal content.
bool DiffIn(const BlockNode* a, const BlockNode* b, unsigned height, std::uint64_t begin, std::uint64_t from,
            const BlockTree::Visit& visit) {
  if (a == b) return true;
  const std::uint64_t span = SpanOfChild(height);
  for (unsigned i = 0; i < kWays; ++i) {
    const std::uint64_t at = begin + i * span;
    if (at + span <= from) continue;
    if (height == 1) {
      const Slot was = a ? a->slots[i] : 0;
      const Slot is = b ? b->slots[i] : 0;
      if (was != is && !visit(at, is)) return false;
    } else if (!DiffIn(a ? a->children[i].get() : nullptr, b ? b->children[i].get() : nullptr, height - 1, at, from,
                       visit)) {
      return false;
    }
  }
  return true;
}

}  // namespace

BlockNode::BlockNode(BlockFile* block_file, bool is_leaf) : file(block_file), leaf(is_leaf) {
  if (leaf) {
    slots = std::make_unique<Slot[]>(kWays);
  } else {
    children = std::make_unique<BlockNodePtr[]>(kWays);
  }
}

BlockNode::~BlockNode() {
  if (!leaf) return;
  for (unsigned i = 0; i < kWays; ++i) file->Unref(slots[i]);
}

void BlockTree::Grow(std::uint64_t index) {
  if (height_ == 0) height_ = 1;
  while (!Covers(height_, index)) {
    if (root_) {
      auto parent = std::make_shared<BlockNode>(file_, false);
      parent->count = root_->count;
      parent->children[0] = std::move(root_);
      root_ = std::move(parent);
    }
    ++height_;
  }
}

Slot BlockTree::Get(std::uint64_t index) const {
  if (!root_ || !Covers(height_, index)) return 0;
  const BlockNode* node = root_.get();
  for (unsigned height = height_; height > 1; --height) {
    const std::uint64_t span = SpanOfChild(height);
    node = node->children[index / span].get();
    if (node == nullptr) return 0;
    index %= span;
  }
  return node->slots[index];
}

void BlockTree::Set(std::uint64_t index, Slot slot) {
  if (slot == 0 && (!root_ || !Covers(height_, index))) return;
  Grow(index);
  SetIn(file_, root_, height_, index, slot);
}

void BlockTree::Truncate(std::uint64_t first) {
  if (root_ && Covers(height_, first)) TruncateIn(file_, root_, height_, first);
}

std::uint64_t BlockTree::blocks() const {
  return root_ ? root_->count : 0;
}

void BlockTree::ForEach(std::uint64_t from, const Visit& visit) const {
  Diff(BlockTree(file_), *this, from, [&](std::uint64_t index, Slot slot) { return slot == 0 || visit(index, slot); });
}

void BlockTree::Diff(const BlockTree& base, const BlockTree& to, std::uint64_t from, const Visit& visit) {
  BlockTree a = base;
  BlockTree b = to;
  // Bring both to the same height; growing shares the old root and changes neither original.
  while (a.height_ != b.height_) {
    BlockTree& lower = a.height_ < b.height_ ? a : b;
    if (lower.height_ == 0) {
      lower.height_ = (&lower == &a ? b : a).height_;
      continue;
    }
    lower.Grow(std::uint64_t{1} << (kBits * lower.height_));
  }
  if (a.height_ == 0) return;
  DiffIn(a.root_.get(), b.root_.get(), a.height_, 0, from, visit);
}

}  // namespace protector::fasim
