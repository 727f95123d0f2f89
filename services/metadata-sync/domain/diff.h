#pragma once
// Field by field, what differs between two documents. Entries of lists are matched by what they are (a member by its
// name, a placement by its site), not by position, so that a removed member does not make all after it look changed.
//
// Threads: pure. Ownership: values. Failure: none.

#include <vector>

#include "services/metadata-sync/domain/chain.h"

namespace protector::metadata_sync {

// By path. A field that is not set has an empty text.
std::vector<pb::FieldDiff> DiffDocuments(const Document& from, const Document& to);

}  // namespace protector::metadata_sync
