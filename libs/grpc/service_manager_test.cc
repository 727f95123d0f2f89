#include "libs/grpc/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

namespace protector::rpc {
namespace {

// The socket that systemd would listen on.
class NotifySocket {
 public:
  NotifySocket()
      : path_((std::filesystem::temp_directory_path() / ("protector-notify-" + std::to_string(getpid()))).string()) {
    std::filesystem::remove(path_);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    bound_ = bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  ~NotifySocket() {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
    std::filesystem::remove(path_);
  }
  bool bound() const { return bound_; }
  // The oldest message that has come; empty: none.
  std::string Next() {
    char buffer[256];
    const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
    return size > 0 ? std::string(buffer, static_cast<size_t>(size)) : "";
  }

 private:
  const std::string path_;
  int fd_ = -1;
  bool bound_ = false;
};

}  // namespace

TEST_CASE("systemd is told when the service serves, lives and ends") {
  NotifySocket systemd;
  REQUIRE(systemd.bound());
  const ServiceManager manager;
  manager.Ready("listening on 127.0.0.1:1");
  CHECK(systemd.Next() == "READY=1\nSTATUS=listening on 127.0.0.1:1");
  manager.Alive();
  CHECK(systemd.Next() == "WATCHDOG=1");
  manager.Stopping();
  CHECK(systemd.Next() == "STOPPING=1");
  CHECK(systemd.Next().empty());
}

TEST_CASE("the watchdog's time is the unit's, and only for the process that it is meant for") {
  setenv("WATCHDOG_USEC", "30000000", 1);
  SECTION("ours") {
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
    CHECK(ServiceManager().watchdog() == absl::Seconds(30));
  }
  SECTION("another's") {
    setenv("WATCHDOG_PID", "1", 1);
    CHECK(ServiceManager().watchdog() == absl::InfiniteDuration());
  }
  unsetenv("WATCHDOG_USEC");
  unsetenv("WATCHDOG_PID");
  CHECK(ServiceManager().watchdog() == absl::InfiniteDuration());
}

TEST_CASE("without systemd nothing is told") {
  unsetenv("NOTIFY_SOCKET");
  const ServiceManager manager;
  manager.Ready("x");
  manager.Alive();
  manager.Stopping();
}

}  // namespace protector::rpc
