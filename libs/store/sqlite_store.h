#pragma once
// The store on SQLite: write-ahead log, synchronous=FULL. Writes of many threads are gathered by one writer thread into
// one durable commit (group commit), so that thousands of small writes a second cost only as many disk flushes as the
// disk gives.
//
// Threads: as Store; one writer thread and a few reading connections inside. Ownership: one process opens a file at a
// time (held by an exclusive lock on `path`.lock). Failure: Open says what is wrong with the file and what to do: not
// writable, disk full, corrupted (integrity check), made by a newer program, in use by another process.

#include <functional>
#include <memory>
#include <string>

#include "libs/base/clock.h"
#include "libs/store/store.h"

namespace protector::store {

struct SqliteOptions {
  std::string path;             // the directory above it must exist or be creatable
  int schema_version = 1;       // of the records' meaning, kept in the file; a greater one found is refused
  bool integrity_check = true;  // at start
  // Told of each durable commit: how many transactions it held and how long it took. For metrics; runs on the writer
  // thread.
  std::function<void(size_t transactions, absl::Duration took)> on_commit = {};
};

// `clock` (for leases) outlives the store.
absl::StatusOr<std::unique_ptr<Store>> OpenSqlite(const SqliteOptions& options, Clock& clock);

}  // namespace protector::store
