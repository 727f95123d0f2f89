// Pods and their replica links.
#include <algorithm>

#include "libs/base/error.h"
#include "services/storage-pure/adapters/flasharray/client.h"
#include "services/storage-pure/adapters/flasharray/decode.h"
#include "services/storage-pure/adapters/flasharray/errors.h"

namespace protector::storage::flasharray {
namespace {

const failpoint::Site kCreatePod("array-create-pod", &LostCall);
const failpoint::Site kPromotePod("array-promote-pod", &LostCall);
const failpoint::Site kDemotePod("array-demote-pod", &LostCall);
const failpoint::Site kDestroyPod("array-destroy-pod", &LostCall);
const failpoint::Site kCreateLink("array-create-link", &LostCall);
const failpoint::Site kPauseLink("array-pause-link", &LostCall);
const failpoint::Site kResumeLink("array-resume-link", &LostCall);
const failpoint::Site kDeleteLink("array-delete-link", &LostCall);

const failpoint::Site& SiteOf(const PodUpdate& update) {
  if (update.destroy) return kDestroyPod;
  return update.requested_state == "promoted" ? kPromotePod : kDemotePod;
}

Query NameOf(const ReplicaLink& link) {
  return Query().Add("local_pod_names", link.local_pod).Add("remote_pod_names", link.remote_pod);
}

}  // namespace

absl::StatusOr<std::vector<Pod>> Client::ListPods(const Scope& scope, const std::vector<std::string>& names) {
  absl::StatusOr<std::vector<json::Value>> items =
      names.empty() ? session_.List(scope, "/pods", {}) : ListMatching(scope, "/pods", {}, "name", names);
  if (!items.ok()) return items.status();
  std::vector<Pod> pods;
  std::transform(items->begin(), items->end(), std::back_inserter(pods), DecodePod);
  return pods;
}

absl::Status Client::CreatePod(const Scope& scope, const std::string& name) {
  return Change(scope, kCreatePod,
                {.method = "POST",
                 .path = "/pods",
                 .query = Query().Add("names", name),
                 .body = json::Value::Object(),
                 .idempotency = http::Idempotency::kNotIdempotent,
                 .object = name});
}

absl::Status Client::UpdatePod(const Scope& scope, const std::string& name, const PodUpdate& update) {
  ArrayRequest request{.method = "PATCH",
                       .path = "/pods",
                       .query = Query().Add("names", name),
                       .body = json::Value::Object(),
                       .object = name};
  request.query.AddIf(update.quiesce, "quiesce", "true");
  request.query.AddIf(update.skip_quiesce, "skip_quiesce", "true");
  request.query.AddIf(update.abort_quiesce, "abort_quiesce", "true");
  request.query.AddIf(update.destroy, "destroy_contents", "true");
  if (!update.requested_state.empty()) request.body->Set("requested_promotion_state", update.requested_state);
  if (update.destroy) request.body->Set("destroyed", true);
  return Change(scope, SiteOf(update), request);
}

absl::StatusOr<std::vector<ReplicaLink>> Client::ListLinks(const Scope& scope, const std::string& local_pod) {
  PROTECTOR_ASSIGN_OR_RETURN(
      const std::vector<json::Value> items,
      ListIfThere(scope, "/pod-replica-links", Query().Add("local_pod_names", local_pod), kTokensEverywhere));
  std::vector<ReplicaLink> links;
  std::transform(items.begin(), items.end(), std::back_inserter(links), DecodeLink);
  return links;
}

absl::Status Client::CreateLink(const Scope& scope, const std::string& local_pod, const std::string& remote_pod,
                                const std::string& remote_array) {
  return Change(scope, kCreateLink,
                {.method = "POST",
                 .path = "/pod-replica-links",
                 .query = Query()
                              .Add("local_pod_names", local_pod)
                              .Add("remote_pod_names", remote_pod)
                              .Add("remote_names", remote_array),
                 .idempotency = http::Idempotency::kNotIdempotent,
                 .object = local_pod});
}

absl::Status Client::PauseLink(const Scope& scope, const ReplicaLink& link, bool paused) {
  return Change(scope, paused ? kPauseLink : kResumeLink,
                {.method = "PATCH",
                 .path = "/pod-replica-links",
                 .query = NameOf(link),
                 .body = json::Value::Object({{"paused", paused}}),
                 .object = link.local_pod});
}

absl::Status Client::DeleteLink(const Scope& scope, const ReplicaLink& link) {
  return Change(scope, kDeleteLink,
                {.method = "DELETE",
                 .path = "/pod-replica-links",
                 .query = NameOf(link),
                 .idempotency = http::Idempotency::kNotIdempotent,
                 .object = link.local_pod});
}

}  // namespace protector::storage::flasharray
