#pragma once
// What the clients of all services share: requests in one line, lists over all their pages.
//
// Threads: safe for all, as Session is. Ownership: the Session outlives it. Failure: as call.h says.

#include <memory>
#include <string>
#include <vector>

#include "libs/failpoint/failpoint.h"
#include "libs/openstack/session.h"

namespace protector::openstack {

// "a=1&b=x%20y"; empty values are left out.
class Query {
 public:
  Query& Add(const std::string& name, const std::string& value);
  Query& AddAll(const std::string& name, const std::vector<std::string>& values);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Where a call goes and what it is about.
struct Target {
  std::string path;    // "/servers/6f3a/action"
  std::string route;   // "/servers/{id}/action"
  std::string object;  // "server 6f3a"
};

class ApiClient {
 public:
  ApiClient(Session& session, Service service) : session_(session), service_(service) {}

  absl::StatusOr<json::Value> Get(const CallContext& call, const Target& target, const Query& query = {});

  // Every page of a list; `key` names its array. `marker` is the path of what the next page begins after.
  // Begins again, a few times, when somebody deletes that between two pages.
  absl::StatusOr<std::vector<json::Value>> List(const CallContext& call, const Target& target, const Query& query,
                                                const std::string& key, const std::string& marker = "id");

  // Every change names the failpoints around it; they are made with LostCall as their error.
  //
  // A change that says what the end state is: repeated when its outcome is unknown.
  absl::StatusOr<json::Value> Put(const CallContext& call, const failpoint::Site& site, const std::string& method,
                                  const Target& target, const json::Value& body);
  // A change that must not happen twice.
  absl::StatusOr<json::Value> Once(const CallContext& call, const failpoint::Site& site, const Target& target,
                                   const json::Value& body);
  // Gone already counts as done.
  absl::Status Delete(const CallContext& call, const failpoint::Site& site, const Target& target,
                      const Query& query = {});

  Session& session() { return session_; }

 private:
  absl::StatusOr<json::Value> Change(const CallContext& call, const std::string& method, const Target& target,
                                     const json::Value& body, http::Idempotency idempotency);

  Session& session_;
  const Service service_;
};

// What a failpoint's `error` looks like here: no connection before the change, no answer after it.
absl::Status LostCall(failpoint::When when, const std::string& point);

// For the collection "/servers": {"/servers/6f3a/action", "/servers/{id}/action", "server 6f3a"}.
Target Item(const std::string& collection, const std::string& id, const std::string& kind,
            const std::string& rest = "");
Target Whole(const std::string& collection, const std::string& object);

// A value of the answer that must be there, or INTERNAL.
absl::StatusOr<json::Value> Member(const absl::StatusOr<json::Value>& answer, const std::string& key,
                                   const std::string& object);

std::unique_ptr<NovaApi> NewNova(Session& session);
std::unique_ptr<CinderApi> NewCinder(Session& session);
std::unique_ptr<NeutronApi> NewNeutron(Session& session);
std::unique_ptr<GlanceApi> NewGlance(Session& session);
std::unique_ptr<KeystoneApi> NewKeystone(Session& session);

}  // namespace protector::openstack
