// The half of Nova that conductor and compute are: one worker at a time carries out what a server's task state says.
#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/nova/nova.h"

namespace protector::ossim {
namespace {

constexpr int64_t kAgainMs = 10;
constexpr int64_t kShutdownTimeoutMs = 60000;  // Nova's shutdown_timeout: then the plug is pulled

}  // namespace

void Nova::Start(const std::string& server_id, const std::string& latency) {
  int64_t delay = latency.empty() ? kAgainMs : site_.latency.SampleMs(latency);
  site_.scheduler.After(delay, [this, server_id] { Step(server_id); });
}

bool Nova::Change(const std::string& server_id, const json& changes, const std::string& while_task) {
  Store::Lock lock(site_.store);
  const json* s = site_.store.table("servers").Find(server_id);
  if (s == nullptr || (while_task != "*" && Text(*s, "task_state") != while_task)) return false;
  json doc = *s;
  doc.update(changes);
  Save(std::move(doc));
  return true;
}

void Nova::Break(const std::string& server_id, const std::string& task, const std::string& message) {
  constexpr int code = 500;
  spdlog::warn("server {}: {}", server_id, message);
  Store::Lock lock(site_.store);
  const json* s = site_.store.table("servers").Find(server_id);
  if (s == nullptr) return;
  json doc = *s;
  doc.update(
      {{"vm_state", "error"},
       {"power_state", 0},
       {"fault", {{"code", code}, {"created", IsoSeconds(NowMs())}, {"message", message}, {"details", message}}}});
  // A delete that was asked for meanwhile still comes.
  if (task == Text(doc, "task_state") || Text(doc, "task_state") != "deleting") doc["task_state"] = nullptr;
  Save(std::move(doc));
}

void Nova::Step(const std::string& server_id) {
  {
    std::lock_guard<std::mutex> lock(busy_mutex_);
    if (!busy_.insert(server_id).second) {
      Start(server_id, "");  // another worker has it; look again when it is done
      return;
    }
  }
  json server;
  {
    Store::Lock lock(site_.store);
    const json* s = site_.store.table("servers").Find(server_id);
    if (s != nullptr) server = *s;
  }
  if (!server.is_null()) {
    std::string task = Text(server, "task_state");
    if (task == "scheduling" || task == "block_device_mapping" || task == "spawning")
      DoBuild(server);
    else if (task == "powering-off")
      DoStop(server);
    else if (task == "powering-on")
      DoStart(server, false);
    else if (task == "rebooting" || task == "rebooting_hard")
      DoStart(server, true);
    else if (task == "deleting")
      DoDelete(server);
    else {
      DoNics(server);
      DoDisks(server);
    }
  }
  std::lock_guard<std::mutex> lock(busy_mutex_);
  busy_.erase(server_id);
}

std::vector<GuestDisk> Nova::Disks(const json& server) {
  std::vector<GuestDisk> out;
  for (const json& b : server.at("bdms")) {
    const json* v = site_.store.table("volumes").Find(Text(b, "volume_id"));
    if (v == nullptr || Text(b, "state") != "attached") continue;
    out.push_back({Text(b, "volume_id"), Text(*v, "serial"), Text(b, "device"), Number(*v, "size") << 30});
  }
  return out;
}

// "" or what went wrong.
std::string Nova::PrepareNetworks(json& server) {
  Identity who;
  who.project_id = Text(server, "project_id");
  who.user_id = Text(server, "user_id");
  for (size_t i = 0; i < server["nics"].size(); ++i) {
    Store::Lock lock(site_.store);
    const json* now = site_.store.table("servers").Find(Text(server, "id"));
    if (now == nullptr) return "the server is gone";
    server = *now;
    json& nic = server["nics"][i];
    try {
      if (Text(nic, "port_id").empty()) {
        json port = {{"network_id", nic.at("network_id")}};
        if (!Text(nic, "fixed_ip").empty()) port["fixed_ips"] = json::array({{{"ip_address", nic.at("fixed_ip")}}});
        json groups = json::array();
        for (const json& name : server.at("security_groups"))
          groups.push_back(neutron_.SecurityGroupId(who.project_id, name.get<std::string>()));
        port["security_groups"] = groups;
        nic["port_id"] = neutron_.CreatePort(who, port).at("id");
      } else {
        const json* port = site_.store.table("ports").Find(Text(nic, "port_id"));
        if (port == nullptr) return fmt::format("Port {} could not be found.", Text(nic, "port_id"));
        std::string holder = Text(*port, "device_id");
        if (!holder.empty() && holder != Text(server, "id"))
          return fmt::format("Port {} is still in use.", Text(nic, "port_id"));
      }
      neutron_.BindPort(Text(nic, "port_id"), Text(server, "id"), site_.ComputeHost(), Text(server, "az"));
      // What was done is recorded with it, so that a restart finds it.
      Save(server);
    } catch (const ApiError& e) {
      lock.Rollback();
      return e.message;
    }
  }
  Store::Lock lock(site_.store);
  const json* now = site_.store.table("servers").Find(Text(server, "id"));
  if (now == nullptr) return "the server is gone";
  server = *now;
  if (Text(server, "task_state") != "deleting") server["task_state"] = "block_device_mapping";
  server["host"] = site_.ComputeHost();
  Save(server);
  return "";
}

// The disks as a worker knows them into the server as it is by now: requests may have changed the rest of it.
void Nova::MergeDisks(const json& server) {
  const json* now = site_.store.table("servers").Find(Text(server, "id"));
  if (now == nullptr) return;
  json doc = *now;
  doc["bdms"] = server.at("bdms");
  Save(std::move(doc));
}

// "" or what went wrong; "again" while a volume is still being made.
std::string Nova::PrepareVolumes(json& server) {
  std::string id = Text(server, "id");
  for (json& b : server["bdms"]) {
    if (Text(b, "state") == "attached") continue;
    if (!b.at("create").is_null()) {
      Store::Lock lock(site_.store);
      Identity who;
      who.project_id = Text(server, "project_id");
      who.user_id = Text(server, "user_id");
      try {
        if (Text(b, "volume_id").empty()) {
          json v = cinder_.CreateVolume(who, b.at("create"));
          b["volume_id"] = v.at("id");
          MergeDisks(server);
        }
        const json* v = site_.store.table("volumes").Find(Text(b, "volume_id"));
        std::string status = v == nullptr ? "error" : Text(*v, "status");
        if (status == "creating") return "again";
        if (status != "available") return fmt::format("Volume {} did not finish being created", Text(b, "volume_id"));
        b["attachment_id"] = cinder_.ReserveForServer(who, Text(b, "volume_id"), id);
        b["create"] = nullptr;
        MergeDisks(server);
      } catch (const ApiError& e) {
        lock.Rollback();
        return e.message;
      }
    }
    absl::Status s = cinder_.ConnectAttachment(Text(b, "attachment_id"), Text(b, "device"));
    if (!s.ok())
      return fmt::format("Volume {} could not be attached: {}", Text(b, "volume_id"), std::string(s.message()));
    b["state"] = "attached";
    Store::Lock lock(site_.store);
    MergeDisks(server);
  }
  return "";
}

void Nova::DoBuild(json server) {
  std::string id = Text(server, "id"), name = Text(server, "name");
  if (site_.faults.Holds("server_build_stuck", name, id)) return Start(id, "");
  if (site_.faults.Behaves("server_build_error", name, id)) {
    return Break(
        id, Text(server, "task_state"),
        "Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures for instance " +
            id + ".");
  }
  std::string wrong = PrepareNetworks(server);
  if (wrong.empty()) wrong = PrepareVolumes(server);
  if (wrong == "again") return Start(id, "");
  if (wrong.empty() && site_.faults.Holds("port_build_stuck", name, id)) return Start(id, "");
  if (!wrong.empty()) {
    for (const json& b : server["bdms"]) {
      if (!Text(b, "attachment_id").empty()) (void)cinder_.RemoveAttachment(Text(b, "attachment_id"));
    }
    return Break(id, "spawning", "Build of instance " + id + " aborted: " + wrong);
  }
  std::vector<GuestDisk> disks;
  {
    Store::Lock lock(site_.store);
    const json* now = site_.store.table("servers").Find(id);
    if (now == nullptr || Text(*now, "task_state") == "deleting") return;  // its delete comes next
    json doc = *now;
    for (const json& nic : doc.at("nics")) neutron_.SetPortStatus(Text(nic, "port_id"), "ACTIVE");
    doc.update(
        {{"vm_state", "active"}, {"task_state", nullptr}, {"power_state", 1}, {"launched_at", IsoMicros(NowMs())}});
    disks = Disks(doc);
    Save(doc);
  }
  guests_.Start(id, name, disks);
}

void Nova::DoStop(const json& server) {
  std::string id = Text(server, "id"), name = Text(server, "name");
  if (site_.faults.Behaves("stop_error", name, id)) {
    Change(id, {{"task_state", nullptr}}, "powering-off");
    return;
  }
  if (site_.faults.Holds("ignore_graceful_stop", name, id, kShutdownTimeoutMs)) return Start(id, "");
  guests_.Stop(id);
  Change(id, {{"vm_state", "stopped"}, {"task_state", nullptr}, {"power_state", 4}}, "powering-off");
}

void Nova::DoStart(const json& server, bool reboot) {
  std::string id = Text(server, "id"), name = Text(server, "name");
  if (reboot) guests_.Stop(id);
  if (site_.faults.Behaves("start_error", name, id))
    return Break(id, Text(server, "task_state"), "injected start error");
  std::vector<GuestDisk> disks;
  {
    Store::Lock lock(site_.store);
    disks = Disks(server);
  }
  guests_.Start(id, name, disks);
  Change(id, {{"vm_state", "active"}, {"task_state", nullptr}, {"power_state", 1}, {"fault", nullptr}},
         Text(server, "task_state"));
}

void Nova::DoDelete(const json& server) {
  std::string id = Text(server, "id");
  if (site_.faults.Behaves("server_delete_error", Text(server, "name"), id))
    return Break(id, "deleting", "injected delete error");
  guests_.Stop(id);
  for (const json& b : server.at("bdms")) {
    std::string attachment = Text(b, "attachment_id");
    absl::Status s = attachment.empty() ? absl::OkStatus() : cinder_.RemoveAttachment(attachment);
    if (!s.ok())
      return Break(id, "deleting",
                   fmt::format("Volume {} could not be detached: {}", Text(b, "volume_id"), std::string(s.message())));
  }
  Store::Lock lock(site_.store);
  Identity admin;
  admin.is_admin = true;
  for (const json& b : server.at("bdms")) {
    std::string volume = Text(b, "volume_id");
    if (volume.empty() || !b.at("delete_on_termination").get<bool>()) continue;
    try {
      cinder_.DeleteVolume(admin, volume, false);
    } catch (const ApiError& e) {
      spdlog::warn("server {}: its volume {} is kept: {}", id, volume, e.message);
    }
  }
  for (const json& nic : server.at("nics")) {
    std::string port = Text(nic, "port_id");
    const json* doc = site_.store.table("ports").Find(port);
    if (doc == nullptr || Text(*doc, "device_id") != id) continue;
    if (nic.at("ours").get<bool>()) {
      neutron_.DropPort(port);
    } else {
      neutron_.UnbindPort(port);
    }
  }
  std::string group = Text(server, "group_id");
  if (const json* g = site_.store.table("server_groups").Find(group)) {
    json doc = *g;
    doc["members"].erase(std::remove(doc["members"].begin(), doc["members"].end(), json(id)), doc["members"].end());
    site_.store.table("server_groups").Put(group, doc);
  }
  site_.store.table("servers").Erase(id);
}

// Disks that are coming or going while the server is up (or stopped).
void Nova::DoDisks(const json& server) {
  std::string id = Text(server, "id");
  for (const json& b : server.at("bdms")) {
    std::string state = Text(b, "state"), volume = Text(b, "volume_id");
    if (state != "attaching" && state != "detaching") continue;
    absl::Status s;
    if (state == "attaching") {
      s = cinder_.ConnectAttachment(Text(b, "attachment_id"), Text(b, "device"));
    } else {
      guests_.Detach(id, volume);
      s = cinder_.RemoveAttachment(Text(b, "attachment_id"));
    }
    Store::Lock lock(site_.store);
    const json* now = site_.store.table("servers").Find(id);
    if (now == nullptr) return;
    json doc = *now, kept = json::array();
    for (json entry : doc["bdms"]) {
      if (entry.at("bdm_id") != b.at("bdm_id")) {
        kept.push_back(entry);
      } else if (state == "attaching" && s.ok()) {
        entry["state"] = "attached";
        kept.push_back(entry);
      } else if (state == "attaching") {
        cinder_.ForgetAttachment(Text(b, "attachment_id"));
      } else if (!s.ok()) {
        entry["state"] = "attached";  // the detach failed; it is still there
        kept.push_back(entry);
      }
    }
    doc["bdms"] = kept;
    Save(doc);
    if (state == "attaching" && s.ok()) {
      for (const GuestDisk& d : Disks(doc)) {
        if (d.volume_id == volume) site_.scheduler.After(0, [this, id, d] { guests_.Attach(id, d); });
      }
    }
  }
}

void Nova::DoNics(const json& server) {
  std::string id = Text(server, "id");
  Store::Lock lock(site_.store);
  const json* now = site_.store.table("servers").Find(id);
  if (now == nullptr) return;
  json doc = *now, kept = json::array();
  bool changed = false;
  for (const json& nic : doc.at("nics")) {
    if (Text(nic, "state") != "detaching") {
      kept.push_back(nic);
      continue;
    }
    changed = true;
    if (nic.at("ours").get<bool>()) {
      neutron_.DropPort(Text(nic, "port_id"));
    } else {
      neutron_.UnbindPort(Text(nic, "port_id"));
    }
  }
  if (!changed) return;
  doc["nics"] = kept;
  Save(doc);
}

void Nova::Resume() {
  Store::Lock lock(site_.store);
  site_.store.table("servers").Each([&](const std::string& id, const json& s) {
    bool pending = !Text(s, "task_state").empty();
    for (const json& b : s.at("bdms"))
      pending = pending || Text(b, "state") == "attaching" || Text(b, "state") == "detaching";
    for (const json& n : s.at("nics")) pending = pending || Text(n, "state") == "detaching";
    if (pending) Start(id, "");
    std::string task = Text(s, "task_state");
    bool runs = Text(s, "vm_state") == "active" && task != "powering-on" && task != "deleting";
    if (runs && site_.config.resume_guests) guests_.Start(id, Text(s, "name"), Disks(s));
  });
}

}  // namespace protector::ossim
