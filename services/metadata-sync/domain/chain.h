#pragma once
// The rules of a group's chain of versions, as pure functions: what a version's name is, which version may follow
// which, and what becomes of one that arrives. Everything that promise P5 (one writer) and P8 (no silent divergence)
// rest on is here.
//
// The rule that keeps two sites from writing the same version: on a given head, the epoch can stay only if the head's
// primary site is the author, and can grow by one only if it is *not*. So for each head there is one possible author
// per epoch, and the greater epoch wins.
//
// Threads: pure. Ownership: values. Failure: decisions are values; DecideCommit gives the status that the caller gets.

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "protector/metadata/v1/metadata.pb.h"

namespace protector::metadata_sync {

namespace pb = protector::metadata::v1;
using Document = protector::group::v1::GroupDocument;

// Names a version: SHA-256 over group, number, epoch, parent and content.
std::string VersionHash(const pb::Version& version);

// The head that a site has once `version` is its head. A version's author is always its document's primary site.
pb::Head HeadOf(const pb::Version& version);

// May `next` be the version after `head` (version 0: there is none)? Numbers, parent, epoch and author; not the
// content.
bool Continues(const pb::Head& head, const pb::Version& next);

// May `site`, whose head is `mine`, force it onto the other site, whose head `other` has diverged? The higher epoch
// may. Equal epochs cannot come about unless a database was put back from an old copy; then the site that is the
// epoch's primary may, and if the heads do not even agree on that, the longer chain and at last the greater hash
// decide. Exactly one of the two sites may.
bool MayForce(const std::string& site, const pb::Head& mine, const pb::Head& other);

enum class ApplyAction {
  kAlreadyHad,             // head or ancestor
  kAppend,                 // new head
  kTakeInDoubt,            // it is the version that is in doubt here: the peer has it
  kTakeInDoubtThenAppend,  // it was built on the version in doubt: the peer has that one, too
  kAppendDroppingInDoubt,  // it overtakes the version in doubt, which the peer can never take any more
  kReplace,                // forced: supersedes what came after its parent
  kBehind,                 // versions before it are missing here
  kRefuseDiverged,
  kRefuseStale,
};

struct ApplyInput {
  pb::Head head;                        // version 0: the group is not known here
  std::optional<pb::Version> in_doubt;  // this site's own version whose fate is open
  bool known = false;                   // the arriving version is the head or an ancestor of it
  std::optional<pb::Version> parent;    // its parent, if that is the head or an ancestor
  bool force = false;
  std::string from;  // the other site, whose head a forced version belongs to
};
ApplyAction DecideApply(const ApplyInput& input, const pb::Version& incoming);

// May this site commit `document` on `head`, from `base_version`? The content is checked elsewhere.
absl::Status DecideCommit(const std::string& local_site, const pb::Head& head, const Document& document,
                          int64_t base_version);

}  // namespace protector::metadata_sync
