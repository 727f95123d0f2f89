// The rules of pods: create, rename, destroy, promote, demote and the undo copy a demote leaves.
//
// Threads: called inside a Tx. Ownership: none. Failure: ApiError with the vendor's text.
#pragma once

#include <string>

#include "simulators/flasharray/model/db.h"

namespace protector::fasim {

using PodPtr = Table<Pod>::Ptr;

Pod CreatePod(Tx& tx, const std::string& name);
// A new pod with copies of everything in `source`.
Pod ClonePod(Tx& tx, const std::string& name, const PodPtr& source);
Pod RenamePod(Tx& tx, const PodPtr& pod, const std::string& new_name);
Pod DestroyPod(Tx& tx, const PodPtr& pod, bool with_contents);
Pod RecoverPod(Tx& tx, const PodPtr& pod);
// With contents: whatever is in it goes too.
void EradicatePod(Tx& tx, const PodPtr& pod, bool with_contents);

struct DemoteRequest {
  bool quiesce = false, skip_quiesce = false;
};
// With quiesce and an outbound link the pod stops taking writes and stays "demoting" until everything is sent.
Pod RequestDemote(Tx& tx, const PodPtr& pod, const DemoteRequest& request);
// The end of a demote: leaves the undo copy and the demoted state.
Pod FinishDemote(Tx& tx, const PodPtr& pod);
Pod RequestPromote(Tx& tx, const PodPtr& pod, const std::string& promote_from, bool abort_quiesce);
Pod FinishPromote(Tx& tx, const PodPtr& pod);

std::string UndoName(const std::string& pod_name);
std::string LinkScope(const std::string& link_id);

}  // namespace protector::fasim
