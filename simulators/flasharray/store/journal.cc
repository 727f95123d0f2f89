#include "simulators/flasharray/store/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "simulators/flasharray/store/wire.h"

namespace protector::fasim {
namespace {

constexpr std::uint64_t kCheckpointAt = std::uint64_t{64} << 20;

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

std::uint32_t Crc32(const char* bytes, std::size_t size) {
  static const std::array<std::uint32_t, 256> kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320U : value >> 1;
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t crc = ~0U;
  for (std::size_t i = 0; i < size; ++i) {
    crc = kTable[(crc ^ static_cast<unsigned char>(bytes[i])) & 0xFF] ^ (crc >> 8);
  }
  return ~crc;
}

std::string Frame(const std::string& payload) {
  std::string out;
  out.reserve(payload.size() + 16);
  PutNumber(&out, payload.size());
  PutNumber(&out, Crc32(payload.data(), payload.size()));
  return out += payload;
}

// The payload at `*at`, or false when the rest is torn.
bool NextFrame(const std::string& bytes, std::size_t* at, std::string* payload) {
  if (bytes.size() - *at < 16) return false;
  const std::string head = bytes.substr(*at, 16);
  WireReader reader(head);
  const std::uint64_t size = reader.Number();
  const std::uint64_t crc = reader.Number();
  if (size > bytes.size() - *at - 16) return false;
  if (Crc32(bytes.data() + *at + 16, size) != crc) return false;
  *payload = bytes.substr(*at + 16, size);
  *at += 16 + size;
  return true;
}

void WriteAll(int fd, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) Fail("journal write");
    done += static_cast<std::size_t>(n);
  }
}

std::string Slurp(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream out;
  out << stream.rdbuf();
  return out.str();
}

}  // namespace

Journal::Journal(std::string directory, bool sync) : directory_(std::move(directory)), sync_(sync) {
  if (!durable()) return;
  std::filesystem::create_directories(directory_);
  // Two processes on one directory would destroy each other's state.
  lock_fd_ = ::open((directory_ + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) Fail(directory_ + "/lock");
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_fd_);
    throw std::runtime_error(fmt::format("{} is in use by another process", directory_));
  }
}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

std::string Journal::PathOf(std::uint64_t generation) const {
  return fmt::format("{}/journal-{}.log", directory_, generation);
}

std::string Journal::BlockFilePath() const {
  return durable() ? directory_ + "/blocks.dat" : "";
}

void Journal::OpenForAppend(bool truncate) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(PathOf(generation_).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (truncate ? O_TRUNC : 0), 0600);
  if (fd_ < 0) Fail(PathOf(generation_));
}

void Journal::Recover(const std::function<void(const std::string&)>& checkpoint,
                      const std::function<void(const std::string&)>& record) {
  if (!durable()) return;
  const std::string checkpoint_path = directory_ + "/checkpoint.bin";
  if (std::filesystem::exists(checkpoint_path)) {
    const std::string bytes = Slurp(checkpoint_path);
    std::size_t at = 0;
    std::string payload;
    if (!NextFrame(bytes, &at, &payload)) throw std::runtime_error(checkpoint_path + " is damaged");
    WireReader reader(payload);
    generation_ = reader.Number();
    checkpoint_size_ = payload.size();
    checkpoint(payload.substr(8));
  }
  std::size_t at = 0;
  const std::string path = PathOf(generation_);
  if (std::filesystem::exists(path)) {
    const std::string bytes = Slurp(path);
    std::string payload;
    while (NextFrame(bytes, &at, &payload)) record(payload);
    if (at != bytes.size()) std::filesystem::resize_file(path, at);
  }
  size_ = at;
  OpenForAppend(false);
}

void Journal::Append(const std::string& payload) {
  if (!durable()) return;
  const std::string frame = Frame(payload);
  WriteAll(fd_, frame);
  size_ += frame.size();
  if (sync_ && ::fdatasync(fd_) != 0) Fail("journal sync");
}

bool Journal::WantsCheckpoint() const {
  return durable() && size_ > kCheckpointAt && size_ > 2 * checkpoint_size_;
}

void Journal::WriteCheckpoint(const std::string& payload) {
  if (!durable()) return;
  const std::string old_journal = PathOf(generation_);
  ++generation_;
  OpenForAppend(true);
  std::string body;
  PutNumber(&body, generation_);
  body += payload;
  const std::string aside = directory_ + "/checkpoint.tmp";
  const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) Fail(aside);
  WriteAll(fd, Frame(body));
  if (::fsync(fd) != 0) Fail(aside);
  ::close(fd);
  std::filesystem::rename(aside, directory_ + "/checkpoint.bin");
  std::filesystem::remove(old_journal);
  size_ = 0;
  checkpoint_size_ = body.size();
}

}  // namespace protector::fasim
