#include "libs/store/store.h"

#include "libs/base/error.h"

namespace protector::store {

Batch& Batch::Put(const std::string& bucket, const std::string& key, const std::string& value, int64_t expected) {
  writes_.push_back({Write::Kind::kPut, bucket, key, value, expected});
  return *this;
}

Batch& Batch::Delete(const std::string& bucket, const std::string& key, int64_t expected) {
  writes_.push_back({Write::Kind::kDelete, bucket, key, "", expected});
  return *this;
}

Batch& Batch::Check(const std::string& bucket, const std::string& key, int64_t expected) {
  writes_.push_back({Write::Kind::kCheck, bucket, key, "", expected});
  return *this;
}

absl::StatusOr<int64_t> Store::PutIfVersion(const std::string& bucket, const std::string& key, const std::string& value,
                                            int64_t expected) {
  return Transaction(Batch().Put(bucket, key, value, expected));
}

absl::Status Store::Delete(const std::string& bucket, const std::string& key, int64_t expected) {
  return Transaction(Batch().Delete(bucket, key, expected)).status();
}

absl::StatusOr<std::vector<Record>> Store::ListAll(const std::string& bucket, const std::string& prefix) {
  std::vector<Record> all;
  PageRequest request{.size = 1000, .token = ""};
  do {
    PROTECTOR_ASSIGN_OR_RETURN(Page page, List(bucket, prefix, request));
    for (Record& record : page.records) all.push_back(std::move(record));
    request.token = page.next_page_token;
  } while (!request.token.empty());
  return all;
}

absl::Status LostWrite(failpoint::When when, const std::string& point) {
  if (when == failpoint::When::kAfter) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", "failpoint " + point)
      .Object(point)
      .Remedy("A test asked for this failure.");
}

}  // namespace protector::store
