#pragma once
// One SQLite connection with its prepared statements, and SQLite's errors in the product's words. Internal to
// libs/store.
//
// Threads: used by one thread at a time. Ownership: owns the connection. Failure: methods throw SQLite::Exception;
// callers turn it into a status with FromSqlite.

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

#include "libs/store/store.h"

namespace protector::store {

absl::Status FromSqlite(const SQLite::Exception& error, const std::string& path);

class ReadConnection {
 public:
  explicit ReadConnection(const std::string& path);
  // False when there is no such record.
  bool Get(const std::string& bucket, const std::string& key, Record& record);
  Page List(const std::string& bucket, const std::string& prefix, const PageRequest& page);

 private:
  SQLite::Database database_;
  SQLite::Statement get_;
  SQLite::Statement list_;
};

// Sets journal mode, durability and tables; only the writer does.
class WriteConnection {
 public:
  WriteConnection(const std::string& path, int schema_version);
  // Empty when the file is sound, else what the check found.
  std::string IntegrityFaults();
  // The greatest schema version that a program has written into this file.
  int schema_version() const { return schema_version_; }

  void Begin();
  void Commit();
  void Rollback() noexcept;

  // Checks and writes of one batch inside the open transaction; ABORTED when an expectation fails (nothing was
  // written).
  absl::StatusOr<int64_t> Apply(const Batch& batch);
  absl::StatusOr<Lease> Acquire(const std::string& name, const std::string& owner, absl::Duration ttl, absl::Time now);
  void Release(const std::string& name, const std::string& owner);

 private:
  std::string RecordFaults();
  int64_t VersionOf(const std::string& bucket, const std::string& key);

  SQLite::Database database_;
  int schema_version_ = 0;
  int64_t revision_ = 0;
  int64_t saved_revision_ = 0;
  std::unique_ptr<SQLite::Statement> version_;
  std::unique_ptr<SQLite::Statement> put_;
  std::unique_ptr<SQLite::Statement> delete_;
  std::unique_ptr<SQLite::Statement> save_revision_;
};

}  // namespace protector::store
