#include "libs/store/sqlite_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "libs/base/error.h"
#include "libs/store/errors.h"
#include "libs/store/sqlite_connection.h"

namespace protector::store {
namespace {

constexpr size_t kMaxGroup = 1024;  // transactions in one commit: bounds the latency of the first of them
constexpr size_t kReaders = 4;

// Keeps a second process away from the file for as long as it lives.
class FileLock {
 public:
  static absl::StatusOr<std::unique_ptr<FileLock>> Take(const std::string& path) {
    const int fd = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
      const bool denied = errno == EACCES || errno == EROFS || errno == EPERM;
      return Error(denied ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kFailedPrecondition,
                   denied ? "STORE_READ_ONLY" : "STORE_UNOPENABLE",
                   fmt::format("cannot open {}: {}", path, std::strerror(errno)))
          .Object("database " + path)
          .Remedy(
              "Set store.path to a file in a directory that belongs to the service's user, on a disk mounted "
              "read-write.");
    }
    auto lock = std::unique_ptr<FileLock>(new FileLock(fd));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      return Error(absl::StatusCode::kFailedPrecondition, "STORE_IN_USE",
                   fmt::format("{} is held by another process", path))
          .Object("database " + path)
          .Remedy("Stop the other instance of this service, or give this one a store.path of its own.");
    }
    return lock;
  }
  ~FileLock() { close(fd_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  const int fd_;
};

// What one caller waits for: its work inside the group's transaction, and the verdict.
struct Job {
  std::function<absl::Status(WriteConnection&)> work;
  absl::Status outcome;
  std::promise<absl::Status> done;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(const SqliteOptions& options, Clock& clock, std::unique_ptr<FileLock> lock,
              std::unique_ptr<WriteConnection> writer, std::vector<std::unique_ptr<ReadConnection>> readers)
      : options_(options),
        clock_(clock),
        lock_(std::move(lock)),
        writer_(std::move(writer)),
        readers_(std::move(readers)),
        thread_([this] { Run(); }) {}

  ~SqliteStore() override {
    {
      std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  absl::StatusOr<Record> Get(const std::string& bucket, const std::string& key) override {
    return Reading<Record>([&](ReadConnection& reader) -> absl::StatusOr<Record> {
      Record record;
      if (!reader.Get(bucket, key, record)) return NoRecord(bucket, key);
      return record;
    });
  }

  absl::StatusOr<Page> List(const std::string& bucket, const std::string& prefix, const PageRequest& page) override {
    return Reading<Page>(
        [&](ReadConnection& reader) -> absl::StatusOr<Page> { return reader.List(bucket, prefix, page); });
  }

  absl::StatusOr<int64_t> Transaction(const Batch& batch) override {
    int64_t version = 0;
    PROTECTOR_RETURN_IF_ERROR(Writing([&](WriteConnection& writer) -> absl::Status {
      PROTECTOR_ASSIGN_OR_RETURN(version, writer.Apply(batch));
      return absl::OkStatus();
    }));
    return version;
  }

  absl::StatusOr<Lease> AcquireLease(const std::string& name, const std::string& owner, absl::Duration ttl) override {
    Lease lease;
    PROTECTOR_RETURN_IF_ERROR(Writing([&](WriteConnection& writer) -> absl::Status {
      PROTECTOR_ASSIGN_OR_RETURN(lease, writer.Acquire(name, owner, ttl, clock_.Now()));
      return absl::OkStatus();
    }));
    return lease;
  }

  absl::Status ReleaseLease(const std::string& name, const std::string& owner) override {
    return Writing([&](WriteConnection& writer) {
      writer.Release(name, owner);
      return absl::OkStatus();
    });
  }

 private:
  template <typename T>
  absl::StatusOr<T> Reading(const std::function<absl::StatusOr<T>(ReadConnection&)>& body) {
    std::unique_ptr<ReadConnection> reader;
    {
      std::unique_lock guard(readers_mutex_);
      reader_free_.wait(guard, [&] { return !readers_.empty(); });
      reader = std::move(readers_.back());
      readers_.pop_back();
    }
    absl::StatusOr<T> result = absl::InternalError("not read");
    try {
      result = body(*reader);
    } catch (const SQLite::Exception& e) {
      result = FromSqlite(e, options_.path);
    }
    {
      std::lock_guard guard(readers_mutex_);
      readers_.push_back(std::move(reader));
    }
    reader_free_.notify_one();
    return result;
  }

  absl::Status Writing(std::function<absl::Status(WriteConnection&)> work) {
    auto job = std::make_shared<Job>();
    job->work = std::move(work);
    std::future<absl::Status> done = job->done.get_future();
    {
      std::lock_guard guard(mutex_);
      queue_.push_back(std::move(job));
    }
    wake_.notify_one();
    return done.get();
  }

  void Run() {
    for (;;) {
      std::vector<std::shared_ptr<Job>> group;
      {
        std::unique_lock guard(mutex_);
        wake_.wait(guard, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        while (!queue_.empty() && group.size() < kMaxGroup) {
          group.push_back(std::move(queue_.front()));
          queue_.pop_front();
        }
      }
      CommitGroup(group);
    }
  }

  // All jobs of the group become durable together, or none does. A job that fails its own checks has written nothing
  // and does not disturb the others.
  void CommitGroup(const std::vector<std::shared_ptr<Job>>& group) {
    const absl::Duration started = clock_.Monotonic();
    absl::Status failure;
    try {
      writer_->Begin();
      for (const auto& job : group) job->outcome = job->work(*writer_);
      writer_->Commit();
    } catch (const SQLite::Exception& e) {
      failure = FromSqlite(e, options_.path);
      writer_->Rollback();
    }
    if (failure.ok() && options_.on_commit) options_.on_commit(group.size(), clock_.Monotonic() - started);
    for (const auto& job : group) job->done.set_value(failure.ok() ? job->outcome : failure);
  }

  const SqliteOptions options_;
  Clock& clock_;
  const std::unique_ptr<FileLock> lock_;
  const std::unique_ptr<WriteConnection> writer_;
  std::mutex readers_mutex_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<ReadConnection>> readers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> queue_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

absl::Status CheckFile(const SqliteOptions& options, WriteConnection& writer) {
  if (writer.schema_version() > options.schema_version) {
    return Error(absl::StatusCode::kFailedPrecondition, "STORE_TOO_NEW",
                 fmt::format("database {} was written by a newer release (schema {}, this one knows {})", options.path,
                             writer.schema_version(), options.schema_version))
        .Object("database " + options.path)
        .Remedy("Start the newer release, or put back a backup made by this one.");
  }
  const std::string faults = options.integrity_check ? writer.IntegrityFaults() : "";
  if (faults.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kDataLoss, "STORE_CORRUPTED",
               fmt::format("database {} failed its integrity check: {}", options.path, faults))
      .Object("database " + options.path)
      .Remedy("Move the file (with -wal and -shm) aside, put back the newest backup and start again.");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqlite(const SqliteOptions& options, Clock& clock) {
  std::error_code ignored;  // the lock file says what is wrong with the directory
  const std::filesystem::path directory = std::filesystem::path(options.path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
  PROTECTOR_ASSIGN_OR_RETURN(auto lock, FileLock::Take(options.path + ".lock"));
  try {
    const int fd = open(options.path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);  // with this mode, not the umask's
    if (fd >= 0) close(fd);
    auto writer = std::make_unique<WriteConnection>(options.path, options.schema_version);
    PROTECTOR_RETURN_IF_ERROR(CheckFile(options, *writer));
    std::vector<std::unique_ptr<ReadConnection>> readers;
    for (size_t i = 0; i < kReaders; ++i) readers.push_back(std::make_unique<ReadConnection>(options.path));
    return std::make_unique<SqliteStore>(options, clock, std::move(lock), std::move(writer), std::move(readers));
  } catch (const SQLite::Exception& e) {
    return FromSqlite(e, options.path);
  }
}

}  // namespace protector::store
