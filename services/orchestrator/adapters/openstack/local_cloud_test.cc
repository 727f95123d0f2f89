#include "services/orchestrator/adapters/openstack/local_cloud.h"

#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/openstack/test_cloud.h"

namespace protector::orchestrator {
namespace {

// A group whose document is large; counts how often it is fetched.
class CountingMetadata final : public MetadataPort {
 public:
  absl::StatusOr<metadata::GetDocumentResponse> GetDocument(const Call&, const metadata::GetDocumentRequest&) override {
    ++fetched;
    metadata::GetDocumentResponse response;
    if (known) (*response.mutable_document()->mutable_projects())["site-a"] = "p2";
    return response;
  }
  absl::StatusOr<metadata::CommitResponse> Commit(const Call&, const metadata::CommitRequest&) override { return no_; }
  absl::StatusOr<metadata::ListDocumentsResponse> ListDocuments(const Call&,
                                                                const metadata::ListDocumentsRequest&) override {
    return no_;
  }
  absl::StatusOr<metadata::ListHeadsResponse> ListHeads(const Call&, const metadata::ListHeadsRequest&) override {
    return no_;
  }
  absl::StatusOr<metadata::SyncStatus> GetSyncStatus(const Call&, const metadata::GetSyncStatusRequest&) override {
    return no_;
  }
  absl::StatusOr<metadata::ForceSyncResponse> ForceSync(const Call&, const metadata::ForceSyncRequest&) override {
    return no_;
  }
  absl::Status WatchHeads(const Call&, const std::function<bool(const metadata::Head&)>&) override { return no_; }

  int fetched = 0;
  bool known = true;

 private:
  const absl::Status no_ = absl::UnimplementedError("not needed by these tests");
};

}  // namespace

TEST_CASE("a group's project is looked up once, however many of its members are worked on; a failed look is repeated") {
  openstack::TestCloud test;
  CountingMetadata metadata;
  LocalCloud cloud(test.Connected(), metadata, test.clock, "site-a");
  const Call call(absl::Seconds(1));
  metadata.known = false;
  CHECK(DetailOf(cloud.ForGroup(call, "group-1").status()).reason == "TENANT_MAPPING_NOT_FOUND");
  metadata.known = true;
  for (int member = 0; member < 5; ++member) CHECK(cloud.ForGroup(call, "group-1").ok());
  CHECK(metadata.fetched == 2);
  CHECK(cloud.ForGroup(call, "group-2").ok());
  CHECK(metadata.fetched == 3);
}

}  // namespace protector::orchestrator
