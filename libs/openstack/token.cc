#include "libs/openstack/token.h"

#include <algorithm>

#include "libs/base/error.h"

namespace protector::openstack {
namespace {

using json::Value;

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// {"id": ...} or {"name": ...}; a user or project without any domain is in the default one.
Value Domain(const cloudconfig::Cloud& cloud, const std::string& prefix) {
  if (const std::string id = cloud.Auth(prefix + "_id"); !id.empty()) return Value::Object({{"id", id}});
  if (const std::string name = cloud.Auth(prefix + "_name"); !name.empty()) return Value::Object({{"name", name}});
  if (const std::string name = cloud.Auth("default_domain_name"); !name.empty()) return Value::Object({{"name", name}});
  const std::string id = cloud.Auth("default_domain_id");
  return Value::Object({{"id", id.empty() ? "default" : id}});
}

Value User(const cloudconfig::Cloud& cloud) {
  if (const std::string id = cloud.Auth("user_id"); !id.empty()) return Value::Object({{"id", id}});
  return Value::Object({{"name", cloud.Auth("username")}, {"domain", Domain(cloud, "user_domain")}});
}

Value Identity(const cloudconfig::Cloud& cloud) {
  if (cloud.auth_type == "v3applicationcredential") {
    Value credential = Value::Object({{"secret", cloud.Auth("application_credential_secret")}});
    if (const std::string id = cloud.Auth("application_credential_id"); !id.empty()) {
      credential.Set("id", id);
    } else {
      credential.Set("name", cloud.Auth("application_credential_name")).Set("user", User(cloud));
    }
    return Value::Object(
        {{"methods", Value::Array({"application_credential"})}, {"application_credential", credential}});
  }
  if (cloud.auth_type == "token" || cloud.auth_type == "v3token") {
    return Value::Object(
        {{"methods", Value::Array({"token"})}, {"token", Value::Object({{"id", cloud.Auth("token")}})}});
  }
  return Value::Object({{"methods", Value::Array({"password"})},
                        {"password", Value::Object({{"user", User(cloud).Set("password", cloud.Auth("password"))}})}});
}

Value Scope(const cloudconfig::Cloud& cloud, const std::string& project_id) {
  const std::string id = project_id.empty() ? cloud.Auth("project_id") : project_id;
  if (!id.empty()) return Value::Object({{"project", Value::Object({{"id", id}})}});
  if (const std::string name = cloud.Auth("project_name"); !name.empty()) {
    return Value::Object({{"project", Value::Object({{"name", name}, {"domain", Domain(cloud, "project_domain")}})}});
  }
  if (const std::string domain = cloud.Auth("domain_id"); !domain.empty()) {
    return Value::Object({{"domain", Value::Object({{"id", domain}})}});
  }
  if (const std::string domain = cloud.Auth("domain_name"); !domain.empty()) {
    return Value::Object({{"domain", Value::Object({{"name", domain}})}});
  }
  if (!cloud.Auth("system_scope").empty()) return Value::Object({{"system", Value::Object({{"all", true}})}});
  return {};
}

absl::Time Time(const Value& token, const std::string& key) {
  absl::Time time = absl::InfinitePast();
  std::string error;
  absl::ParseTime(absl::RFC3339_full, token.GetStringOr(key, ""), &time, &error);
  return time;
}

}  // namespace

Value AuthRequest(const cloudconfig::Cloud& cloud, const std::string& project_id) {
  Value auth = Value::Object({{"identity", Identity(cloud)}});
  if (cloud.auth_type != "v3applicationcredential") {  // it is bound to its project; a scope would be refused
    const Value scope = Scope(cloud, project_id);
    if (!scope.IsNull()) auth.Set("scope", scope);
  }
  return Value::Object({{"auth", auth}});
}

absl::StatusOr<TokenInfo> ParseTokenInfo(const Value& body) {
  const Value* token = body.Find("token");
  if (token == nullptr || !token->IsObject()) {
    return Error(absl::StatusCode::kInvalidArgument, "NOT_KEYSTONE", "the answer does not hold a token")
        .Remedy("Check that auth_url is the address of Keystone's v3 API.");
  }
  TokenInfo info;
  info.user_id = token->GetStringOr("user.id", "");
  info.user_name = token->GetStringOr("user.name", "");
  info.user_domain_id = token->GetStringOr("user.domain.id", "");
  info.user_domain_name = token->GetStringOr("user.domain.name", "");
  info.project_id = token->GetStringOr("project.id", "");
  info.project_name = token->GetStringOr("project.name", "");
  info.project_domain_id = token->GetStringOr("project.domain.id", "");
  info.project_domain_name = token->GetStringOr("project.domain.name", "");
  info.is_admin_project = token->GetBoolOr("is_admin_project", true);
  info.expires_at = Time(*token, "expires_at");
  for (const Value& role : token->GetItems("roles")) info.roles.push_back(role.GetStringOr("name", ""));
  for (const Value& service : token->GetItems("catalog")) {
    for (const Value& endpoint : service.GetItems("endpoints")) {
      info.catalog.push_back(
          {service.GetStringOr("type", ""), service.GetStringOr("name", ""), endpoint.GetStringOr("interface", ""),
           endpoint.GetStringOr("region_id", endpoint.GetStringOr("region", "")), endpoint.GetStringOr("url", "")});
    }
  }
  return info;
}

absl::StatusOr<Token> ParseToken(const std::string& subject_token, const std::string& body) {
  const absl::StatusOr<Value> document = json::Parse(body);
  absl::StatusOr<TokenInfo> info = ParseTokenInfo(document.ok() ? *document : Value());
  if (!info.ok()) return info.status();
  if (subject_token.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "NOT_KEYSTONE", "the answer has no X-Subject-Token")
        .Remedy("Check that auth_url is the address of Keystone's v3 API and that no proxy removes headers.");
  }
  const absl::Time issued = Time(*document->Find("token"), "issued_at");
  const bool timed = issued != absl::InfinitePast() && info->expires_at > issued;
  return Token{subject_token, *info, timed ? info->expires_at - issued : absl::Hours(1)};
}

std::string IdentityBase(const std::string& auth_url) {
  std::string base = auth_url;
  while (!base.empty() && base.back() == '/') base.pop_back();
  if (EndsWith(base, "/auth/tokens")) base.resize(base.size() - 12);
  if (EndsWith(base, "/v2.0")) base.resize(base.size() - 5);
  return EndsWith(base, "/v3") ? base : base + "/v3";
}

bool TokenInfo::HasRole(const std::string& name) const {
  return std::find(roles.begin(), roles.end(), name) != roles.end();
}

}  // namespace protector::openstack
