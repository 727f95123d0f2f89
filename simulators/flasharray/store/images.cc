#include "simulators/flasharray/store/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "simulators/flasharray/base/text.h"
#include "simulators/flasharray/store/wire.h"

namespace protector::fasim {
namespace {

constexpr char kCreate = 'N', kClone = 'C', kDrop = 'D', kPut = 'W', kTruncate = 'T';
constexpr char kLeaf = 'L', kInner = 'I', kRoot = 'R', kNext = 'X';

bool IsZero(const char* block) {
  return block[0] == 0 && std::memcmp(block, block + 1, kBlockSize - 1) == 0;
}

}  // namespace

BlockTree& ImageStore::At(ImageId image) {
  const auto it = images_.find(image);
  if (it == images_.end()) throw std::runtime_error(fmt::format("no image {}", image));
  return it->second;
}

const BlockTree& ImageStore::At(ImageId image) const {
  return const_cast<ImageStore*>(this)->At(image);
}

ImageId ImageStore::Create() {
  const ImageId id = next_++;
  images_.emplace(id, BlockTree(file_));
  created_.push_back(id);
  PutByte(&log_, kCreate);
  PutNumber(&log_, id);
  return id;
}

ImageId ImageStore::Clone(ImageId from) {
  const BlockTree copy = At(from);
  const ImageId id = next_++;
  images_.emplace(id, copy);
  created_.push_back(id);
  PutByte(&log_, kClone);
  PutNumber(&log_, id);
  PutNumber(&log_, from);
  return id;
}

void ImageStore::Drop(ImageId image) {
  if (image != 0) dropped_.push_back(image);
}

void ImageStore::Put(ImageId image, BlockTree& tree, std::uint64_t index, Slot slot) {
  tree.Set(index, slot);
  PutByte(&log_, kPut);
  PutNumber(&log_, image);
  PutNumber(&log_, index);
  PutNumber(&log_, slot);
}

void ImageStore::Write(ImageId image, std::uint64_t offset, const char* bytes, std::uint64_t length) {
  BlockTree& tree = At(image);
  char block[kBlockSize];
  while (length > 0) {
    const std::uint64_t index = offset / kBlockSize;
    const std::uint64_t within = offset % kBlockSize;
    const std::uint64_t part = std::min(length, kBlockSize - within);
    const char* content = bytes;
    if (part != kBlockSize) {
      file_->Read(tree.Get(index), block);
      std::memcpy(block + within, bytes, part);
      content = block;
    }
    if (!IsZero(content)) {
      Put(image, tree, index, file_->Write(content));
    } else if (tree.Get(index) != 0) {
      Put(image, tree, index, 0);
    }
    offset += part;
    bytes += part;
    length -= part;
  }
}

void ImageStore::Read(ImageId image, std::uint64_t offset, char* bytes, std::uint64_t length) const {
  const BlockTree& tree = At(image);
  char block[kBlockSize];
  while (length > 0) {
    const std::uint64_t within = offset % kBlockSize;
    const std::uint64_t part = std::min(length, kBlockSize - within);
    file_->Read(tree.Get(offset / kBlockSize), part == kBlockSize ? bytes : block);
    if (part != kBlockSize) std::memcpy(bytes, block + within, part);
    offset += part;
    bytes += part;
    length -= part;
  }
}

void ImageStore::TruncateBytes(ImageId image, std::uint64_t bytes) {
  if (bytes % kBlockSize != 0) {
    const std::string zeros(kBlockSize - bytes % kBlockSize, '\0');
    Write(image, bytes, zeros.data(), zeros.size());
  }
  const std::uint64_t first = (bytes + kBlockSize - 1) / kBlockSize;
  At(image).Truncate(first);
  PutByte(&log_, kTruncate);
  PutNumber(&log_, image);
  PutNumber(&log_, first);
}

std::uint64_t ImageStore::AllocatedBytes(ImageId image) const {
  return image == 0 ? 0 : At(image).blocks() * kBlockSize;
}

std::vector<ImageStore::Block> ImageStore::Diff(ImageId base, ImageId to, std::uint64_t from, std::size_t limit) const {
  std::vector<Block> out;
  const BlockTree nothing(file_);
  BlockTree::Diff(base == 0 ? nothing : At(base), At(to), from, [&](std::uint64_t index, Slot slot) {
    if (out.size() >= limit) return false;
    out.push_back({index, slot});
    return true;
  });
  return out;
}

std::uint64_t ImageStore::DiffCount(ImageId base, ImageId to) const {
  if (base == 0) return At(to).blocks();
  std::uint64_t count = 0;
  BlockTree::Diff(At(base), At(to), 0, [&](std::uint64_t, Slot) {
    ++count;
    return true;
  });
  return count;
}

std::string ImageStore::Checksum(ImageId image) const {
  std::string digests;
  char block[kBlockSize];
  At(image).ForEach(0, [&](std::uint64_t index, Slot slot) {
    file_->Read(slot, block);
    PutNumber(&digests, index);
    digests += Sha256Hex(std::string(block, kBlockSize));
    return true;
  });
  return Sha256Hex(digests);
}

void ImageStore::MarkStart() {
  created_.clear();
  dropped_.clear();
  log_start_ = log_.size();
}

void ImageStore::Rollback() {
  for (const ImageId id : created_) images_.erase(id);
  log_.resize(log_start_);
  created_.clear();
  dropped_.clear();
}

std::string ImageStore::TakeLog() {
  for (const ImageId id : dropped_) {
    images_.erase(id);
    PutByte(&log_, kDrop);
    PutNumber(&log_, id);
  }
  created_.clear();
  dropped_.clear();
  log_start_ = 0;
  return std::exchange(log_, {});
}

void ImageStore::Replay(const std::string& log) {
  WireReader reader(log);
  while (!reader.AtEnd()) {
    const char op = reader.Byte();
    const ImageId id = reader.Number();
    next_ = std::max(next_, id + 1);
    if (op == kCreate) {
      images_.insert_or_assign(id, BlockTree(file_));
    } else if (op == kClone) {
      const BlockTree copy = At(reader.Number());
      images_.insert_or_assign(id, copy);
    } else if (op == kDrop) {
      images_.erase(id);
    } else if (op == kTruncate) {
      At(id).Truncate(reader.Number());
    } else if (op == kPut) {
      const std::uint64_t index = reader.Number();
      const Slot slot = reader.Number();
      file_->Ref(slot);
      At(id).Set(index, slot);
    } else {
      throw std::runtime_error("unknown image record");
    }
  }
}

void ImageStore::Serialize(std::string* out) const {
  std::unordered_map<const BlockNode*, std::uint64_t> numbers;
  // Children before parents, each node once however many trees share it.
  const std::function<std::uint64_t(const BlockNode&)> number_of = [&](const BlockNode& node) -> std::uint64_t {
    if (const auto it = numbers.find(&node); it != numbers.end()) return it->second;
    std::string record(1, node.leaf ? kLeaf : kInner);
    std::string body;
    std::uint64_t entries = 0;
    for (unsigned i = 0; i < BlockNode::kWays; ++i) {
      if (node.leaf ? node.slots[i] == 0 : node.children[i] == nullptr) continue;
      PutNumber(&body, i);
      PutNumber(&body, node.leaf ? node.slots[i] : number_of(*node.children[i]));
      ++entries;
    }
    const std::uint64_t number = numbers.size() + 1;
    numbers.emplace(&node, number);
    PutNumber(&record, number);
    PutNumber(&record, entries);
    out->append(record).append(body);
    return number;
  };
  for (const auto& [id, tree] : images_) {
    const std::uint64_t root = tree.root() ? number_of(*tree.root()) : 0;
    PutByte(out, kRoot);
    PutNumber(out, id);
    PutNumber(out, root);
    PutNumber(out, tree.height());
  }
  PutByte(out, kNext);
  PutNumber(out, next_);
}

void ImageStore::Load(const std::string& data) {
  std::unordered_map<std::uint64_t, BlockNodePtr> nodes;
  WireReader reader(data);
  while (!reader.AtEnd()) {
    const char op = reader.Byte();
    const std::uint64_t number = reader.Number();
    if (op == kNext) {
      next_ = number;
    } else if (op == kRoot) {
      const std::uint64_t root = reader.Number();
      BlockTree tree(file_);
      tree.Adopt(root == 0 ? nullptr : nodes.at(root), static_cast<unsigned>(reader.Number()));
      images_.insert_or_assign(number, tree);
    } else if (op == kLeaf || op == kInner) {
      auto node = std::make_shared<BlockNode>(file_, op == kLeaf);
      for (std::uint64_t left = reader.Number(); left > 0; --left) {
        const std::uint64_t at = reader.Number();
        const std::uint64_t value = reader.Number();
        if (node->leaf) {
          file_->Ref(value);
          node->slots[at] = value;
          ++node->count;
        } else {
          node->children[at] = nodes.at(value);
          node->count += node->children[at]->count;
        }
      }
      nodes.emplace(number, std::move(node));
    } else {
      throw std::runtime_error("unknown checkpoint record");
    }
  }
}

}  // namespace protector::fasim
