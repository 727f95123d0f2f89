#include "libs/failpoint/failpoint.h"

#ifdef PROTECTOR_FAILPOINTS

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

namespace protector::failpoint {
namespace {

struct Order {
  std::string point;
  int number = 0;
  std::string action;
};

// Names are collected while the program's constants are made: on first use, since other files' constants come first.
std::vector<std::string>& Names() {
  static std::vector<std::string> names;
  return names;
}

[[noreturn]] void Unusable(const std::string& why) {
  fmt::print(stderr, "failpoints: {}\n", why);
  std::abort();
}

class Switchboard {
 public:
  static Switchboard& Get() {
    static Switchboard switchboard;
    return switchboard;
  }

  void Activate(const std::string& directory, const std::string& program) {
    order_file_ = directory + "/" + program + ".armed";
    const std::string hits = directory + "/" + program + ".hits";
    hits_ = open(hits.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (hits_ < 0) Unusable("cannot write " + hits);
    active_ = true;
  }

  bool active() const { return active_; }

  // The action to be carried out at this hit; empty: none.
  std::string Hit(const std::string& point) {
    const std::lock_guard lock(mutex_);
    Note(fmt::format("{} {}\n", point, ++seen_[point]));
    ReadOrder();
    if (!order_ || order_->point != point || ++reached_ < order_->number) return "";
    const std::string action = order_->action;
    // Taken away first: who dies here is not to die here again when it is started anew.
    unlink(order_file_.c_str());
    order_.reset();
    return action;
  }

 private:
  void Note(const std::string& line) {
    if (write(hits_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) Unusable("cannot note a hit");
  }

  void ReadOrder() {
    struct stat now = {};
    if (stat(order_file_.c_str(), &now) != 0) {
      order_.reset();
      inode_ = 0;
      return;
    }
    if (now.st_ino == inode_) return;
    std::ifstream file(order_file_);
    Order order;
    if (!(file >> order.point >> order.number >> order.action)) Unusable("cannot read " + order_file_);
    if (std::find(Names().begin(), Names().end(), order.point) == Names().end()) {
      Unusable("there is no failpoint " + order.point);
    }
    inode_ = now.st_ino;
    order_ = order;
    reached_ = 0;
  }

  std::mutex mutex_;
  bool active_ = false;
  std::string order_file_;
  int hits_ = -1;
  ino_t inode_ = 0;
  std::optional<Order> order_;
  int reached_ = 0;
  std::map<std::string, int> seen_;
};

}  // namespace

Site::Site(const char* change, ErrorOf error)
    : before_(std::string("before-") + change), after_(std::string("after-") + change), error_(error) {
  for (const std::string& name : {before_, after_}) {
    if (std::find(Names().begin(), Names().end(), name) != Names().end()) Unusable("two are called " + name);
    Names().push_back(name);
  }
}

absl::Status Site::Hit(When when) const {
  Switchboard& board = Switchboard::Get();
  if (!board.active()) return absl::OkStatus();
  const std::string& point = when == When::kBefore ? before_ : after_;
  const std::string action = board.Hit(point);
  if (action.empty()) return absl::OkStatus();
  if (action == "kill") {
    kill(getpid(), SIGKILL);
    pause();  // the signal is on its way
  }
  if (action == "error") return error_(when, point);
  if (action.rfind("delay=", 0) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::stol(action.substr(6))));
    return absl::OkStatus();
  }
  Unusable("there is no action " + action);
}

std::vector<std::string> List() {
  std::vector<std::string> names = Names();
  std::sort(names.begin(), names.end());
  return names;
}

void Activate(const std::string& program) {
  const char* directory = std::getenv("PROTECTOR_FAILPOINTS");
  if (directory != nullptr && *directory != '\0') Switchboard::Get().Activate(directory, program);
}

}  // namespace protector::failpoint

#endif
