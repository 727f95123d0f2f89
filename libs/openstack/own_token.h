#pragma once
// Whom a Keystone token belongs to, asked with that token itself: any user may validate its own token by Keystone's
// default policy (identity:validate_token allows rule:token_subject, https://docs.openstack.org/keystone/latest/), so
// that who asks needs no account of its own.
//
// Threads: as the HttpClient. Ownership: values. Failure: UNAUTHENTICATED TOKEN_REFUSED when Keystone does not know the
// token (any more); UNAVAILABLE KEYSTONE_UNREACHABLE when it does not answer or cannot; FAILED_PRECONDITION
// KEYSTONE_POLICY when its policy does not let users validate their tokens.

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/http/client.h"
#include "libs/openstack/keystone.h"

namespace protector::openstack {

absl::StatusOr<TokenInfo> AskAboutToken(http::HttpClient& http, const std::string& auth_url, const std::string& token,
                                        absl::Time deadline, const std::string& request_id);

}  // namespace protector::openstack
