#pragma once
// Checks and comparisons of whole group documents.
//
// Threads: pure. Ownership: values. Failure: INVALID_ARGUMENT naming the field.

#include <string>

#include "absl/status/statusor.h"
#include "services/metadata-sync/domain/chain.h"

namespace protector::metadata_sync {

struct Sites {
  std::string local;
  std::string peer;
};

// Is this a document that the two sites can hold? Identity, names, sites, projects, epoch; what the fields mean beyond
// that is the orchestrator's business.
absl::Status CheckDocument(const Document& document, const Sites& sites);

// Bytes that are the same for the same document, whatever order maps were filled in.
std::string Serialise(const Document& document);
absl::StatusOr<Document> ParseDocument(const std::string& bytes, const std::string& object);

// Equal but for the times that this service sets itself.
bool SameContent(const Document& a, const Document& b);

// A version that came from outside is whole: its hash is right and its content is what its header says. The document is
// returned.
absl::StatusOr<Document> CheckVersion(const pb::Version& version, const Sites& sites);

// The head with what only the document knows: name and tombstone.
pb::Head HeadOf(const pb::Version& version, const Document& document);

}  // namespace protector::metadata_sync
