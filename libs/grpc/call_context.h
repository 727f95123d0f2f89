#pragma once
// Who calls, with which request id and until when: what a handler knows of its call without seeing gRPC.
//
// Threads: a value; `cancelled` may be called from any thread while the call lasts. Failure: none.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "libs/base/purpose.h"
#include "libs/grpc/identity.h"
#include "libs/grpc/user.h"

namespace protector::rpc {

// Metadata keys that carry the caller's context between our programs.
inline constexpr char kRequestIdKey[] = "x-protector-request-id";
// Of texts that people choose: "-bin", because only such values may hold more than ASCII.
inline constexpr char kProjectKey[] = "x-protector-project-bin";               // project id or name
inline constexpr char kProjectDomainKey[] = "x-protector-project-domain-bin";  // domain of a project given by name
inline constexpr char kUserKey[] = "x-protector-user-bin";
// The command line's: a Keystone token, and the name of the site whose Keystone issued it (absent: the called one's).
inline constexpr char kTokenKey[] = "x-protector-token";
inline constexpr char kTokenSiteKey[] = "x-protector-token-site";
inline constexpr char kTokenRegistryKey[] = "x-protector-token-registry";  // where that site's registry is
// What the call is made for (libs/base/purpose.h).
inline constexpr char kOperationKey[] = "x-protector-operation";
inline constexpr char kStepKey[] = "x-protector-step";
inline constexpr char kTaskKey[] = "x-protector-task-bin";
inline constexpr char kEpochKey[] = "x-protector-epoch";

struct CallContext {
  std::string request_id;  // the caller's, or one that was made for this call
  // As its token says for a call of the command line; of a service's, and without TLS, as the caller says.
  std::string project;  // empty: a service or an operator of the whole site
  std::string project_domain;
  std::string user;
  std::shared_ptr<const User> proven;  // whom its token belongs to; nullptr: a service, or a connection without TLS
  // The caller sees and changes this project's objects only; nullopt: all.
  std::optional<Tenant> tenant;
  Credentials credentials;  // what it shows for that; a secret, for the host only
  Purpose purpose;          // the caller's, for logs; no decision rests on it
  Identity caller;          // what its certificate proves; empty on a connection without TLS
  std::string method;       // "/protector.site.v1.SiteRegistry/GetSite"
  std::string peer;         // as gRPC names it: "ipv4:127.0.0.1:40000"
  absl::Time deadline = absl::InfiniteFuture();
  std::function<bool()> cancelled = [] { return false; };  // the caller is gone or the deadline has passed
};

}  // namespace protector::rpc
