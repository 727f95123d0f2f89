#pragma once
// Logging in at Keystone v3: what is sent, what comes back.
//
// Threads: functions over values. Failure: INVALID_ARGUMENT for an answer that is not Keystone's.

#include <string>

#include "absl/status/statusor.h"
#include "libs/cloudconfig/cloudconfig.h"
#include "libs/json/json.h"
#include "libs/openstack/keystone.h"

namespace protector::openstack {

struct Token {
  std::string value;  // a secret
  TokenInfo info;
  absl::Duration lifetime;  // from issue to expiry, by the service's clock
};

// The body of POST /auth/tokens. project_id not empty: that project instead of the configured scope.
json::Value AuthRequest(const cloudconfig::Cloud& cloud, const std::string& project_id);

// The document of a token, as POST and GET /auth/tokens return it.
absl::StatusOr<TokenInfo> ParseTokenInfo(const json::Value& body);
absl::StatusOr<Token> ParseToken(const std::string& subject_token, const std::string& body);

// "http://h:5000", "http://h/identity/v3/", "http://h:5000/v2.0" -> with "/v3" and no slash at the end.
std::string IdentityBase(const std::string& auth_url);

}  // namespace protector::openstack
