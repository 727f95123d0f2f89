#include "libs/failpoint/failpoint.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "absl/status/statusor.h"

namespace protector::failpoint {
namespace {

absl::Status Lost(When when, const std::string& point) {
  return absl::UnavailableError((when == When::kBefore ? "never sent: " : "answer lost: ") + point);
}

const Site kChange("test-change", &Lost);
const Site kOther("test-other", &Lost);

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A directory with one order in it, and a program that lives in a process of its own, since points are activated once.
struct Lab {
  Lab() {
    char name[] = "/tmp/failpoint-XXXXXX";
    directory = mkdtemp(name);
  }
  ~Lab() { std::filesystem::remove_all(directory); }
  void Order(const std::string& text) { std::ofstream(directory / "program.armed") << text; }
  // How the program ended: its exit code, or minus the signal.
  int Run(const std::function<int()>& program) {
    const pid_t pid = fork();
    if (pid == 0) {
      setenv("PROTECTOR_FAILPOINTS", directory.c_str(), 1);
      Activate("program");
      _exit(program());
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  std::filesystem::path directory;
};

int Changes(int times) {
  int made = 0;
  for (int i = 0; i < times; ++i) {
    Around(kChange, [&] {
      ++made;
      return absl::OkStatus();
    }).IgnoreError();
  }
  return made;
}

}  // namespace

TEST_CASE("every point of the program is listed once") {
  const std::vector<std::string> names = List();
  for (const char* name : {"before-test-change", "after-test-change", "before-test-other", "after-test-other"}) {
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
}

TEST_CASE("nothing happens, and nothing is written, unless a directory is named") {
  CHECK(Changes(3) == 3);
}

TEST_CASE("hits are noted with their number") {
  Lab lab;
  CHECK(lab.Run([] { return Changes(2); }) == 2);
  CHECK(Contents(lab.directory / "program.hits") ==
        "before-test-change 1\nafter-test-change 1\nbefore-test-change 2\nafter-test-change 2\n");
}

TEST_CASE("an error before the change keeps it from being made, one after it loses its answer") {
  Lab lab;
  lab.Order("before-test-change 1 error");
  CHECK(lab.Run([] { return Changes(1); }) == 0);
  CHECK_FALSE(std::filesystem::exists(lab.directory / "program.armed"));
  lab.Order("after-test-change 1 error");
  CHECK(lab.Run([] {
    bool made = false;
    const absl::StatusOr<int> answer = Around(kChange, [&]() -> absl::StatusOr<int> {
      made = true;
      return 7;
    });
    return made && answer.status().message() == "answer lost: after-test-change" ? 0 : 1;
  }) == 0);
}

TEST_CASE("the program dies at the hit that was ordered, and not again when it is started anew") {
  Lab lab;
  lab.Order("after-test-change 2 kill");
  CHECK(lab.Run([] { return Changes(3); }) == -SIGKILL);
  CHECK(Contents(lab.directory / "program.hits").ends_with("after-test-change 2\n"));
  CHECK(lab.Run([] { return Changes(3); }) == 3);
}

TEST_CASE("hits are counted from the order on, which may come while the program runs") {
  Lab lab;
  CHECK(lab.Run([&] {
    Changes(5);
    lab.Order("before-test-change 2 error");
    return Changes(3);
  }) == 2);
}

TEST_CASE("an order for another point, or one that cannot be read, is not passed over in silence") {
  Lab lab;
  lab.Order("before-test-other 1 kill");
  CHECK(lab.Run([] { return Changes(1); }) == 1);
  for (const char* order : {"before-tset-change 1 kill", "before-test-change", "before-test-change 1 explode"}) {
    lab.Order(order);
    CHECK(lab.Run([] { return Changes(1); }) == -SIGABRT);
  }
}

}  // namespace protector::failpoint
