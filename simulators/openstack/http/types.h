// A request as handlers see it, what they answer, and the error they throw.
//
// Handlers run under the site's lock and end either with a Response or by throwing ApiError, which the dispatcher turns
// into the body that the service at hand gives for that status. The exception never leaves this program's dispatcher;
// it is used because a handler's only reaction to a bad request is to stop. Threads: values, no sharing.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace protector::ossim {

using json = nlohmann::json;

// Who is asking; filled from the token.
struct Identity {
  std::string user_id;
  std::string user_name;
  std::string project_id;
  std::string domain_id;  // for domain scope
  bool system_scope = false;
  std::vector<std::string> roles;
  bool is_admin = false;
  bool Has(const std::string& role) const;
};

struct Microversion {
  int major = 0;
  int minor = 0;
  bool AtLeast(int m) const { return minor >= m; }
};

struct Request {
  std::string service;
  std::string method;
  std::string path;               // decoded, without the query
  std::vector<std::string> args;  // what the {placeholders} of the route matched
  std::multimap<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  json content;  // the parsed body; null when there is none
  std::string request_id;
  std::string host;  // as the client named us, for links
  Identity identity;
  Microversion version;

  std::string Query(const std::string& name, const std::string& fallback = "") const;
  bool HasQuery(const std::string& name) const { return query.count(name) > 0; }
  std::string Header(const std::string& lower_name) const;
};

struct Response {
  int status = 200;
  json body;         // null: no body
  std::string text;  // used when body is null
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;

  static Response Json(int status, json body);
  static Response Empty(int status);
};

struct ApiError {
  int status = 500;
  std::string message;
  std::string type;  // neutron's exception name; others ignore it
  std::vector<std::pair<std::string, std::string>> headers;
};

[[noreturn]] void Fail(int status, const std::string& message, const std::string& type = "");

// A member of a JSON object as text / with a default, tolerant of null and of absent.
std::string Text(const json& object, const char* key, const std::string& fallback = "");
bool Truth(const json& value, bool fallback = false);
int64_t Number(const json& object, const char* key, int64_t fallback = 0);
json Member(const json& object, const char* key);  // null when absent

}  // namespace protector::ossim
