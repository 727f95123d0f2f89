#pragma once
// Who calls, with which request id and until when: what a handler knows of its call without seeing gRPC.
//
// Threads: a value; `cancelled` may be called from any thread while the call lasts. Failure: none.

#include <functional>
#include <string>

#include "absl/time/time.h"

namespace protector::rpc {

// Metadata keys that carry the caller's context between our programs.
inline constexpr char kRequestIdKey[] = "x-protector-request-id";
inline constexpr char kProjectKey[] = "x-protector-project";               // project id or name
inline constexpr char kProjectDomainKey[] = "x-protector-project-domain";  // domain of a project given by name
inline constexpr char kUserKey[] = "x-protector-user";

struct CallContext {
  std::string request_id;  // the caller's, or one that was made for this call
  std::string project;     // empty: a service or an operator of the whole site
  std::string project_domain;
  std::string user;
  std::string method;  // "/protector.site.v1.SiteRegistry/GetSite"
  std::string peer;    // as gRPC names it: "ipv4:127.0.0.1:40000"
  absl::Time deadline = absl::InfiniteFuture();
  std::function<bool()> cancelled = [] { return false; };  // the caller is gone or the deadline has passed
};

}  // namespace protector::rpc
