#include "simulators/flasharray/store/block_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace protector::fasim {
namespace {

[[noreturn]] void Fail(const char* what) {
  throw std::runtime_error(fmt::format("block file: {}: {}", what, std::strerror(errno)));
}

}  // namespace

BlockFile::BlockFile(const std::string& path) {
  fd_ = path.empty() ? ::memfd_create("flasharray-blocks", MFD_CLOEXEC)
                     : ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) Fail("open");
  refs_.assign(1, 1);  // slot 0 stands for a hole and is never handed out
}

BlockFile::~BlockFile() {
  ::close(fd_);
}

Slot BlockFile::Write(const char* block) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = refs_.size();
    refs_.push_back(0);
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  std::size_t done = 0;
  while (done < kBlockSize) {
    const ssize_t n = ::pwrite(fd_, block + done, kBlockSize - done, static_cast<off_t>(slot * kBlockSize + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) Fail("write");
    done += static_cast<std::size_t>(n);
  }
  refs_[slot] = 1;
  ++used_;
  return slot;
}

void BlockFile::Read(Slot slot, char* block) const {
  std::size_t done = 0;
  while (slot != 0 && done < kBlockSize) {
    const ssize_t n = ::pread(fd_, block + done, kBlockSize - done, static_cast<off_t>(slot * kBlockSize + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) Fail("read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  std::memset(block + done, 0, kBlockSize - done);
}

void BlockFile::Ref(Slot slot) {
  if (slot == 0) return;
  if (slot >= refs_.size()) refs_.resize(slot + 1, 0);
  if (refs_[slot]++ == 0) ++used_;
}

void BlockFile::Unref(Slot slot) {
  if (slot == 0) return;
  if (--refs_[slot] == 0) {
    pending_.push_back(slot);
    --used_;
  }
}

void BlockFile::ReleasePending() {
  free_.insert(free_.end(), pending_.begin(), pending_.end());
  pending_.clear();
}

void BlockFile::RebuildFreeList() {
  pending_.clear();
  free_.clear();
  for (Slot slot = refs_.size(); slot-- > 1;) {
    if (refs_[slot] == 0) free_.push_back(slot);
  }
}

void BlockFile::Sync() const {
  if (::fdatasync(fd_) != 0) Fail("sync");
}

}  // namespace protector::fasim
