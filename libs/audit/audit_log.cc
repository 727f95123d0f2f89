#include "libs/audit/audit_log.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "libs/base/error.h"
#include "libs/base/sha256.h"

namespace protector::audit {
namespace {

using google::protobuf::util::TimeUtil;

constexpr char kRecords[] = "audit";      // number -> hash in hex, newline, the record's bytes
constexpr char kHeads[] = "audit-heads";  // "end" -> number, newline, hash
constexpr char kNoted[] = "audit-noted";  // the first hash of a chain of the peer's -> its end, as above
constexpr int kDefaultPage = 100;
constexpr int kLargestPage = 1000;
constexpr size_t kHashLength = 64;

std::string KeyOf(int64_t number) {
  return fmt::format("{:019}", number);
}

std::string HashOf(const std::string& before, int64_t number, const std::string& bytes) {
  return Sha256Hex(fmt::format("{}\n{}\n{}", before, number, bytes));
}

std::string TextOf(const Head& head) {
  return fmt::format("{}\n{}", head.number, head.hash);
}

Head HeadIn(const std::string& text) {
  const size_t line = text.find('\n');
  Head head;
  if (line == std::string::npos || !absl::SimpleAtoi(text.substr(0, line), &head.number)) return Head{};
  head.hash = text.substr(line + 1);
  return head;
}

struct Sealed {
  std::string hash;
  std::string bytes;
};

std::optional<Sealed> Split(const std::string& value) {
  if (value.size() <= kHashLength || value[kHashLength] != '\n') return std::nullopt;
  return Sealed{value.substr(0, kHashLength), value.substr(kHashLength + 1)};
}

bool Fits(const pb::Record& record, const pb::ListRecordsRequest& request) {
  const auto is = [](const std::string& wanted, const std::string& a, const std::string& b) {
    return wanted.empty() || wanted == a || wanted == b;
  };
  return is(request.user(), record.user(), record.user_id()) &&
         is(request.project(), record.project(), record.project_id()) &&
         is(request.request_id(), record.request_id(), record.request_id());
}

}  // namespace

AuditLog::AuditLog(std::unique_ptr<store::Store> store, Clock& clock, std::string service, std::string site)
    : store_(std::move(store)), clock_(clock), service_(std::move(service)), site_(std::move(site)) {}

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(std::unique_ptr<store::Store> store, Clock& clock,
                                                         const std::string& service, const std::string& site) {
  std::unique_ptr<AuditLog> log(new AuditLog(std::move(store), clock, service, site));
  PROTECTOR_RETURN_IF_ERROR(log->Load());
  return log;
}

absl::Status AuditLog::Load() {
  const auto found = store_->Get(kHeads, "end");
  if (absl::IsNotFound(found.status())) return absl::OkStatus();
  PROTECTOR_RETURN_IF_ERROR(found.status());
  head_ = HeadIn(found->value);
  return absl::OkStatus();
}

absl::StatusOr<Head> AuditLog::Append(pb::Record record) {
  record.clear_number();
  record.clear_hash();
  *record.mutable_time() = TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(clock_.Now()));
  const std::string bytes = record.SerializeAsString();
  const std::lock_guard lock(mutex_);
  const int64_t number = head_.number + 1;
  const std::string hash = HashOf(head_.hash, number, bytes);
  store::Batch batch;
  batch.Put(kRecords, KeyOf(number), hash + "\n" + bytes, store::kAbsent).Put(kHeads, "end", TextOf({number, hash}));
  const absl::Status written = store_->Transaction(batch).status();
  if (!written.ok()) {
    // Another may have been written there by a try whose answer was lost.
    PROTECTOR_RETURN_IF_ERROR(Load());
    if (head_.number != number || head_.hash != hash) return written;
  }
  head_ = {number, hash};
  return head_;
}

Head AuditLog::head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

absl::StatusOr<pb::ListRecordsResponse> AuditLog::List(const pb::ListRecordsRequest& request) const {
  int64_t at = head().number;
  if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &at)) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "page_token is not of this list")
        .Remedy("Start again without a token.");
  }
  const int size = std::clamp(request.page_size() <= 0 ? kDefaultPage : request.page_size(), 1, kLargestPage);
  pb::ListRecordsResponse response;
  for (; at > 0 && response.records_size() < size; --at) {
    const auto found = store_->Get(kRecords, KeyOf(at));
    if (absl::IsNotFound(found.status())) continue;  // verify tells of it
    if (!found.ok() && !absl::IsDataLoss(found.status())) return found.status();
    const auto sealed = found.ok() ? Split(found->value) : std::nullopt;
    pb::Record record;
    if (!sealed || !record.ParseFromString(sealed->bytes)) record.set_message("this record cannot be read");
    if (request.has_since() && record.time() < request.since()) {
      at = 0;
      break;
    }
    if (!Fits(record, request)) continue;
    record.set_number(at);
    record.set_hash(sealed ? sealed->hash : "");
    record.set_service(service_);
    record.set_site(site_);
    *response.add_records() = std::move(record);
  }
  if (at > 0) response.set_next_page_token(std::to_string(at));
  return response;
}

absl::StatusOr<pb::VerifyRecordsResponse> AuditLog::Verify(const Head& known) const {
  const Head end = head();
  pb::VerifyRecordsResponse response;
  response.set_service(service_);
  response.set_site(site_);
  const auto wrong = [&](int64_t number, const std::string& what) {
    if (response.first_wrong() != 0) return;
    response.set_first_wrong(number);
    response.set_problem(fmt::format("record {}: {}", number, what));
  };
  std::string before;
  for (int64_t number = 1; number <= end.number; ++number) {
    const auto found = store_->Get(kRecords, KeyOf(number));
    if (absl::IsNotFound(found.status())) {
      wrong(number, "it is missing");
      break;
    }
    if (!found.ok() && !absl::IsDataLoss(found.status())) return found.status();
    const auto sealed = found.ok() ? Split(found->value) : std::nullopt;
    if (!sealed || HashOf(before, number, sealed->bytes) != sealed->hash) {
      wrong(number, "its bytes do not fit its hash and the record before it");
      break;
    }
    if (number == known.number && sealed->hash != known.hash) {
      wrong(number, "its hash is another than the one that was noted");
      break;
    }
    before = sealed->hash;
    response.set_records(number);
  }
  if (response.first_wrong() == 0 && before != end.hash)
    wrong(end.number, "the chain ended otherwise when it was opened");
  if (known.number > end.number) wrong(end.number + 1, "it was noted elsewhere and is missing: the end was cut off");
  response.set_head(before);
  response.set_intact(response.first_wrong() == 0);
  return response;
}

absl::StatusOr<std::string> AuditLog::FirstHash() const {
  const auto first = store_->Get(kRecords, KeyOf(1));
  if (absl::IsNotFound(first.status())) return std::string();
  PROTECTOR_RETURN_IF_ERROR(first.status());
  return first->value.substr(0, kHashLength);
}

absl::StatusOr<std::vector<pb::ChainEnd>> AuditLog::Noted() const {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_->ListAll(kNoted));
  std::vector<pb::ChainEnd> noted;
  for (const store::Record& record : records) {
    const Head head = HeadIn(record.value);
    pb::ChainEnd& end = noted.emplace_back();
    end.set_first_hash(record.key);
    end.set_number(head.number);
    end.set_hash(head.hash);
  }
  return noted;
}

absl::Status AuditLog::Note(const pb::ChainEnd& end) {
  if (end.first_hash().size() != kHashLength || end.hash().size() != kHashLength || end.number() < 1) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "not the end of a chain")
        .Remedy("Both hashes have 64 hex digits, numbers begin with 1.");
  }
  const auto kept = store_->Get(kNoted, end.first_hash());
  if (!kept.ok() && !absl::IsNotFound(kept.status())) return kept.status();
  if (kept.ok() && HeadIn(kept->value).number >= end.number()) return absl::OkStatus();
  return store_->PutIfVersion(kNoted, end.first_hash(), TextOf({end.number(), end.hash()}), store::kAnyVersion)
      .status();
}

}  // namespace protector::audit
