// A version of a group's document as the peer sends it: what is accepted is whole, and stays what it is when it is
// written down, compared and sent on.
#include "libs/base/error.h"
#include "services/metadata-sync/domain/chain.h"
#include "services/metadata-sync/domain/diff.h"
#include "services/metadata-sync/domain/document.h"
#include "tests/fuzz/fuzz.h"

using namespace protector::metadata_sync;
using protector::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = protector::fuzz::Text(data, size);
  pb::Version version;
  if (!version.ParseFromString(bytes)) return 0;
  const Sites sites{"site-a", "site-b"};
  const auto altered = CheckVersion(version, sites);
  Require(altered.ok() || !protector::DetailOf(altered.status()).remedy.empty(), "a refused version says what to do");
  version.set_hash(VersionHash(version));  // what a sender that knows the rules could do
  const auto document = CheckVersion(version, sites);
  if (!document.ok()) return 0;
  Require(DiffDocuments(*document, *document).empty(), "a document does not differ from itself");
  const auto again = ParseDocument(Serialise(*document), "group");
  Require(again.ok(), "what was written can be read");
  Require(SameContent(*again, *document), "what was written is what was read");
  const pb::Head head = HeadOf(version, *document);
  Require(!Continues(head, version), "no version follows itself");
  ApplyInput input;
  input.head = head;
  DecideApply(input, version);
  DecideCommit("site-a", head, *document, version.version()).IgnoreError();
  return 0;
}
