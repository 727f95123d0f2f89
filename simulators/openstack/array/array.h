// The storage array as Cinder's driver and the guests see it. Two kinds: a FlashArray over REST, and one in memory.
// Threads: any; calls block, so nobody holds the site's lock. Failure: absl::Status; NotFound, AlreadyExists,
// FailedPrecondition carry the array's own text, Unavailable means that the outcome is not known.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace protector::ossim {

struct Config;
class Store;

struct ArrayVolume {
  std::string name, serial;
  int64_t bytes = 0;
  int64_t connections = 0;
  bool destroyed = false;
};

struct BlockWrite {
  std::string initiator, serial;
  int64_t offset = 0;
  std::string data;
};

class Array {
 public:
  virtual ~Array() = default;

  // Control plane.
  virtual absl::StatusOr<ArrayVolume> GetVolume(const std::string& name) = 0;
  virtual absl::StatusOr<std::vector<ArrayVolume>> ListVolumes() = 0;
  virtual absl::Status CreateVolume(const std::string& name, int64_t bytes) = 0;
  virtual absl::Status CloneVolume(const std::string& name, const std::string& source) = 0;
  virtual absl::Status RenameVolume(const std::string& name, const std::string& new_name) = 0;
  virtual absl::Status ResizeVolume(const std::string& name, int64_t bytes) = 0;
  virtual absl::Status DestroyVolume(const std::string& name) = 0;
  virtual absl::Status CreateSnapshot(const std::string& volume, const std::string& suffix) = 0;
  virtual absl::Status DestroySnapshot(const std::string& name) = 0;
  virtual absl::Status AddToGroup(const std::string& group, const std::string& volume) = 0;
  virtual absl::Status InReplicatedPod(const std::string& pod, bool* replicated) = 0;
  virtual absl::Status Connect(const std::string& host, const std::string& initiator, const std::string& volume) = 0;
  virtual absl::Status Disconnect(const std::string& initiator, const std::string& volume) = 0;

  // Data plane. Write answers one status per item; the items are written in order.
  virtual absl::StatusOr<std::string> Read(const std::string& initiator, const std::string& serial, int64_t offset,
                                           int64_t length) = 0;
  virtual std::vector<absl::Status> Write(const std::vector<BlockWrite>& writes) = 0;
};

std::unique_ptr<Array> MakeFlashArray(const Config& config);
std::unique_ptr<Array> MakeMemoryArray(Store& store, const std::string& array_name);

}  // namespace protector::ossim
