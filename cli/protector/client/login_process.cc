#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include "absl/time/clock.h"
#include "cli/protector/client/login.h"
#include "libs/base/error.h"

extern char** environ;

namespace protector::cli {
namespace {

constexpr char kName[] = "protector-login";
constexpr char kInstalled[] = "/usr/lib/protector/protector-login";

std::string HelperPath() {
  char self[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  const std::string own(self, length > 0 ? static_cast<size_t>(length) : 0);
  const std::string beside = own.substr(0, own.rfind('/') + 1) + kName;
  return access(beside.c_str(), X_OK) == 0 ? beside : kInstalled;
}

absl::Status HelperFailed(const std::string& path, const std::string& why) {
  return Error(absl::StatusCode::kFailedPrecondition, "LOGIN_HELPER", fmt::format("{} {}", path, why))
      .Object("file " + path)
      .Remedy(
          "It is a part of the command line: install both programs into one directory, or the package protector-cli.");
}

// Two ends of a connection. Sockets, because writing to one that nobody reads any more can be told not to raise
// SIGPIPE.
class Pipe {
 public:
  Pipe() { ok_ = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) == 0; }
  ~Pipe() {
    Close(0);
    Close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool ok() const { return ok_; }
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void Close(int end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
  bool ok_ = false;
};

bool WriteAll(int file, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = send(file, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

// Until the other end is closed; false: `until` came first.
bool ReadAll(int file, absl::Time until, std::string& text) {
  while (true) {
    pollfd waiting = {file, POLLIN, 0};
    const int64_t left = absl::ToInt64Milliseconds(until - absl::Now());
    if (left <= 0) return false;
    const int ready = poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    char buffer[4096];
    const ssize_t n = read(file, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
    text.append(buffer, static_cast<size_t>(n));
  }
}

absl::StatusOr<std::string> RunHelper(const std::string& input, absl::Duration limit) {
  const std::string path = HelperPath();
  Pipe in, out;
  if (!in.ok() || !out.ok()) return HelperFailed(path, fmt::format("cannot be started: {}", strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.reading(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.writing(), STDOUT_FILENO);
  std::vector<char> name(path.begin(), path.end());
  name.push_back('\0');
  char* arguments[] = {name.data(), nullptr};
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, path.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return HelperFailed(path, fmt::format("cannot be started: {}", strerror(failed)));
  in.Close(0);
  out.Close(1);
  std::string said;
  const bool written = WriteAll(in.writing(), input);
  in.Close(1);
  const bool in_time = written && ReadAll(out.reading(), absl::Now() + limit, said);
  if (!in_time) kill(pid, SIGKILL);
  int ended = 0;
  while (waitpid(pid, &ended, 0) < 0 && errno == EINTR) {
  }
  if (!written) return HelperFailed(path, "ended at once");
  if (!in_time) {
    return Error(absl::StatusCode::kDeadlineExceeded, "KEYSTONE_UNREACHABLE",
                 "Keystone did not answer the login in time")
        .Remedy("Check that Keystone runs and can be reached from here: `openstack token issue`.");
  }
  if (said.empty()) return HelperFailed(path, "said nothing");
  return said;
}

}  // namespace

LoginHelper ProcessLoginHelper(absl::Duration limit) {
  return [limit](const std::string& input) { return RunHelper(input, limit); };
}

}  // namespace protector::cli
