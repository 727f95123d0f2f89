#include "simulators/flasharray/control/data_plane.h"

#include <fmt/format.h>

#include <algorithm>

#include "simulators/flasharray/model/host_ops.h"

namespace protector::fasim {
namespace {

constexpr std::uint64_t kLongestRead = std::uint64_t{64} << 20;

Table<Volume>::Ptr FindSerial(Tx& tx, const std::string& serial) {
  for (const auto& volume : tx.tables().volumes.Where("serial:" + Upper(serial))) {
    if (!volume->destroyed) return volume;
  }
  return nullptr;
}

// Why this array does not take writes for the pod now; empty when it does.
Refusal PodRefusal(Tx& tx, const std::string& pod_id, bool writing) {
  const auto pod = tx.tables().pods.Find(pod_id);
  if (!pod) return {};
  if (writing && pod->promotion_status != "promoted") {
    return {"read-only", fmt::format("pod {} is {}", pod->name, pod->promotion_status)};
  }
  if (pod->arrays.size() < 2) return {};
  for (const PodArray& array : pod->arrays) {
    if (array.id != tx.array().array_id) continue;
    const std::string& status = array.forced_status.empty() ? array.status : array.forced_status;
    if (status != "online") return {"read-only", fmt::format("pod {} is {} on this array", pod->name, status)};
  }
  return {};
}

Refusal RangeRefusal(const Volume& volume, std::uint64_t offset, std::uint64_t length) {
  if (offset <= volume.provisioned && length <= volume.provisioned - offset) return {};
  return {"out-of-range", fmt::format("{} has {} bytes", volume.name, volume.provisioned)};
}

Refusal AccessRefusal(Tx& tx, const Table<Volume>::Ptr& volume, const std::string& initiator,
                      const std::string& serial) {
  if (!volume) return {"no-such-volume", "no volume has the serial " + serial};
  if (!InitiatorSees(tx, initiator, volume->id)) {
    return {"not-connected", fmt::format("{} is not connected to {}", initiator, volume->name)};
  }
  return {};
}

}  // namespace

std::vector<Refusal> DataPlane::Write(const std::vector<WriteItem>& items) {
  std::vector<Refusal> results;
  std::vector<std::string> pods;
  std::vector<std::string> pod_of;  // of each item, when it is stretched
  {
    Tx tx(db_);
    for (const WriteItem& item : items) {
      const auto volume = FindSerial(tx, item.serial);
      Refusal refusal = AccessRefusal(tx, volume, item.initiator, item.serial);
      if (!refusal) refusal = RangeRefusal(*volume, item.offset, item.bytes.size());
      if (!refusal) refusal = PodRefusal(tx, volume->pod_id, true);
      if (!refusal) {
        tx.images().Write(volume->image, item.offset, item.bytes.data(), item.bytes.size());
        const auto pod = tx.tables().pods.Find(volume->pod_id);
        if (pod && pod->arrays.size() > 1) pods.push_back(pod->id);
        pod_of.resize(results.size());
        pod_of.push_back(pod && pod->arrays.size() > 1 ? pod->id : "");
      }
      results.push_back(std::move(refusal));
      pod_of.resize(results.size());
    }
    tx.Commit();
  }
  std::sort(pods.begin(), pods.end());
  pods.erase(std::unique(pods.begin(), pods.end()), pods.end());
  for (const std::string& pod : pods) {
    if (!on_pod_write_ || on_pod_write_({pod})) continue;
    // Written here, but the other array is the one that goes on: this copy will be replaced, so it was not written.
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (pod_of[i] == pod) results[i] = {"read-only", "the pod went offline on this array"};
    }
  }
  return results;
}

Refusal DataPlane::Read(const std::string& initiator, const std::string& serial, std::uint64_t offset,
                        std::uint64_t length, std::string* bytes) {
  Tx tx(db_);
  const auto volume = FindSerial(tx, serial);
  Refusal refusal = AccessRefusal(tx, volume, initiator, serial);
  if (!refusal) refusal = RangeRefusal(*volume, offset, length);
  if (!refusal) refusal = PodRefusal(tx, volume->pod_id, false);
  if (!refusal && length > kLongestRead) refusal = {"out-of-range", "at most 64 MiB at a time"};
  if (refusal) return refusal;
  bytes->resize(length);
  tx.images().Read(volume->image, offset, bytes->data(), length);
  return {};
}

Refusal DataPlane::ReadByName(const std::string& name, std::uint64_t offset, std::uint64_t length, std::string* bytes) {
  Tx tx(db_);
  const auto volume = tx.tables().volumes.ByName(name);
  const auto snapshot = tx.tables().snapshots.ByName(name);
  if (!volume && !snapshot) return {"no-such-volume", "nothing is called " + name};
  const std::uint64_t size = volume ? volume->provisioned : snapshot->provisioned;
  if (offset > size || length > size - offset || length > kLongestRead) {
    return {"out-of-range", fmt::format("{} has {} bytes; at most 64 MiB at a time", name, size)};
  }
  bytes->resize(length);
  tx.images().Read(volume ? volume->image : snapshot->image, offset, bytes->data(), length);
  return {};
}

Refusal DataPlane::Checksum(const std::string& name, Json* out) {
  Tx tx(db_);
  const auto volume = tx.tables().volumes.ByName(name);
  const auto snapshot = tx.tables().snapshots.ByName(name);
  if (!volume && !snapshot) return {"no-such-volume", "nothing is called " + name};
  const ImageId image = volume ? volume->image : snapshot->image;
  *out = {{"sha256", tx.images().Checksum(image)},
          {"allocated_bytes", tx.images().AllocatedBytes(image)},
          {"provisioned", volume ? volume->provisioned : snapshot->provisioned}};
  return {};
}

}  // namespace protector::fasim
