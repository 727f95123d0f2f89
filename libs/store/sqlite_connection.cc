#include "libs/store/sqlite_connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "libs/base/error.h"
#include "libs/base/sha256.h"
#include "libs/store/errors.h"

namespace protector::store {
namespace {

constexpr int kBusyTimeoutMs = 5000;  // for a backup that runs; below the deadlines of the calls that wait for it

void BindValue(SQLite::Statement& statement, int index, const std::string& value) {
  statement.bindNoCopy(index, static_cast<const void*>(value.data()), static_cast<int>(value.size()));
}

std::string Bytes(const SQLite::Column& column) {
  const auto* data = static_cast<const char*>(column.getBlob());
  return data == nullptr ? std::string() : std::string(data, static_cast<size_t>(column.getBytes()));
}

// A statement is ready for its next use, however this one ends.
class Reset {
 public:
  explicit Reset(SQLite::Statement& statement) : statement_(statement) {}
  ~Reset() { statement_.tryReset(); }
  Reset(const Reset&) = delete;
  Reset& operator=(const Reset&) = delete;

 private:
  SQLite::Statement& statement_;
};

// Of everything that a record is: SQLite notices pages that cannot be right, not bytes that have become others.
int64_t SumOf(const std::string& bucket, const std::string& key, int64_t version, const std::string& value) {
  return Sha256Short(fmt::format("{}\n{}\n{}\n{}", bucket, key, version, value));
}

// `sum`: of a file from before there were sums it is null.
bool Fits(const std::string& bucket, const Record& record, const SQLite::Column& sum) {
  return sum.isNull() || sum.getInt64() == SumOf(bucket, record.key, record.version, record.value);
}

void RequireFits(const std::string& bucket, const Record& record, const SQLite::Column& sum) {
  if (Fits(bucket, record, sum)) return;
  throw SQLite::Exception(fmt::format("record {}/{} is not as it was written", bucket, record.key), SQLITE_CORRUPT);
}

}  // namespace

absl::Status FromSqlite(const SQLite::Exception& error, const std::string& path) {
  const std::string what = fmt::format("database {}: {}", path, error.what());
  const auto make = [&](absl::StatusCode code, const char* reason, const char* remedy) -> absl::Status {
    return Error(code, reason, what).Object("database " + path).Remedy(remedy);
  };
  switch (error.getErrorCode() & 0xFF) {
    case SQLITE_FULL:
      return make(absl::StatusCode::kResourceExhausted, "STORE_FULL",
                  "Free space on the file system that holds it; nothing of the refused change was written.");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return make(absl::StatusCode::kPermissionDenied, "STORE_READ_ONLY",
                  "Make the file and its directory writable for the service's user and mount the disk read-write.");
    case SQLITE_CANTOPEN:
      return make(absl::StatusCode::kFailedPrecondition, "STORE_UNOPENABLE",
                  "Set store.path to a file in a directory that exists and belongs to the service's user.");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return make(
          absl::StatusCode::kDataLoss, "STORE_CORRUPTED",
          "Stop the service, move the file (with -wal and -shm) aside, put back the newest backup and start again.");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return make(absl::StatusCode::kUnavailable, "STORE_BUSY",
                  "Another program holds the file (a shell, a backup): end it, then try again.");
    default:
      return make(absl::StatusCode::kUnavailable, "STORE_IO_ERROR",
                  "Check the disk and the system's log, then try again.");
  }
}

ReadConnection::ReadConnection(const std::string& path)
    : database_(path, SQLite::OPEN_READONLY, kBusyTimeoutMs),
      get_(database_, "SELECT value, version, sum FROM records WHERE bucket = ? AND key = ?"),
      list_(database_,
            "SELECT key, value, version, sum FROM records WHERE bucket = ? AND key >= ? AND key > ? ORDER BY key") {}

bool ReadConnection::Get(const std::string& bucket, const std::string& key, Record& record) {
  get_.reset();
  get_.bindNoCopy(1, bucket);
  get_.bindNoCopy(2, key);
  const Reset reset(get_);
  if (!get_.executeStep()) return false;
  record = {key, Bytes(get_.getColumn(0)), get_.getColumn(1).getInt64()};
  RequireFits(bucket, record, get_.getColumn(2));
  return true;
}

Page ReadConnection::List(const std::string& bucket, const std::string& prefix, const PageRequest& request) {
  list_.reset();
  list_.bindNoCopy(1, bucket);
  list_.bindNoCopy(2, prefix);
  list_.bindNoCopy(3, request.token);
  Page page;
  const Reset reset(list_);
  while (list_.executeStep()) {
    std::string key = Bytes(list_.getColumn(0));
    if (key.compare(0, prefix.size(), prefix) != 0) break;
    if (page.records.size() == static_cast<size_t>(request.size)) {
      page.next_page_token = page.records.back().key;
      break;
    }
    page.records.push_back({std::move(key), Bytes(list_.getColumn(1)), list_.getColumn(2).getInt64()});
    RequireFits(bucket, page.records.back(), list_.getColumn(3));
  }
  return page;
}

WriteConnection::WriteConnection(const std::string& path, int schema_version)
    : database_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs) {
  database_.exec("PRAGMA journal_mode = WAL");
  database_.exec("PRAGMA synchronous = FULL");
  database_.exec("BEGIN IMMEDIATE");  // a file that cannot be written is found now, not at the first change
  database_.exec("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)");
  database_.exec(
      "CREATE TABLE IF NOT EXISTS records (bucket TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, "
      "version INTEGER NOT NULL, sum INTEGER, PRIMARY KEY (bucket, key))");
  const char* const has_sum = "SELECT count(*) FROM pragma_table_info('records') WHERE name = 'sum'";
  if (database_.execAndGet(has_sum).getInt() == 0) database_.exec("ALTER TABLE records ADD COLUMN sum INTEGER");
  database_.exec(
      "CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, fence INTEGER NOT NULL, "
      "expires_us INTEGER NOT NULL)");
  database_.exec("INSERT OR IGNORE INTO meta VALUES ('revision', 0), ('schema_version', 0)");
  schema_version_ = database_.execAndGet("SELECT value FROM meta WHERE name = 'schema_version'").getInt();
  if (schema_version_ < schema_version) {
    database_.exec(fmt::format("UPDATE meta SET value = {} WHERE name = 'schema_version'", schema_version));
    schema_version_ = schema_version;
  }
  database_.exec("COMMIT");
  revision_ = database_.execAndGet("SELECT value FROM meta WHERE name = 'revision'").getInt64();
  saved_revision_ = revision_;
  const auto prepare = [&](const char* sql) { return std::make_unique<SQLite::Statement>(database_, sql); };
  version_ = prepare("SELECT version FROM records WHERE bucket = ? AND key = ?");
  put_ = prepare(
      "INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET value = ?3, version = ?4, sum = ?5");
  delete_ = prepare("DELETE FROM records WHERE bucket = ? AND key = ?");
  save_revision_ = prepare("UPDATE meta SET value = ? WHERE name = 'revision'");
}

std::string WriteConnection::IntegrityFaults() {
  SQLite::Statement check(database_, "PRAGMA integrity_check(3)");
  std::string faults;
  while (check.executeStep()) faults += (faults.empty() ? "" : "; ") + check.getColumn(0).getString();
  return faults == "ok" ? RecordFaults() : faults;
}

std::string WriteConnection::RecordFaults() {
  SQLite::Statement all(database_, "SELECT bucket, key, value, version, sum FROM records");
  while (all.executeStep()) {
    const std::string bucket = Bytes(all.getColumn(0));
    const Record record{Bytes(all.getColumn(1)), Bytes(all.getColumn(2)), all.getColumn(3).getInt64()};
    if (!Fits(bucket, record, all.getColumn(4)))
      return "a record is not as it was written: " + bucket + "/" + record.key;
  }
  return "";
}

void WriteConnection::Begin() {
  database_.exec("BEGIN IMMEDIATE");
}

void WriteConnection::Commit() {
  if (revision_ != saved_revision_) {
    save_revision_->reset();
    save_revision_->bind(1, revision_);
    save_revision_->exec();
    save_revision_->reset();
  }
  database_.exec("COMMIT");
  saved_revision_ = revision_;
}

void WriteConnection::Rollback() noexcept {
  for (SQLite::Statement* statement : {version_.get(), put_.get(), delete_.get(), save_revision_.get()}) {
    statement->tryReset();
  }
  if (sqlite3_get_autocommit(database_.getHandle()) == 0) database_.tryExec("ROLLBACK");
}

int64_t WriteConnection::VersionOf(const std::string& bucket, const std::string& key) {
  version_->reset();
  version_->bindNoCopy(1, bucket);
  version_->bindNoCopy(2, key);
  const int64_t version = version_->executeStep() ? version_->getColumn(0).getInt64() : kAbsent;
  version_->reset();
  return version;
}

absl::StatusOr<int64_t> WriteConnection::Apply(const Batch& batch) {
  for (const Batch::Write& write : batch.writes()) {
    if (write.expected == kAnyVersion) continue;
    const int64_t actual = VersionOf(write.bucket, write.key);
    if (actual != write.expected) return Mismatch(write, actual);
  }
  const int64_t revision = ++revision_;
  for (const Batch::Write& write : batch.writes()) {
    if (write.kind == Batch::Write::Kind::kCheck) continue;
    const bool put = write.kind == Batch::Write::Kind::kPut;
    SQLite::Statement& statement = put ? *put_ : *delete_;
    statement.reset();
    statement.bindNoCopy(1, write.bucket);
    statement.bindNoCopy(2, write.key);
    if (put) {
      BindValue(statement, 3, write.value);
      statement.bind(4, revision);
      statement.bind(5, SumOf(write.bucket, write.key, revision, write.value));
    }
    statement.exec();
    statement.reset();
  }
  return revision;
}

absl::StatusOr<Lease> WriteConnection::Acquire(const std::string& name, const std::string& owner, absl::Duration ttl,
                                               absl::Time now) {
  Lease lease{name, "", 0, absl::InfinitePast()};
  SQLite::Statement read(database_, "SELECT owner, fence, expires_us FROM leases WHERE name = ?");
  read.bindNoCopy(1, name);
  if (read.executeStep()) {
    lease.owner = read.getColumn(0).getString();
    lease.fence = read.getColumn(1).getInt64();
    lease.expires = absl::FromUnixMicros(read.getColumn(2).getInt64());
  }
  read.reset();
  if (lease.owner != owner) {
    if (!lease.owner.empty() && lease.expires > now) return Held(lease);
    lease.owner = owner;
    ++lease.fence;
  }
  lease.expires = now + ttl;
  SQLite::Statement write(database_,
                          "INSERT INTO leases VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET owner = ?2, "
                          "fence = ?3, expires_us = ?4");
  write.bindNoCopy(1, name);
  write.bindNoCopy(2, owner);
  write.bind(3, lease.fence);
  write.bind(4, absl::ToUnixMicros(lease.expires));
  write.exec();
  return lease;
}

void WriteConnection::Release(const std::string& name, const std::string& owner) {
  SQLite::Statement write(database_, "UPDATE leases SET owner = '' WHERE name = ? AND owner = ?");
  write.bindNoCopy(1, name);
  write.bindNoCopy(2, owner);
  write.exec();
}

}  // namespace protector::store
