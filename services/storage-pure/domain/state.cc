#include "services/storage-pure/domain/state.h"

#include <fmt/format.h>

#include "libs/base/error.h"

namespace protector::storage {
namespace {

const failpoint::Site kRaiseEpoch("state-raise-epoch", &store::LostWrite);
const failpoint::Site kSaveProtection("state-save-protection", &store::LostWrite);
const failpoint::Site kForgetProtection("state-forget-protection", &store::LostWrite);
const failpoint::Site kSavePairs("state-save-pairs", &store::LostWrite);
const failpoint::Site kSaveClones("state-save-clones", &store::LostWrite);
const failpoint::Site kSaveFence("state-save-fence", &store::LostWrite);
const failpoint::Site kForgetFence("state-forget-fence", &store::LostWrite);
const failpoint::Site kSavePoint("state-save-point", &store::LostWrite);

constexpr char kEpochs[] = "epochs";
constexpr char kProtections[] = "protections";
constexpr char kPairs[] = "pairs";
constexpr char kSerials[] = "serials";
constexpr char kClones[] = "clones";
constexpr char kFences[] = "fences";
constexpr char kPoints[] = "points";

json::Value Encode(const DiskKey& disk) {
  return json::Value::Object({{"group", disk.group_id}, {"member", disk.member_id}, {"index", disk.index}});
}

DiskKey DecodeDisk(const json::Value& value) {
  return {value.GetStringOr("group", ""), value.GetStringOr("member", ""),
          static_cast<int32_t>(value.GetIntOr("index", 0))};
}

json::Value Encode(const ProtectionRecord& r) {
  return json::Value::Object({{"group", r.group_id},
                              {"pod", r.pod},
                              {"source_array", r.source_array},
                              {"source_name", r.source_name},
                              {"peer_pod", r.peer_pod},
                              {"retired", r.retired},
                              {"epoch", r.epoch},
                              {"stale", r.stale}});
}

ProtectionRecord DecodeProtection(const std::string& name, const json::Value& v) {
  return {.name = name,
          .group_id = v.GetStringOr("group", ""),
          .pod = v.GetBoolOr("pod", false),
          .source_array = v.GetStringOr("source_array", ""),
          .source_name = v.GetStringOr("source_name", ""),
          .peer_pod = v.GetStringOr("peer_pod", ""),
          .retired = v.GetBoolOr("retired", false),
          .epoch = v.GetIntOr("epoch", 0),
          .stale = v.GetStrings("stale")};
}

json::Value Encode(const CloneRecord& r) {
  json::Value value = Encode(r.disk);
  value.Set("operation", r.operation_id).Set("name", r.name).Set("source", r.source);
  value.Set("source_serial", r.source_serial).Set("volume_id", r.volume_id).Set("serial", r.serial);
  return value.Set("tagged", r.tagged);
}

CloneRecord DecodeClone(const json::Value& v) {
  return {.disk = DecodeDisk(v),
          .operation_id = v.GetStringOr("operation", ""),
          .name = v.GetStringOr("name", ""),
          .source = v.GetStringOr("source", ""),
          .source_serial = v.GetStringOr("source_serial", ""),
          .volume_id = v.GetStringOr("volume_id", ""),
          .serial = v.GetStringOr("serial", ""),
          .tagged = v.GetBoolOr("tagged", false)};
}

std::string CloneKey(const DiskKey& disk, const std::string& operation_id) {
  return disk.Text() + "/" + operation_id;
}

std::string FenceKey(const std::string& group_id, const std::string& serial) {
  return group_id + "/" + serial;
}

}  // namespace

std::string DiskKey::Text() const {
  return fmt::format("{}/{}/{}", group_id, member_id, index);
}

absl::StatusOr<std::optional<json::Value>> State::Read(const std::string& bucket, const std::string& key) {
  const absl::StatusOr<store::Record> record = store_.Get(bucket, key);
  if (record.status().code() == absl::StatusCode::kNotFound) return std::optional<json::Value>();
  if (!record.ok()) return record.status();
  absl::StatusOr<json::Value> value = json::Parse(record->value);
  if (!value.ok()) return absl::DataLossError(fmt::format("record {}/{} of the store cannot be read", bucket, key));
  return std::optional<json::Value>(*std::move(value));
}

absl::Status State::Write(const failpoint::Site& site, const std::string& bucket, const std::string& key,
                          const json::Value& value) {
  return failpoint::Around(site,
                           [&] { return store_.Transaction(store::Batch().Put(bucket, key, value.Dump())).status(); });
}

absl::StatusOr<int64_t> State::Epoch(const std::string& group_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<json::Value> value, Read(kEpochs, group_id));
  return value ? value->GetIntOr("epoch", 0) : 0;
}

absl::Status State::RaiseEpoch(const std::string& group_id, int64_t from, int64_t to) {
  int64_t expected = store::kAbsent;
  if (from > 0) {
    PROTECTOR_ASSIGN_OR_RETURN(const store::Record record, store_.Get(kEpochs, group_id));
    expected = record.version;
  }
  const std::string value = json::Value::Object({{"epoch", to}}).Dump();
  const auto batch = store::Batch().Put(kEpochs, group_id, value, expected);
  return failpoint::Around(kRaiseEpoch, [&] { return store_.Transaction(batch).status(); });
}

absl::StatusOr<std::optional<ProtectionRecord>> State::Protection(const std::string& name) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<json::Value> value, Read(kProtections, name));
  if (!value) return std::optional<ProtectionRecord>();
  return std::optional(DecodeProtection(name, *value));
}

absl::Status State::SaveProtection(const ProtectionRecord& record) {
  return Write(kSaveProtection, kProtections, record.name, Encode(record));
}

absl::Status State::ForgetProtection(const std::string& name) {
  return failpoint::Around(kForgetProtection, [&] { return store_.Delete(kProtections, name); });
}

absl::StatusOr<std::vector<ProtectionRecord>> State::Protections() {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kProtections));
  std::vector<ProtectionRecord> protections;
  for (const store::Record& record : records) {
    PROTECTOR_ASSIGN_OR_RETURN(const json::Value value, json::Parse(record.value));
    protections.push_back(DecodeProtection(record.key, value));
  }
  return protections;
}

absl::Status State::SavePairs(const std::vector<std::pair<DiskKey, std::map<std::string, std::string>>>& pairs) {
  store::Batch batch;
  for (const auto& [disk, serials] : pairs) {
    PROTECTOR_ASSIGN_OR_RETURN(auto known, Pair(disk));
    bool changed = false;
    for (const auto& [array, serial] : serials) {
      if (serial.empty() || known[array] == serial) continue;
      known[array] = serial;
      batch.Put(kSerials, serial, Encode(disk).Dump());
      changed = true;
    }
    if (changed) batch.Put(kPairs, disk.Text(), json::Value(known).Dump());
  }
  if (batch.empty()) return absl::OkStatus();
  return failpoint::Around(kSavePairs, [&] { return store_.Transaction(batch).status(); });
}

absl::StatusOr<std::map<std::string, std::string>> State::Pair(const DiskKey& disk) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<json::Value> value, Read(kPairs, disk.Text()));
  std::map<std::string, std::string> serials;
  if (!value) return serials;
  for (const auto& [array, serial] : value->members()) serials[array] = serial.AsString().value_or("");
  return serials;
}

absl::StatusOr<std::optional<DiskKey>> State::DiskOf(const std::string& serial) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<json::Value> value, Read(kSerials, serial));
  return value ? std::optional(DecodeDisk(*value)) : std::optional<DiskKey>();
}

absl::StatusOr<std::optional<CloneRecord>> State::Clone(const DiskKey& disk, const std::string& operation_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<json::Value> value, Read(kClones, CloneKey(disk, operation_id)));
  return value ? std::optional(DecodeClone(*value)) : std::optional<CloneRecord>();
}

absl::Status State::SaveClones(const std::vector<CloneRecord>& records) {
  if (records.empty()) return absl::OkStatus();
  store::Batch batch;
  for (const CloneRecord& record : records) {
    batch.Put(kClones, CloneKey(record.disk, record.operation_id), Encode(record).Dump());
  }
  return failpoint::Around(kSaveClones, [&] { return store_.Transaction(batch).status(); });
}

absl::Status State::SaveFence(const std::string& group_id, const std::string& serial,
                              const std::vector<std::string>& removed) {
  return Write(kSaveFence, kFences, FenceKey(group_id, serial), json::Value::Object({{"removed", removed}}));
}

absl::StatusOr<std::vector<std::string>> State::Fence(const std::string& group_id, const std::string& serial) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<json::Value> value, Read(kFences, FenceKey(group_id, serial)));
  return value ? value->GetStrings("removed") : std::vector<std::string>();
}

absl::Status State::ForgetFence(const std::string& group_id, const std::string& serial) {
  return failpoint::Around(kForgetFence, [&] { return store_.Delete(kFences, FenceKey(group_id, serial)); });
}

absl::StatusOr<std::optional<std::string>> State::Point(const std::string& key) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::optional<json::Value> value, Read(kPoints, key));
  return value ? std::optional(value->GetStringOr("point", "")) : std::optional<std::string>();
}

absl::Status State::SavePoint(const std::string& key, const std::string& point) {
  return Write(kSavePoint, kPoints, key, json::Value::Object({{"point", point}}));
}

}  // namespace protector::storage
