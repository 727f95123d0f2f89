// The other site runs a newer or an older release. What this one does not know it keeps, byte for byte, and sends on.
#include <catch2/catch.hpp>

#include "services/metadata-sync/domain/test_support.h"

namespace protector::metadata_sync {
namespace {

constexpr int kNewField = 9999;
constexpr char kNewValue[] = "of a newer release";

// A document as a newer release writes it: a field and a status that this one does not have.
Document Newer(Document document) {
  document.GetReflection()->MutableUnknownFields(&document)->AddLengthDelimited(kNewField, kNewValue);
  document.set_status(static_cast<protector::group::v1::GroupStatus>(99));
  return document;
}

std::string NewFieldOf(const Document& document) {
  const auto& unknown = document.GetReflection()->GetUnknownFields(document);
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (unknown.field(i).number() == kNewField) return unknown.field(i).length_delimited();
  }
  return "";
}

Document HeadDocument(const Site& site, const std::string& group) {
  Repository& repository = site.process->repository;
  return *repository.DocumentOf(*repository.Version(group, site.Head(group).version()));
}

}  // namespace

TEST_CASE("P8: what a newer release added to a document survives on the older site, and a takeover by it") {
  Pair sites;
  const Document document = MakeDocument("web");
  REQUIRE(sites.a.process->synchroniser.Commit(Request(Newer(document), 0, "")).ok());
  CHECK(sites.a.Head(document.id()).hash() == sites.b.Head(document.id()).hash());

  // Site-b, the older one, takes the group over from what it has.
  Document moved = HeadDocument(sites.b, document.id());
  CHECK(NewFieldOf(moved) == kNewValue);
  CHECK(static_cast<int>(moved.status()) == 99);
  moved.set_primary_site("site-b");
  moved.set_epoch(2);
  REQUIRE(sites.b.process->synchroniser.Commit(Request(moved, 1, "")).ok());
  CHECK(NewFieldOf(HeadDocument(sites.a, document.id())) == kNewValue);
  CHECK(sites.a.Head(document.id()).hash() == sites.b.Head(document.id()).hash());
}

TEST_CASE("a version's name is made of the bytes that were sent, not of what this release would write") {
  Pair sites;
  const Document document = MakeDocument("web");
  pb::Version version;
  version.set_group_id(document.id());
  version.set_version(1);
  version.set_epoch(1);
  version.set_author_site("site-a");
  // Fields in another order: still the same document, but other bytes.
  Document tail;
  tail.set_name(document.name());
  Document rest = document;
  rest.clear_name();
  version.set_content(Serialise(rest) + Serialise(tail));
  REQUIRE(version.content() != Serialise(document));
  version.set_hash(VersionHash(version));
  REQUIRE(sites.b.process->replica.Apply(version, false, "site-a", [] { return false; }).ok());
  CHECK(sites.b.Head(document.id()).hash() == version.hash());
  CHECK(sites.b.process->repository.Version(document.id(), 1)->content() == version.content());
  CHECK(HeadDocument(sites.b, document.id()).name() == "web");
}

}  // namespace protector::metadata_sync
