#include "libs/openstack/api_client.h"

#include "libs/base/error.h"

namespace protector::openstack {
namespace {

constexpr int kListRestarts = 5;

// What a page begins after was deleted since the page before it: Nova answers 400 "marker [<id>] not found"; 404 is
// what a service says that looks it up like any other object. The list has to begin again.
bool MarkerIsGone(const absl::Status& status, const std::string& marker) {
  const int code = HttpStatusOf(status);
  return !marker.empty() && (code == 400 || code == 404) && MessageOf(status).find(marker) != std::string::npos;
}

}  // namespace

Query& Query::Add(const std::string& name, const std::string& value) {
  if (!value.empty()) text_ += (text_.empty() ? "" : "&") + http::UrlEncode(name) + "=" + http::UrlEncode(value);
  return *this;
}

Query& Query::AddAll(const std::string& name, const std::vector<std::string>& values) {
  for (const std::string& value : values) Add(name, value);
  return *this;
}

absl::StatusOr<json::Value> ApiClient::Get(const CallContext& call, const Target& target, const Query& query) {
  ApiRequest request;
  request.service = service_;
  request.path = target.path;
  request.query = query.text();
  request.route = target.route;
  request.object = target.object;
  return session_.SendForJson(call, request);
}

absl::StatusOr<std::vector<json::Value>> ApiClient::List(const CallContext& call, const Target& target,
                                                         const Query& query, const std::string& key,
                                                         const std::string& marker) {
  std::vector<json::Value> all;
  std::string last;
  int restarts = 0;
  while (true) {
    const absl::StatusOr<json::Value> page = Get(call, target, Query(query).Add("marker", last));
    if (!page.ok()) {
      if (!MarkerIsGone(page.status(), last) || ++restarts > kListRestarts) return page.status();
      all.clear();
      last.clear();
      continue;
    }
    const json::Value::Items& items = page->GetItems(key);
    all.insert(all.end(), items.begin(), items.end());
    bool more = page->GetString("next").has_value();  // Glance's form
    for (const json::Value& link : page->GetItems(key + "_links")) more = more || link.GetStringOr("rel", "") == "next";
    const std::string next = items.empty() ? "" : items.back().GetStringOr(marker, "");
    if (!more || next.empty() || next == last) return all;
    last = next;
  }
}

absl::StatusOr<json::Value> ApiClient::Change(const CallContext& call, const std::string& method, const Target& target,
                                              const json::Value& body, http::Idempotency idempotency) {
  ApiRequest request;
  request.service = service_;
  request.method = method;
  request.path = target.path;
  request.route = target.route;
  request.object = target.object;
  request.body = body;
  request.idempotency = idempotency;
  return session_.SendForJson(call, request);
}

absl::StatusOr<json::Value> ApiClient::Put(const CallContext& call, const failpoint::Site& site,
                                           const std::string& method, const Target& target, const json::Value& body) {
  return failpoint::Around(site, [&] { return Change(call, method, target, body, http::Idempotency::kIdempotent); });
}

absl::StatusOr<json::Value> ApiClient::Once(const CallContext& call, const failpoint::Site& site, const Target& target,
                                            const json::Value& body) {
  return failpoint::Around(site, [&] { return Change(call, "POST", target, body, http::Idempotency::kNotIdempotent); });
}

absl::Status ApiClient::Delete(const CallContext& call, const failpoint::Site& site, const Target& target,
                               const Query& query) {
  ApiRequest request;
  request.service = service_;
  request.method = "DELETE";
  request.path = target.path;
  request.query = query.text();
  request.route = target.route;
  request.object = target.object;
  const absl::Status status = failpoint::Around(site, [&] { return session_.Send(call, request).status(); });
  return HttpStatusOf(status) == 404 ? absl::OkStatus() : status;
}

absl::Status LostCall(failpoint::When when, const std::string& point) {
  const bool before = when == failpoint::When::kBefore;
  return StatusFrom(http::WithOutcome(absl::UnavailableError("failpoint " + point),
                                      before ? http::Outcome::kNotSent : http::Outcome::kUnknown),
                    Asked{.service = "cloud", .object = point, .change = true, .secrets = {}});
}

Target Item(const std::string& collection, const std::string& id, const std::string& kind, const std::string& rest) {
  return {collection + "/" + http::UrlEncode(id) + rest, collection + "/{id}" + rest, kind + " " + id};
}

Target Whole(const std::string& collection, const std::string& object) {
  return {collection, collection, object};
}

absl::StatusOr<json::Value> Member(const absl::StatusOr<json::Value>& answer, const std::string& key,
                                   const std::string& object) {
  if (!answer.ok()) return answer.status();
  const json::Value* member = answer->Find(key);
  if (member != nullptr && member->IsObject()) return *member;
  return http::WithOutcome(
      Error(absl::StatusCode::kInternal, "BAD_ANSWER", object + ": the answer does not hold " + key)
          .Object(object)
          .Remedy("Check what stands between us and the service; this does not look like its answer."),
      http::Outcome::kUnknown);
}

}  // namespace protector::openstack
