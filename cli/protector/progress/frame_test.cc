#include "cli/protector/progress/frame.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

#include "cli/protector/output/text_width.h"
#include "cli/protector/progress/screen.h"

using namespace protector::cli;
namespace op_pb = protector::operation::v1;

namespace {

Operation Running() {
  Operation operation;
  operation.set_id("op-7f3a2b1c-0000-4000-8000-000000000000");
  operation.set_type(op_pb::PLANNED_FAILOVER);
  operation.set_state(op_pb::RUNNING);
  operation.set_progress(45);
  operation.set_group_name("prod-web-app");
  operation.set_source_site("site-a");
  operation.set_target_site("site-b");
  operation.mutable_start_time()->set_seconds(1000);
  op_pb::Step* done = operation.add_steps();
  done->set_name("validate_sites");
  done->set_state(op_pb::COMPLETED);
  done->mutable_start_time()->set_seconds(1000);
  done->mutable_end_time()->set_seconds(1002);
  op_pb::Step* now = operation.add_steps();
  now->set_name("trigger_final_snapshot");
  now->set_state(op_pb::RUNNING);
  now->set_detail("62% of 14 GiB");
  now->mutable_start_time()->set_seconds(1002);
  operation.add_steps()->set_name("storage_failover");
  operation.mutable_steps(2)->set_state(op_pb::PENDING);
  return operation;
}

bool Has(const std::vector<std::string>& lines, const std::string& text) {
  for (const std::string& line : lines) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the frame shows the move, a bar, and each step with its time") {
  const auto lines = ProgressFrame(Running(), absl::FromUnixSeconds(1075), 80);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0].find("failover of prod-web-app: site-a -> site-b") == 0);
  CHECK(lines[1].find("45%  running  1m 15s") != std::string::npos);
  CHECK(lines[2].find("✓ validate_sites") != std::string::npos);
  CHECK(lines[2].find("2.0 s") != std::string::npos);
  CHECK(lines[3].find("> trigger_final_snapshot") != std::string::npos);
  CHECK(lines[3].find("1m 13s  62% of 14 GiB") != std::string::npos);
}

TEST_CASE("the bar fills with the progress") {
  Operation operation = Running();
  const auto filled = [&](int progress) {
    operation.set_progress(progress);
    const std::string line = ProgressFrame(operation, absl::FromUnixSeconds(1075), 80)[1];
    return std::count(line.begin(), line.end(), '#');
  };
  CHECK(filled(0) == 0);
  CHECK(filled(50) > filled(10));
  CHECK(filled(250) == filled(100));  // nonsense from a service does not break the display
}

TEST_CASE("no line is wider than the terminal, whatever a service says") {
  Operation operation = Running();
  operation.set_group_name(std::string(300, 'g'));
  operation.mutable_steps(1)->set_detail("日本語の詳細がとても長い場合の表示\nzweite Zeile \x1b[2J");
  for (const int width : {10, 20, 40, 80, 200}) {
    for (const std::string& line : ProgressFrame(operation, absl::FromUnixSeconds(1075), width)) {
      CHECK(TextWidth(line) <= std::max(width, 10));
      CHECK(line.find('\n') == std::string::npos);
      CHECK(line.find('\x1b') == std::string::npos);
    }
  }
}

TEST_CASE("plain lines: one for each change, none without") {
  Operation before = Running();
  const auto first = ProgressChanges(nullptr, before);
  CHECK(Has(first, "planned failover of prod-web-app from site-a to site-b: op-7f3a2b1c"));
  CHECK(Has(first, "validate_sites completed in 2.0 s"));
  CHECK_FALSE(Has(first, "storage_failover"));
  CHECK(ProgressChanges(&before, before).empty());

  Operation after = before;
  after.set_progress(60);
  after.mutable_steps(1)->set_state(op_pb::COMPLETED);
  after.mutable_steps(1)->mutable_end_time()->set_seconds(1062);
  after.add_warnings("port 1 got a new address");
  op_pb::Problem* problem = after.add_problems();
  problem->set_cause("quota exceeded");
  problem->set_object("member web-1");
  problem->set_remedy("Raise it.");
  const auto lines = ProgressChanges(&before, after);
  CHECK(Has(lines, " 60%  trigger_final_snapshot completed in 1m 00s"));
  CHECK(Has(lines, "WARNING: port 1 got a new address"));
  CHECK(Has(lines, "PROBLEM: quota exceeded (member web-1). Raise it."));
  CHECK(lines.size() == 3);

  Operation held = after;
  held.set_state(op_pb::PAUSED);
  held.set_hold_reason("a foreign volume has our name");
  CHECK(Has(ProgressChanges(&after, held), "HELD: a foreign volume has our name"));
  CHECK(Has(ProgressChanges(&after, held), "operation paused"));
}

TEST_CASE("durations") {
  CHECK(DurationText(absl::Milliseconds(420)) == "0.4 s");
  CHECK(DurationText(absl::Seconds(12)) == "12 s");
  CHECK(DurationText(absl::Seconds(277)) == "4m 37s");
  CHECK(DurationText(absl::Seconds(3725)) == "1h 02m");
}

TEST_CASE("the screen goes up over exactly what it drew, also on a terminal that has become narrower") {
  std::ostringstream out;
  Screen screen(out);
  screen.Draw({"one", "two"}, 80, 24);
  CHECK(out.str() == "\r\x1b[Jone\ntwo\n");
  out.str("");
  screen.Draw({"x"}, 80, 24);
  CHECK(out.str() == "\x1b[2A\r\x1b[Jx\n");
  out.str("");
  screen.Draw({std::string(30, 'y')}, 80, 24);
  out.str("");
  screen.Draw({"z"}, 10, 24);  // thirty columns take three rows now
  CHECK(out.str() == "\x1b[3A\r\x1b[Jz\n");
  out.str("");
  screen.Keep();
  screen.Draw({"z"}, 10, 24);
  CHECK(out.str() == "\r\x1b[Jz\n");
}

TEST_CASE("a block higher than the terminal keeps its head and its end") {
  std::ostringstream out;
  Screen screen(out);
  screen.Draw({"title", "bar", "1", "2", "3", "4", "5", "6"}, 80, 6);
  CHECK(out.str() == "\r\x1b[Jtitle\nbar\n4\n5\n6\n");
}
