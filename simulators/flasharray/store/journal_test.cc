#include "simulators/flasharray/store/journal.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace protector::fasim {
namespace {

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/fasim-journal-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::string path;
};

struct Recovered {
  std::string checkpoint;
  std::vector<std::string> records;
};

Recovered Recover(Journal& journal) {
  Recovered found;
  journal.Recover([&](const std::string& payload) { found.checkpoint = payload; },
                  [&](const std::string& payload) { found.records.push_back(payload); });
  return found;
}

}  // namespace

TEST_CASE("records come back in order and a checkpoint replaces them") {
  const TemporaryDirectory directory;
  {
    Journal journal(directory.path, false);
    Recover(journal);
    journal.Append("one");
    journal.Append(std::string(100000, 'x'));
  }
  {
    Journal journal(directory.path, false);
    const Recovered found = Recover(journal);
    REQUIRE(found.records.size() == 2);
    CHECK(found.records[0] == "one");
    CHECK(found.records[1].size() == 100000);
    journal.WriteCheckpoint("everything so far");
    journal.Append("after");
  }
  Journal journal(directory.path, true);
  const Recovered found = Recover(journal);
  CHECK(found.checkpoint == "everything so far");
  CHECK(found.records == std::vector<std::string>{"after"});
}

TEST_CASE("a torn tail is cut off at every length, and what follows is kept") {
  for (int torn = 1; torn < 24; ++torn) {
    const TemporaryDirectory directory;
    {
      Journal journal(directory.path, false);
      Recover(journal);
      journal.Append("whole");
      journal.Append("torn off");
    }
    const std::string path = directory.path + "/journal-0.log";
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - static_cast<std::uintmax_t>(torn));
    {
      Journal journal(directory.path, false);
      CHECK(Recover(journal).records == std::vector<std::string>{"whole"});
      journal.Append("next");
    }
    Journal journal(directory.path, false);
    CHECK(Recover(journal).records == std::vector<std::string>{"whole", "next"});
  }
}

TEST_CASE("a flipped bit ends the journal there") {
  const TemporaryDirectory directory;
  {
    Journal journal(directory.path, false);
    Recover(journal);
    journal.Append("first");
    journal.Append("second");
  }
  std::fstream file(directory.path + "/journal-0.log", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end);
  file.put('X');
  file.close();
  Journal journal(directory.path, false);
  CHECK(Recover(journal).records == std::vector<std::string>{"first"});
}

TEST_CASE("a directory has one owner") {
  const TemporaryDirectory directory;
  Journal first(directory.path, false);
  CHECK_THROWS(Journal(directory.path, false));
}

TEST_CASE("without a directory nothing is kept") {
  Journal journal("", false);
  CHECK_FALSE(journal.durable());
  CHECK_NOTHROW(journal.Append("x"));
  CHECK(Recover(journal).records.empty());
}

}  // namespace protector::fasim
