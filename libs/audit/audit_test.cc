#include "libs/audit/audit.h"

#include <catch2/catch.hpp>

#include "libs/store/memory_store.h"
#include "protector/operation/v1/operation.pb.h"
#include "protector/site/v1/site.pb.h"

namespace protector::audit {
namespace {

// The store of a log that somebody with the file in hand gets at.
struct Opened {
  ManualClock clock{absl::FromUnixSeconds(1767225600)};
  store::Store* store = nullptr;
  std::unique_ptr<AuditLog> log;

  Opened() {
    auto made = std::make_unique<store::MemoryStore>(clock);
    store = made.get();
    log = *AuditLog::Open(std::move(made), clock, "orchestrator", "site-a");
  }
  Head Add(const std::string& what, const std::string& user = "olga") {
    pb::Record record;
    record.set_kind(pb::BEGUN);
    record.set_what(what);
    record.set_user(user);
    clock.Advance(absl::Seconds(1));
    return *log->Append(record);
  }
  std::string KeyOf(int64_t number) {
    return (std::string(19, '0') + std::to_string(number)).substr(std::to_string(number).size());
  }
  std::string Value(int64_t number) { return store->Get("audit", KeyOf(number))->value; }
  void Overwrite(int64_t number, const std::string& value) {
    REQUIRE(store->PutIfVersion("audit", KeyOf(number), value, store::kAnyVersion).ok());
  }
};

TEST_CASE("records are kept in order, newest first, and filtered") {
  Opened o;
  for (int i = 1; i <= 5; ++i) o.Add("what-" + std::to_string(i), i % 2 == 0 ? "ivo" : "olga");
  pb::ListRecordsRequest request;
  request.set_page_size(2);
  std::vector<std::string> seen;
  do {
    const auto page = o.log->List(request);
    REQUIRE(page.ok());
    for (const pb::Record& record : page->records()) seen.push_back(record.what());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  CHECK(seen == std::vector<std::string>{"what-5", "what-4", "what-3", "what-2", "what-1"});
  request = {};
  request.set_user("ivo");
  CHECK(o.log->List(request)->records_size() == 2);
  request = {};
  request.mutable_since()->set_seconds(1767225600 + 4);
  CHECK(o.log->List(request)->records_size() == 2);
  request.set_page_token("x");
  CHECK_FALSE(o.log->List(request).ok());
  CHECK(o.log->List({})->records(0).service() == "orchestrator");
}

TEST_CASE("a chain that nobody touched is intact, also after a restart") {
  Opened o;
  CHECK(o.log->Verify({})->intact());
  const Head third = (o.Add("1"), o.Add("2"), o.Add("3"));
  const auto found = o.log->Verify({});
  CHECK(found->intact());
  CHECK(found->records() == 3);
  CHECK(found->head() == third.hash);
  CHECK(o.log->Verify(third)->intact());
}

TEST_CASE("whatever is changed in the file is found") {
  Opened o;
  for (int i = 1; i <= 4; ++i) o.Add("what-" + std::to_string(i));
  const Head end = o.log->head();
  SECTION("another text in a record") {
    std::string value = o.Value(2);
    value.replace(value.find("what-2"), 6, "what-9");
    o.Overwrite(2, value);
    CHECK(o.log->Verify({})->first_wrong() == 2);
  }
  SECTION("two records change places") {
    const std::string second = o.Value(2), third = o.Value(3);
    o.Overwrite(2, third);
    o.Overwrite(3, second);
    CHECK(o.log->Verify({})->first_wrong() == 2);
  }
  SECTION("a record is removed") {
    REQUIRE(o.store->Delete("audit", o.KeyOf(3)).ok());
    CHECK(o.log->Verify({})->first_wrong() == 3);
  }
  SECTION("the last one is removed, and what says where the end is with it") {
    REQUIRE(o.store->Delete("audit", o.KeyOf(4)).ok());
    const auto third = o.Value(3).substr(0, 64);
    REQUIRE(o.store->PutIfVersion("audit-heads", "end", "3\n" + third, store::kAnyVersion).ok());
    CHECK_FALSE(o.log->Verify({})->intact());  // this process knows better
  }
  SECTION("all of it is written anew") {
    Opened other;
    for (int i = 1; i <= 4; ++i) other.Add("forged");
    CHECK(other.log->Verify({})->intact());
    const auto found = other.log->Verify(end);  // what was noted elsewhere tells
    CHECK_FALSE(found->intact());
    CHECK(found->first_wrong() == 4);
  }
  SECTION("the end was cut off") {
    Opened shorter;
    shorter.Add("what-1");
    const auto found = shorter.log->Verify(end);
    CHECK_FALSE(found->intact());
    CHECK(found->problem().find("cut off") != std::string::npos);
  }
}

TEST_CASE("what the peer said of its chains is kept: of each the longest end, and nothing else") {
  Opened o;
  const auto end = [](char chain, int64_t number, char hash) {
    pb::ChainEnd made;
    made.set_first_hash(std::string(64, chain));
    made.set_number(number);
    made.set_hash(std::string(64, hash));
    return made;
  };
  CHECK(o.log->Noted()->empty());
  CHECK(o.log->FirstHash()->empty());
  REQUIRE(o.log->Note(end('a', 7, 'x')).ok());
  REQUIRE(o.log->Note(end('a', 3, 'y')).ok());  // shorter: somebody has cut it
  REQUIRE(o.log->Note(end('a', 7, 'z')).ok());  // as long, and another
  REQUIRE(o.log->Note(end('b', 9, 'v')).ok());  // another chain does not take its place
  CHECK_FALSE(o.log->Note({}).ok());
  const auto noted = o.log->Noted();
  REQUIRE(noted->size() == 2);
  CHECK(noted->at(0).number() == 7);
  CHECK(noted->at(0).hash() == std::string(64, 'x'));
  CHECK(noted->at(1).number() == 9);
  CHECK(o.log->Verify({})->intact());
}

TEST_CASE("a request on record is JSON, whole characters of it") {
  protector::site::v1::CreateSiteRequest request;
  request.mutable_site()->set_name("site-a");
  CHECK(RequestText(request) == R"({"site":{"name":"site-a"}})");
  std::string long_text;
  while (long_text.size() < 6000) long_text += "\xC3\xA4";  // a letter of two bytes
  request.mutable_site()->set_description(long_text);
  const std::string text = RequestText(request);
  CHECK(text.size() <= 4096);
  pb::Record record;
  record.set_request(text);
  CHECK(record.ParseFromString(record.SerializeAsString()));
}

TEST_CASE("an answer on record is what it made") {
  protector::operation::v1::Operation operation;
  operation.set_id("op-1");
  CHECK(EvidenceText(operation) == "id=op-1");
  protector::operation::v1::Group group;
  group.mutable_document()->set_id("g-1");
  group.set_version(7);
  CHECK(EvidenceText(group) == "version=7 id=g-1");
  CHECK(EvidenceText(protector::operation::v1::DeleteGroupResponse()).empty());
}

}  // namespace
}  // namespace protector::audit
