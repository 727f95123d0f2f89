#include "simulators/openstack/http/types.h"

#include <algorithm>

#include "simulators/openstack/core/util.h"

namespace protector::ossim {

bool Identity::Has(const std::string& role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

std::string Request::Query(const std::string& name, const std::string& fallback) const {
  auto it = query.find(name);
  return it == query.end() ? fallback : it->second;
}

std::string Request::Header(const std::string& lower_name) const {
  auto it = headers.find(lower_name);
  return it == headers.end() ? "" : it->second;
}

Response Response::Json(int status, json body) {
  Response r;
  r.status = status;
  r.body = std::move(body);
  return r;
}

Response Response::Empty(int status) {
  Response r;
  r.status = status;
  return r;
}

void Fail(int status, const std::string& message, const std::string& type) {
  throw ApiError{status, message, type, {}};
}

std::string Text(const json& object, const char* key, const std::string& fallback) {
  if (!object.is_object()) return fallback;
  auto it = object.find(key);
  if (it == object.end() || it->is_null()) return fallback;
  if (it->is_string()) return it->get<std::string>();
  return it->dump();
}

bool Truth(const json& value, bool fallback) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value != 0;
  if (value.is_string()) {
    std::string t = Lower(value.get<std::string>());
    return t == "true" || t == "1" || t == "yes" || t == "on" || t == "t";
  }
  return fallback;
}

int64_t Number(const json& object, const char* key, int64_t fallback) {
  json v = Member(object, key);
  if (v.is_number()) return v.get<int64_t>();
  if (v.is_string()) {
    try {
      return std::stoll(v.get<std::string>());
    } catch (const std::exception&) {
      return fallback;
    }
  }
  return fallback;
}

json Member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  auto it = object.find(key);
  return it == object.end() ? json() : *it;
}

}  // namespace protector::ossim
