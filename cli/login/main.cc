// protector-login: logs in at a Keystone for `protector`, which starts it when it needs a token. Not for people.
//
// stdin: one JSON object: auth_type, auth {auth_url, username, password, ...}, region_name, interface, verify, cacert,
// cert, key, timeout_s. stdout: one JSON object, {"token", "expires_at" (seconds since 1970)} or {"code" (absl's),
// "reason", "message", "object", "remedy"}. Secrets go through the pipe only: no argument, no file, no environment.
#include <cstdio>
#include <iostream>
#include <iterator>

#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "libs/http/curl_client.h"
#include "libs/json/json.h"
#include "libs/openstack/cloud.h"

namespace protector {
namespace {

absl::StatusOr<json::Value> LogIn(const std::string& input) {
  PROTECTOR_ASSIGN_OR_RETURN(const json::Value asked, json::Parse(input));
  cloudconfig::Cloud cloud;
  cloud.name = "credentials";
  cloud.auth_type = asked.GetStringOr("auth_type", "");
  cloud.auth = asked.GetStringMap("auth");
  cloud.region_name = asked.GetStringOr("region_name", "");
  cloud.interface = asked.GetStringOr("interface", "public");
  cloud.verify = asked.GetBoolOr("verify", true);
  cloud.cacert = asked.GetStringOr("cacert", "");
  cloud.cert = asked.GetStringOr("cert", "");
  cloud.key = asked.GetStringOr("key", "");
  SystemClock clock;
  RandomIdGenerator ids;
  const auto http = http::NewCurlHttpClient(openstack::CurlOptionsFor(cloud), clock);
  openstack::Dependencies dependencies{*http, clock, http::SystemRandom(), nullptr, &ids, {}};
  PROTECTOR_ASSIGN_OR_RETURN(const auto connected, openstack::Connect(cloud, dependencies));
  openstack::CallContext call;
  call.deadline = absl::Now() + absl::Seconds(asked.GetIntOr("timeout_s", 30));
  PROTECTOR_ASSIGN_OR_RETURN(const std::string token, connected->Token(call));
  PROTECTOR_ASSIGN_OR_RETURN(const openstack::TokenInfo self, connected->keystone().Self(call));
  return json::Value::Object({{"token", token}, {"expires_at", absl::ToUnixSeconds(self.expires_at)}});
}

json::Value Failure(const absl::Status& status) {
  const ErrorDetail detail = DetailOf(status);
  return json::Value::Object({{"code", static_cast<int>(status.code())},
                              {"reason", detail.reason},
                              {"message", MessageOf(status)},
                              {"object", detail.object},
                              {"remedy", detail.remedy}});
}

}  // namespace
}  // namespace protector

int main() {
  std::ios::sync_with_stdio(false);
  const std::string input{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  const auto answer = protector::LogIn(input);
  std::cout << (answer.ok() ? *answer : protector::Failure(answer.status())).Dump() << std::endl;
  return answer.ok() ? 0 : 1;
}
