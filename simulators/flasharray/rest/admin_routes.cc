// /admins, /admins/api-tokens, /sessions
#include "simulators/flasharray/model/naming.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

const PickRules kAdmins{"User", "names", "ids", true};

Json TokenItem(const Admin& admin, bool expose) {
  if (admin.api_token.empty()) return Json::object();
  return {{"created_at", admin.token_created},
          {"expires_at", admin.token_expires == 0 ? Json(nullptr) : Json(admin.token_expires)},
          {"token", expose ? admin.api_token : "****"}};
}

Json AdminItem(const Admin& admin, bool expose) {
  return {{"name", admin.name}, {"api_token", TokenItem(admin, expose)}, {"is_local", true}, {"locked", false},
          {"password", "****"}, {"role", {{"name", admin.role}}}};
}

Answer List(Tx& tx, const Call& call) {
  // A token is shown to its owner only.
  const bool expose = call.Flag("expose_api_token");
  return ListRows(call, ToRows<Admin>(Candidates(call, tx.tables().admins, kAdmins), [&](const Admin& admin) {
                    return AdminItem(admin, expose && admin.name == call.user);
                  }));
}

Answer CreateToken(Tx& tx, const Call& call) {
  Answer answer;
  for (const auto& row : NeedNamed(call, tx.tables().admins, kAdmins)) {
    if (!row->api_token.empty()) throw ApiError(row->name, "API token already exists.");
    Admin admin = *row;
    admin.api_token = NewUuid();
    admin.token_created = tx.now();
    const auto timeout = call.Integer("timeout").value_or(0);
    admin.token_expires = timeout == 0 ? 0 : tx.now() + timeout;
    tx.Put(admin);
    answer.items.push_back(AdminItem(admin, true));
  }
  return answer;
}

Answer DeleteToken(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().admins, kAdmins)) {
    Admin admin = *row;
    admin.api_token.clear();
    tx.Put(admin);
  }
  Answer answer;
  answer.no_body = true;
  return answer;
}

Answer Create(Tx& tx, const Call& call) {
  Answer answer;
  for (const std::string& name : NewNames(call)) {
    CheckPlainName("User", name, name);
    if (tx.tables().admins.ByName(name)) throw ApiError(name, "User already exists.");
    Admin admin;
    admin.id = NewUuid();
    admin.name = name;
    admin.role = call.BodyHas("role") ? TextAt(call.body["role"], "name").value_or("readonly") : "readonly";
    tx.Put(admin);
    answer.items.push_back(AdminItem(admin, false));
  }
  return answer;
}

Answer Delete(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().admins, kAdmins)) {
    if (row->name == "pureuser") throw ApiError(row->name, "The built-in user cannot be deleted.");
    tx.Erase(*row);
  }
  Answer answer;
  answer.no_body = true;
  return answer;
}

}  // namespace

void AddAdminRoutes(Dispatcher* dispatcher) {
  dispatcher->Route("GET", "/admins", List);
  dispatcher->Route("POST", "/admins", Create);
  dispatcher->Route("DELETE", "/admins", Delete);
  dispatcher->Route("GET", "/admins/api-tokens", List);
  dispatcher->Route("POST", "/admins/api-tokens", CreateToken);
  dispatcher->Route("DELETE", "/admins/api-tokens", DeleteToken);
  Sessions* sessions = dispatcher->context().sessions;
  dispatcher->Route("GET", "/sessions", [sessions](Tx& tx, const Call& call) {
    std::vector<Row> rows;
    for (const Session& session : sessions->List(tx.array().idle_timeout)) {
      rows.push_back({fmt::format("{:010}", session.number), [session] {
                        return Json{{"id", session.id},      {"name", std::to_string(session.number)},
                                    {"end_time", nullptr},   {"event", "login"},
                                    {"event_count", 1},      {"location", session.location},
                                    {"method", "API token"}, {"start_time", session.started},
                                    {"user", session.user},  {"user_interface", "REST"}};
                      }});
    }
    return ListRows(call, std::move(rows));
  });
}

}  // namespace protector::fasim
