// The array's memory on disk: an append-only journal of committed changes and, now and then, a checkpoint of
// everything.
//
// Each record is length, checksum, payload; a torn tail (the process died while writing it) is cut off at start. A
// checkpoint of generation G+1 is written aside and renamed into place; journal G+1 then starts empty, so at every
// instant one complete pair exists.
//
// Threads: the array's lock. Ownership: owns its file descriptors. Failure: I/O errors throw std::runtime_error.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace protector::fasim {

class Journal {
 public:
  // An empty directory name keeps nothing.
  Journal(std::string directory, bool sync);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  bool durable() const { return !directory_.empty(); }
  // Gives the checkpoint (if there is one), then each committed record in order.
  void Recover(const std::function<void(const std::string&)>& checkpoint,
               const std::function<void(const std::string&)>& record);
  void Append(const std::string& payload);
  void WriteCheckpoint(const std::string& payload);
  bool WantsCheckpoint() const;
  std::string BlockFilePath() const;

 private:
  std::string PathOf(std::uint64_t generation) const;
  void OpenForAppend(bool truncate);

  std::string directory_;
  bool sync_;
  int fd_ = -1;
  int lock_fd_ = -1;
  std::uint64_t generation_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t checkpoint_size_ = 0;
};

}  // namespace protector::fasim
