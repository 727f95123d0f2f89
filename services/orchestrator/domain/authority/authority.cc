#include "services/orchestrator/domain/authority/authority.h"

#include <fmt/format.h>

#include <charconv>

#include "libs/base/error.h"

namespace protector::orchestrator {
namespace {

const failpoint::Site kLearn("epoch-learn", &store::LostWrite);

constexpr char kBucket[] = "epochs";

struct Stored {
  int64_t epoch = 0;
  int64_t version = store::kAbsent;
};

absl::StatusOr<Stored> Read(store::Store& store, const std::string& group_id) {
  const auto record = store.Get(kBucket, group_id);
  if (record.status().code() == absl::StatusCode::kNotFound) return Stored{};
  PROTECTOR_RETURN_IF_ERROR(record.status());
  Stored stored{0, record->version};
  std::from_chars(record->value.data(), record->value.data() + record->value.size(), stored.epoch);
  return stored;
}

absl::Status Stale(const std::string& group_id, int64_t given, int64_t known, const std::string& site) {
  return Error(absl::StatusCode::kAborted, "STALE_EPOCH",
               fmt::format("epoch {} of group {} is over: {} has confirmed epoch {}", given, group_id, site, known))
      .Object("protection group " + group_id)
      .Remedy("The group has moved since. Look at it on the other site: `protector protection-group sync-status`.");
}

}  // namespace

absl::StatusOr<int64_t> EpochGuard::Known(const std::string& group_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const Stored stored, Read(store_, group_id));
  return stored.epoch;
}

absl::Status EpochGuard::Learn(const std::string& group_id, int64_t epoch) {
  // Two writers of the same group meet rarely; the loser looks again.
  for (;;) {
    PROTECTOR_ASSIGN_OR_RETURN(const Stored stored, Read(store_, group_id));
    if (stored.epoch >= epoch) return absl::OkStatus();
    const auto written = failpoint::Around(
        kLearn, [&] { return store_.PutIfVersion(kBucket, group_id, std::to_string(epoch), stored.version); });
    if (written.ok()) return absl::OkStatus();
    if (written.status().code() != absl::StatusCode::kAborted) return written.status();
  }
}

absl::Status EpochGuard::Admit(const storage::Authority& authority) {
  if (authority.group_id().empty() || authority.epoch() <= 0) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "a change needs a group and its epoch")
        .Remedy("This is a fault of the calling program.");
  }
  PROTECTOR_ASSIGN_OR_RETURN(const Stored stored, Read(store_, authority.group_id()));
  if (authority.epoch() < stored.epoch) return Stale(authority.group_id(), authority.epoch(), stored.epoch, site_);
  return authority.epoch() == stored.epoch ? absl::OkStatus() : Learn(authority.group_id(), authority.epoch());
}

}  // namespace protector::orchestrator
