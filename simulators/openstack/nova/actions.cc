// POST /servers/{id}/action and DELETE: what is allowed when.
#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/nova/nova.h"

namespace protector::ossim {

void Nova::CheckLock(const Request& r, const json& server) {
  if (server.at("locked").get<bool>() && !r.identity.is_admin)
    Fail(409, fmt::format("Instance {} is locked", Text(server, "id")));
}

void Nova::CheckTask(const json& server, const std::string& action) {
  std::string task = Text(server, "task_state");
  if (!task.empty()) {
    Fail(409, fmt::format("Cannot '{}' instance {} while it is in task_state {}", action, Text(server, "id"), task));
  }
}

Response Nova::Delete(Request& r) {
  json s = Server(r, r.args[0]);
  CheckLock(r, s);
  if (Text(s, "task_state") != "deleting") {
    s["task_state"] = "deleting";
    Save(s);
    Start(r.args[0], "nova_delete");
  }
  return Response::Empty(204);
}

Response Nova::Action(Request& r) {
  json s = Server(r, r.args[0]);
  std::string id = r.args[0], vm = Text(s, "vm_state");
  if (!r.content.is_object() || r.content.size() != 1) Fail(400, "There is no such action: None");
  std::string action = r.content.begin().key();
  const json given = r.content.begin().value();
  auto require_vm = [&](const std::string& name, std::initializer_list<const char*> states) {
    for (const char* state : states) {
      if (vm == state) return;
    }
    Fail(409, fmt::format("Cannot '{}' instance {} while it is in vm_state {}", name, id, vm));
  };
  auto begin = [&](const std::string& task, const std::string& latency) {
    s["task_state"] = task;
    Save(s);
    Start(id, latency);
    return Response::Empty(202);
  };
  if (action == "os-stop") {
    CheckLock(r, s);
    require_vm("stop", {"active", "error"});
    CheckTask(s, "stop");
    return begin("powering-off", "nova_stop");
  }
  if (action == "os-start") {
    CheckLock(r, s);
    require_vm("start", {"stopped"});
    CheckTask(s, "start");
    return begin("powering-on", "nova_start");
  }
  if (action == "reboot") {
    CheckLock(r, s);
    std::string type = Text(given, "type");
    if (type != "SOFT" && type != "HARD")
      Fail(400, fmt::format("Invalid input for field/attribute type. Value: {}. '{}' is not one of ['HARD', 'Hard', "
                            "'hard', 'SOFT', 'Soft', 'soft']",
                            type, type));
    if (type == "SOFT") {
      require_vm("reboot", {"active"});
    } else {
      require_vm("reboot", {"active", "stopped", "error"});
    }
    CheckTask(s, "reboot");
    return begin(type == "SOFT" ? "rebooting" : "rebooting_hard", "nova_start");
  }
  if (action == "forceDelete") return Delete(r).status == 204 ? Response::Empty(202) : Response::Empty(409);
  if (action == "lock" || action == "unlock") {
    if (action == "unlock" && s.at("locked").get<bool>() && Text(s, "locked_by") == "admin" && !r.identity.is_admin) {
      Require(r, "os_compute_api:os-lock-server:unlock:unlock_override", false);
    }
    bool lock = action == "lock";
    std::string reason = Text(given, "locked_reason");
    if (!reason.empty() && !r.version.AtLeast(73))
      Fail(400,
           "Invalid input for field/attribute lock. Additional properties are not allowed ('locked_reason' was "
           "unexpected)");
    s["locked"] = lock;
    s["locked_reason"] = lock && !reason.empty() ? json(reason) : json();
    s["locked_by"] = lock ? json(r.identity.is_admin ? "admin" : "owner") : json();
    Save(s);
    return Response::Empty(202);
  }
  if (action == "os-resetState") {
    Require(r, "os_compute_api:os-admin-actions:reset_state", r.identity.is_admin);
    std::string state = Text(given, "state");
    if (state != "active" && state != "error")
      Fail(400, fmt::format("Invalid input for field/attribute state. Value: {}.", state));
    s["vm_state"] = state;
    s["task_state"] = nullptr;
    Save(s);
    return Response::Empty(202);
  }
  if (action == "os-getConsoleOutput") {
    return Response::Json(200, {{"output", fmt::format("FAKE CONSOLE OUTPUT\n{} {}\n", Text(s, "name"), StatusOf(s))}});
  }
  if (action == "addSecurityGroup" || action == "removeSecurityGroup") {
    std::string group = neutron_.SecurityGroupId(Text(s, "project_id"), Text(given, "name"));
    if (group.empty())
      Fail(404, fmt::format("Security group {} not found for project {}.", Text(given, "name"), Text(s, "project_id")));
    for (const json& nic : s.at("nics")) {
      const json* found = site_.store.table("ports").Find(Text(nic, "port_id"));
      if (found == nullptr) continue;
      json port = *found, groups = json::array();
      for (const json& g : port.at("security_groups")) {
        if (g != group) groups.push_back(g);
      }
      if (action == "addSecurityGroup") groups.push_back(group);
      port["security_groups"] = groups;
      site_.store.table("ports").Put(Text(port, "id"), port);
    }
    Save(s);
    return Response::Empty(202);
  }
  Fail(400, fmt::format("There is no such action: {}", action));
}

}  // namespace protector::ossim
