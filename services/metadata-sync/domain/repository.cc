#include "services/metadata-sync/domain/repository.h"

#include <fmt/format.h>

#include "libs/base/error.h"
#include "services/metadata-sync/domain/errors.h"

namespace protector::metadata_sync {
namespace {

const failpoint::Site kSaveSync("metadata-save-sync", &store::LostWrite);
const failpoint::Site kWriteInDoubt("metadata-write-in-doubt", &store::LostWrite);
const failpoint::Site kDropInDoubt("metadata-drop-in-doubt", &store::LostWrite);
const failpoint::Site kAdvance("metadata-advance", &store::LostWrite);
const failpoint::Site kMarkPeerHas("metadata-mark-peer-has", &store::LostWrite);

constexpr char kGroups[] = "groups";
constexpr char kVersions[] = "versions";
constexpr char kContents[] = "contents";
constexpr char kInDoubt[] = "in_doubt";
constexpr char kNames[] = "names";
constexpr char kSync[] = "sync";
constexpr char kRequests[] = "requests";

// Ten digits keep byte order and number order the same.
std::string VersionPrefix(const std::string& group, int64_t version) {
  return fmt::format("{}/{:010}/", group, version);
}
std::string VersionKey(const pb::Version& version) {
  return VersionPrefix(version.group_id(), version.version()) + version.hash();
}
std::string NameKey(const std::string& project, const std::string& name) {
  return project + "/" + name;
}

template <typename Message>
absl::StatusOr<Message> Parse(const store::Record& record, const char* bucket) {
  Message message;
  if (message.ParseFromString(record.value)) return message;
  const std::string object = fmt::format("record {}/{}", bucket, record.key);
  return Error(absl::StatusCode::kDataLoss, "STORE_CORRUPTED", object + " cannot be read")
      .Object(object)
      .Remedy("Put back the newest backup of this site's database.");
}

pb::Version WithoutContent(const pb::Version& version) {
  pb::Version bare = version;
  bare.clear_content();
  return bare;
}

}  // namespace

absl::StatusOr<StoredHead> Repository::Head(const std::string& group) {
  StoredHead stored;
  stored.head.set_group_id(group);
  const absl::StatusOr<store::Record> record = store_.Get(kGroups, group);
  if (absl::IsNotFound(record.status())) return stored;
  PROTECTOR_RETURN_IF_ERROR(record.status());
  PROTECTOR_ASSIGN_OR_RETURN(stored.head, Parse<pb::Head>(*record, kGroups));
  stored.record = record->version;
  return stored;
}

absl::StatusOr<std::vector<pb::Head>> Repository::Heads() {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kGroups));
  std::vector<pb::Head> heads;
  for (const store::Record& record : records) {
    PROTECTOR_ASSIGN_OR_RETURN(pb::Head head, Parse<pb::Head>(record, kGroups));
    heads.push_back(std::move(head));
  }
  return heads;
}

absl::StatusOr<std::string> Repository::FindByName(const std::string& project, const std::string& name) {
  if (!project.empty()) {
    const absl::StatusOr<store::Record> record = store_.Get(kNames, NameKey(project, name));
    if (absl::IsNotFound(record.status())) return GroupNotFound(name);
    PROTECTOR_RETURN_IF_ERROR(record.status());
    return record->value;
  }
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Head> heads, Heads());
  std::string found;
  for (const pb::Head& head : heads) {
    if (head.deleted() || head.group_name() != name) continue;
    if (!found.empty()) {
      return Invalid("protection group " + name, fmt::format("several projects have a protection group {}", name),
                     "Name the project, or use the group's id.");
    }
    found = head.group_id();
  }
  if (found.empty()) return GroupNotFound(name);
  return found;
}

absl::StatusOr<std::vector<std::string>> Repository::GroupsOf(const std::string& project) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kNames, project + "/"));
  std::vector<std::string> groups;
  for (const store::Record& record : records) groups.push_back(record.value);
  return groups;
}

absl::StatusOr<std::optional<pb::Version>> Repository::OnChain(const std::string& group, int64_t version,
                                                               const std::string& hash) {
  const absl::StatusOr<store::Record> record = store_.Get(kVersions, VersionPrefix(group, version) + hash);
  if (absl::IsNotFound(record.status())) return std::optional<pb::Version>();
  PROTECTOR_RETURN_IF_ERROR(record.status());
  PROTECTOR_ASSIGN_OR_RETURN(const pb::HistoryEntry entry, Parse<pb::HistoryEntry>(*record, kVersions));
  if (entry.superseded()) return std::optional<pb::Version>();
  return std::optional<pb::Version>(entry.version());
}

absl::StatusOr<pb::Version> Repository::Version(const std::string& group, int64_t version) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records,
                             store_.ListAll(kVersions, VersionPrefix(group, version)));
  for (const store::Record& record : records) {
    PROTECTOR_ASSIGN_OR_RETURN(pb::HistoryEntry entry, Parse<pb::HistoryEntry>(record, kVersions));
    if (entry.superseded()) continue;
    PROTECTOR_ASSIGN_OR_RETURN(const store::Record content, store_.Get(kContents, record.key));
    pb::Version found = entry.version();
    found.set_content(content.value);
    return found;
  }
  return VersionNotFound(group, version);
}

absl::StatusOr<Document> Repository::DocumentOf(const pb::Version& version) {
  return ParseDocument(version.content(),
                       fmt::format("protection group {} version {}", version.group_id(), version.version()));
}

absl::StatusOr<std::vector<pb::HistoryEntry>> Repository::History(const std::string& group) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kVersions, group + "/"));
  std::vector<pb::HistoryEntry> history;
  for (const store::Record& record : records) {
    PROTECTOR_ASSIGN_OR_RETURN(pb::HistoryEntry entry, Parse<pb::HistoryEntry>(record, kVersions));
    history.push_back(std::move(entry));
  }
  return history;
}

absl::StatusOr<std::vector<pb::Version>> Repository::After(const std::string& group, int64_t after, int limit) {
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead stored, Head(group));
  std::vector<pb::Version> versions;
  for (int64_t number = after + 1; number <= stored.head.version() && static_cast<int>(versions.size()) < limit;
       ++number) {
    PROTECTOR_ASSIGN_OR_RETURN(pb::Version version, Version(group, number));
    versions.push_back(std::move(version));
  }
  return versions;
}

absl::StatusOr<std::optional<pb::Version>> Repository::InDoubt(const std::string& group) {
  const absl::StatusOr<store::Record> record = store_.Get(kInDoubt, group);
  if (absl::IsNotFound(record.status())) return std::optional<pb::Version>();
  PROTECTOR_RETURN_IF_ERROR(record.status());
  PROTECTOR_ASSIGN_OR_RETURN(pb::Version version, Parse<pb::Version>(*record, kInDoubt));
  return std::optional<pb::Version>(std::move(version));
}

absl::StatusOr<std::vector<std::string>> Repository::GroupsInDoubt() {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kInDoubt));
  std::vector<std::string> groups;
  for (const store::Record& record : records) groups.push_back(record.key);
  return groups;
}

absl::StatusOr<std::optional<pb::Version>> Repository::Requested(const std::string& request_id) {
  if (request_id.empty()) return std::optional<pb::Version>();
  const absl::StatusOr<store::Record> record = store_.Get(kRequests, request_id);
  if (absl::IsNotFound(record.status())) return std::optional<pb::Version>();
  PROTECTOR_RETURN_IF_ERROR(record.status());
  PROTECTOR_ASSIGN_OR_RETURN(const pb::Version version, Parse<pb::Version>(*record, kRequests));
  return OnChain(version.group_id(), version.version(), version.hash());
}

absl::StatusOr<int> Repository::ForgetRequestsBefore(absl::Time time) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kRequests));
  store::Batch batch;
  for (const store::Record& record : records) {
    PROTECTOR_ASSIGN_OR_RETURN(const pb::Version version, Parse<pb::Version>(record, kRequests));
    if (version.commit_time().seconds() < absl::ToUnixSeconds(time)) batch.Delete(kRequests, record.key);
  }
  if (!batch.empty()) PROTECTOR_RETURN_IF_ERROR(store_.Transaction(batch).status());
  return static_cast<int>(batch.writes().size());
}

absl::StatusOr<pb::SyncStatus> Repository::Sync(const std::string& group) {
  pb::SyncStatus status;
  const absl::StatusOr<store::Record> record = store_.Get(kSync, group);
  if (record.ok()) {
    PROTECTOR_ASSIGN_OR_RETURN(status, Parse<pb::SyncStatus>(*record, kSync));
  } else if (!absl::IsNotFound(record.status())) {
    return record.status();
  }
  status.set_group_id(group);
  status.set_local_site(sites_.local);
  status.set_remote_site(sites_.peer);
  return status;
}

absl::Status Repository::SaveSync(const pb::SyncStatus& status) {
  const auto batch = store::Batch().Put(kSync, status.group_id(), status.SerializeAsString());
  return failpoint::Around(kSaveSync, [&] { return store_.Transaction(batch).status(); });
}

absl::Status Repository::WriteInDoubt(const StoredHead& head, const pb::Version& version,
                                      const std::string& request_id) {
  store::Batch batch;
  batch.Check(kGroups, version.group_id(), head.record);
  batch.Put(kInDoubt, version.group_id(), version.SerializeAsString(), store::kAbsent);
  if (!request_id.empty()) batch.Put(kRequests, request_id, WithoutContent(version).SerializeAsString());
  return failpoint::Around(kWriteInDoubt, [&] { return store_.Transaction(batch).status(); });
}

absl::Status Repository::DropInDoubt(const std::string& group) {
  return failpoint::Around(kDropInDoubt, [&] { return store_.Delete(kInDoubt, group); });
}

absl::Status Repository::AddNameChange(const StoredHead& head, const NewHead& next, store::Batch& batch) {
  const std::string& group = next.version.group_id();
  const std::string project = next.document.projects().at(sites_.local);
  const std::string key = NameKey(project, next.document.name());
  const absl::StatusOr<store::Record> owner = store_.Get(kNames, key);
  if (!owner.ok() && !absl::IsNotFound(owner.status())) return owner.status();
  const bool mine = owner.ok() && owner->value == group;
  if (head.head.version() > 0 && head.head.group_name() != next.document.name()) {
    batch.Delete(kNames, NameKey(project, head.head.group_name()));
  }
  if (next.document.deleted()) {
    if (mine) batch.Delete(kNames, key);
  } else if (!owner.ok()) {
    batch.Put(kNames, key, group, store::kAbsent);
  } else if (!mine) {
    return NameTaken(next.document.name(), project);
  }
  return absl::OkStatus();
}

absl::Status Repository::AddSuperseded(const std::string& group, int64_t after, store::Batch& batch) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::HistoryEntry> history, History(group));
  for (pb::HistoryEntry entry : history) {
    if (entry.version().version() <= after || entry.superseded()) continue;
    entry.set_superseded(true);
    batch.Put(kVersions, VersionKey(entry.version()), entry.SerializeAsString());
  }
  return absl::OkStatus();
}

absl::Status Repository::Advance(const StoredHead& head, const NewHead& next) {
  const std::string& group = next.version.group_id();
  store::Batch batch;
  PROTECTOR_RETURN_IF_ERROR(AddNameChange(head, next, batch));
  if (next.supersede_after >= 0) PROTECTOR_RETURN_IF_ERROR(AddSuperseded(group, next.supersede_after, batch));
  pb::HistoryEntry entry;
  *entry.mutable_version() = WithoutContent(next.version);
  entry.set_peer_has_it(next.peer_has_it);
  entry.set_size(static_cast<int64_t>(next.version.content().size()));
  batch.Put(kVersions, VersionKey(next.version), entry.SerializeAsString());
  batch.Put(kContents, VersionKey(next.version), next.version.content());
  batch.Put(kGroups, group, HeadOf(next.version, next.document).SerializeAsString(), head.record);
  batch.Delete(kInDoubt, group);
  if (!next.request_id.empty()) {
    batch.Put(kRequests, next.request_id, WithoutContent(next.version).SerializeAsString());
  }
  if (next.sync.has_value()) batch.Put(kSync, group, next.sync->SerializeAsString());
  return failpoint::Around(kAdvance, [&] { return store_.Transaction(batch).status(); });
}

absl::Status Repository::MarkPeerHas(const std::string& group, const std::vector<pb::Version>& versions) {
  store::Batch batch;
  for (const pb::Version& version : versions) {
    const absl::StatusOr<store::Record> record = store_.Get(kVersions, VersionKey(version));
    if (!record.ok()) continue;
    PROTECTOR_ASSIGN_OR_RETURN(pb::HistoryEntry entry, Parse<pb::HistoryEntry>(*record, kVersions));
    if (entry.peer_has_it()) continue;
    entry.set_peer_has_it(true);
    batch.Put(kVersions, record->key, entry.SerializeAsString(), record->version);
  }
  if (batch.empty()) return absl::OkStatus();
  return Annotate(failpoint::Around(kMarkPeerHas, [&] { return store_.Transaction(batch).status(); }),
                  "protection group " + group);
}

}  // namespace protector::metadata_sync
