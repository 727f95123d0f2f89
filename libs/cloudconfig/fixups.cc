#include "libs/cloudconfig/fixups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "libs/base/error.h"

namespace protector::cloudconfig {
namespace {

using json::Value;

const std::set<std::string>& AuthKeys() {
  static const std::set<std::string> kKeys = {"auth_url",
                                              "system_scope",
                                              "domain_id",
                                              "domain_name",
                                              "project_id",
                                              "project_name",
                                              "project_domain_id",
                                              "project_domain_name",
                                              "trust_id",
                                              "default_domain_id",
                                              "default_domain_name",
                                              "user_id",
                                              "username",
                                              "user_domain_id",
                                              "user_domain_name",
                                              "password",
                                              "token",
                                              "application_credential_id",
                                              "application_credential_name",
                                              "application_credential_secret",
                                              "passcode",
                                              "endpoint"};
  return kKeys;
}

// What a login of this kind takes; other keys stay outside "auth".
bool TakesKey(const std::string& auth_type, const std::string& key) {
  if (AuthKeys().count(key) == 0) return false;
  const bool is_token = auth_type == "token" || auth_type == "v3token";
  const bool is_user_key = key.rfind("user", 0) == 0 || key == "password";
  const bool is_application = key.rfind("application_credential", 0) == 0;
  const bool is_generic_only = key.rfind("default_domain", 0) == 0;
  if (auth_type == "none" || key == "endpoint") return auth_type == "none" && key == "endpoint";
  if (key == "token") return is_token;
  if (key == "passcode") return false;
  if (is_application) return auth_type == "v3applicationcredential";
  if (is_generic_only) return auth_type == "password" || auth_type == "token";
  if (is_user_key && is_token) return false;
  return key != "password" || auth_type != "v3applicationcredential";
}

Value* AuthOf(Value& config) {
  return config.FindMutable("auth");
}

// The last spelling that is there wins, and in one spelling the one inside "auth".
void MoveIntoAuth(Value& config, const std::string& target, const std::vector<std::string>& spellings) {
  std::string value;
  for (const std::string& spelling : spellings) {
    for (Value* place : {&config, AuthOf(config)}) {
      const Value* found = place->Find(spelling);
      if (found == nullptr) continue;
      if (!found->IsNull()) value = Text(*found);
      place->Erase(spelling);
    }
  }
  if (!value.empty()) AuthOf(config)->Set(target, value);
}

void FixTimeout(Value& config) {
  std::optional<Value> service_timeout;
  const Value::Members members = config.members();
  for (const auto& [key, value] : members) {
    const bool ends = key.size() >= 7 && key.compare(key.size() - 7, 7, "timeout") == 0;
    if (!ends || key == "timeout" || key == "api_timeout") continue;
    service_timeout = value;
    config.Erase(key);
  }
  if (service_timeout.has_value() && !service_timeout->IsNull()) config.Set("api_timeout", *service_timeout);
}

}  // namespace

std::string Underscores(std::string key) {
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

bool IsTrue(const Value& value) {
  if (value.IsBool()) return *value.AsBool();
  std::string text = value.AsString().value_or("");
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text == "true";
}

bool IsSet(const Value* value) {
  if (value == nullptr || value->IsNull()) return false;
  if (value->IsBool()) return *value->AsBool();
  return !value->IsString() || !value->AsString()->empty();
}

std::string Text(const Value& value) {
  if (value.IsBool()) return *value.AsBool() ? "True" : "False";
  return value.AsString().value_or("");
}

// Options go where they win: into "auth" when they belong there, and what says the same otherwise goes.
void ApplyOptions(const Options& options, Value& config) {
  static const std::map<std::string, std::vector<std::string>> kReplaces = {
      {"project_name", {"project_id", "tenant_id", "tenant_name"}},
      {"project_id", {"project_name", "tenant_id", "tenant_name"}},
      {"username", {"user_id", "user_name"}},
      {"user_id", {"username", "user_name"}},
      {"user_domain_name", {"user_domain_id"}},
      {"user_domain_id", {"user_domain_name"}},
      {"project_domain_name", {"project_domain_id"}},
      {"project_domain_id", {"project_domain_name"}}};
  for (const auto& [given, value] : options) {
    const std::string key = Underscores(given);
    if (value.empty() || key == "cloud" || key == "region_name") continue;
    if (AuthKeys().count(key) == 0) {
      config.Set(key, value);
      continue;
    }
    std::vector<std::string> replaced = {key};
    if (const auto others = kReplaces.find(key); others != kReplaces.end()) {
      replaced.insert(replaced.end(), others->second.begin(), others->second.end());
    }
    for (const std::string& other : replaced) {
      for (const char dash : {'_', '-'}) {
        std::string spelling = other;
        std::replace(spelling.begin(), spelling.end(), '_', dash);
        config.Erase(spelling);
        AuthOf(config)->Erase(spelling);
      }
    }
    AuthOf(config)->Set(key, value);
  }
}

void FixSpelling(Value& config) {
  if (IsSet(config.Find("auth_token")) && !config.Has("token")) {
    const Value token = *config.Find("auth_token");
    config.Erase("auth_token");
    config.Set("token", token);
  }
  FixTimeout(config);
  if (const Value* type = config.Find("endpoint_type")) {
    const Value interface = *type;
    config.Erase("endpoint_type");
    config.Set("interface", interface);
  }
  for (const char* old : {"auth_plugin", "auth-type"}) config.Erase(old);  // auth_type, which always has a value, wins
  for (const std::string key :
       {"domain_id", "domain_name", "user_domain_id", "user_domain_name", "project_domain_id", "project_domain_name"}) {
    std::string dashed = key;
    std::replace(dashed.begin(), dashed.end(), '_', '-');
    MoveIntoAuth(config, key, {key, dashed});
  }
  MoveIntoAuth(config, "token", {"auth-token", "auth_token", "token"});
  MoveIntoAuth(config, "project_id", {"tenant_id", "tenant-id", "project_id", "project-id"});
  MoveIntoAuth(config, "project_name", {"tenant_name", "tenant-name", "project_name", "project-name"});
  const Value::Members members = config.members();
  for (const auto& [key, value] : members) {  // volume_endpoint_type and the like
    constexpr size_t kLength = sizeof("endpoint_type") - 1;
    if (key.size() <= kLength || key.compare(key.size() - kLength, kLength, "endpoint_type") != 0) continue;
    config.Set(key.substr(0, key.size() - kLength) + "interface", value);
    config.Erase(key);
  }
}

// A domain that is given once counts for user and project when a project is the scope.
void FixDomain(Value& config) {
  Value& auth = *AuthOf(config);
  if (!auth.Has("project_id") && !auth.Has("project_name")) return;
  for (const std::string kind : {"id", "name"}) {
    const Value* found = auth.Find("domain_" + kind);
    if (found == nullptr) continue;
    const Value domain = *found;
    for (const std::string who : {"user_domain_", "project_domain_"}) {
      if (!auth.Has(who + kind)) auth.Set(who + kind, domain);
    }
    auth.Erase("domain_" + kind);
  }
}

absl::StatusOr<std::string> Expand(const std::string& text, const Value& config) {
  std::string expanded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
    if ((text[i] == '{' || text[i] == '}') && doubled) {
      expanded += text[i++];
    } else if (text[i] == '{') {
      const size_t close = text.find('}', i);
      const std::string key = close == std::string::npos ? "" : text.substr(i + 1, close - i - 1);
      const Value* value = config.Find(key);
      if (value == nullptr || value->IsObject() || value->IsArray()) {
        return Error(absl::StatusCode::kInvalidArgument, "BAD_CLOUDS_FILE",
                     fmt::format("auth_url names a setting {{{}}} that the cloud does not have", key))
            .Remedy("Correct the text between the braces in auth_url.");
      }
      expanded += Text(*value);
      i = close;
    } else {
      expanded += text[i];
    }
  }
  return expanded;
}

Value WithUnderscores(const Value& config) {
  Value normal = Value::Object();
  for (const auto& [key, value] : config.members()) {
    normal.Set(Underscores(key), value.IsObject() ? WithUnderscores(value) : value);
  }
  return normal;
}

// Settings of the login that stand beside "auth" go into it; what is there already wins; empty ones go.
void CollectAuth(const std::string& auth_type, Value& config) {
  Value& auth = *AuthOf(config);
  const auto settle = [&](const std::string& key, const std::vector<std::string>& spellings) {
    std::string winner;
    for (const Value* place : {static_cast<const Value*>(&auth), static_cast<const Value*>(&config)}) {
      for (const std::string& spelling : spellings) {
        if (winner.empty() && IsSet(place->Find(spelling))) winner = Text(*place->Find(spelling));
      }
    }
    for (const std::string& spelling : spellings) {
      config.Erase(spelling);
      auth.Erase(spelling);
    }
    if (!winner.empty()) auth.Set(key, winner);
  };
  for (const std::string& key : AuthKeys()) {
    if (!TakesKey(auth_type, key)) continue;
    settle(key, key == "username" ? std::vector<std::string>{"username", "user_name"} : std::vector<std::string>{key});
  }
}

}  // namespace protector::cloudconfig
