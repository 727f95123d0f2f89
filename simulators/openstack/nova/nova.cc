#include "simulators/openstack/nova/nova.h"

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/keystone/keystone.h"

namespace protector::ossim {
namespace {

const char* FaultName(int status) {
  switch (status) {
    case 400:
      return "badRequest";
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "itemNotFound";
    case 405:
      return "badMethod";
    case 409:
      return "conflictingRequest";
    case 413:
      return "overLimit";
    case 415:
      return "badMediaType";
    case 429:
      return "overLimit";
    case 501:
      return "notImplemented";
    case 503:
      return "serviceUnavailable";
    default:
      return "computeFault";
  }
}

}  // namespace

std::unique_ptr<Service> Nova::Build() {
  auto service = std::make_unique<Service>();
  service->name = "nova";
  service->has_latency_per_method = true;
  service->error = [](const ApiError& e) {
    Response r = Response::Json(e.status, {{FaultName(e.status), {{"code", e.status}, {"message", e.message}}}});
    r.headers = e.headers;
    r.content_type = "application/json; charset=UTF-8";
    if (e.status == 413 || e.status == 429) r.headers.emplace_back("Retry-After", "0");
    return r;
  };
  service->negotiate = [](Request& r) {
    r.version = NegotiateMicroversion(r, "compute", "x-openstack-nova-api-version", {2, 1}, {2, 93});
  };
  service->decorate = [](const Request& request, Response& r) {
    if (r.status == 204) r.headers.emplace_back("Content-Type", "application/json");
    r.headers.emplace_back("x-compute-request-id", request.request_id);
    if (request.version.major == 0) return;
    std::string v = fmt::format("{}.{}", request.version.major, request.version.minor);
    r.headers.emplace_back("OpenStack-API-Version", "compute " + v);
    r.headers.emplace_back("X-OpenStack-Nova-API-Version", v);
    r.headers.emplace_back("Vary", "OpenStack-API-Version, X-OpenStack-Nova-API-Version");
  };
  service->rewrite = [](std::vector<std::string>& segments, Request& r) {
    if (!segments.empty() && segments[0] == "v2") segments[0] = "v2.1";
    if (segments.size() > 1 && segments[0] == "v2.1" && LooksLikeUuid(segments[1])) {
      r.headers["-project"] = segments[1];
      segments.erase(segments.begin() + 1);
    }
  };
  auto version = [this] {
    return json{{"id", "v2.1"},
                {"status", "CURRENT"},
                {"version", "2.93"},
                {"min_version", "2.1"},
                {"updated", "2013-07-23T11:33:21Z"},
                {"links", {{{"rel", "self"}, {"href", site_.config.Url("nova") + "/v2.1/"}}}}};
  };
  service->router
      .Add("GET", "/",
           [version, this](Request&) {
             json old = {{"id", "v2.0"},
                         {"status", "SUPPORTED"},
                         {"version", ""},
                         {"min_version", ""},
                         {"updated", "2011-01-21T11:33:21Z"},
                         {"links", {{{"rel", "self"}, {"href", site_.config.Url("nova") + "/v2/"}}}}};
             return Response::Json(200, {{"versions", json::array({old, version()})}});
           })
      .needs_token = false;
  service->router
      .Add("GET", "/v2.1",
           [version](Request&) {
             json v = version();
             v["media-types"] = json::array(
                 {{{"base", "application/json"}, {"type", "application/vnd.openstack.compute+json;version=2.1"}}});
             return Response::Json(200, {{"version", v}});
           })
      .needs_token = false;
  AddServerRoutes(service->router);
  AddMetadataRoutes(service->router);
  AddAttachmentRoutes(service->router);
  AddFlavorRoutes(service->router);
  AddMiscRoutes(service->router);
  AddQuotaRoutes(service->router);
  return service;
}

void Nova::Require(const Request&, const std::string& rule, bool allowed) {
  if (!allowed) Fail(403, fmt::format("Policy doesn't allow {} to be performed.", rule));
}

const json& Nova::Server(const Request& r, const std::string& id) {
  const json* s = site_.store.table("servers").Find(id);
  if (s == nullptr || (!r.identity.is_admin && Text(*s, "project_id") != r.identity.project_id)) {
    Fail(404, fmt::format("Instance {} could not be found.", id));
  }
  return *s;
}

void Nova::Save(json server) {
  server["updated"] = IsoSeconds(NowMs());
  std::string id = Text(server, "id");
  site_.store.table("servers").Put(id, std::move(server));
}

json Nova::Links(const std::string& kind, const std::string& id) {
  std::string base = site_.config.Url("nova");
  return {{{"rel", "self"}, {"href", base + "/v2.1/" + kind + "/" + id}},
          {{"rel", "bookmark"}, {"href", base + "/" + kind + "/" + id}}};
}

std::string StatusOf(const json& server) {
  std::string vm = Text(server, "vm_state"), task = Text(server, "task_state");
  if (vm == "active") return task == "rebooting" ? "REBOOT" : task == "rebooting_hard" ? "HARD_REBOOT" : "ACTIVE";
  if (vm == "building") return "BUILD";
  if (vm == "stopped") return "SHUTOFF";
  if (vm == "error") return "ERROR";
  if (vm == "deleted") return "DELETED";
  return "UNKNOWN";
}

void Nova::Seed(Keystone& keystone) {
  for (const json& f : site_.seed.at("flavors")) {
    site_.store.table("flavors").Put(Text(f, "id"), {{"id", f.at("id")},
                                                     {"name", f.at("name")},
                                                     {"vcpus", f.at("vcpus")},
                                                     {"ram", f.at("ram")},
                                                     {"disk", f.at("disk")},
                                                     {"ephemeral", 0},
                                                     {"swap", 0},
                                                     {"rxtx_factor", 1.0},
                                                     {"is_public", true},
                                                     {"description", nullptr},
                                                     {"extra_specs", f.value("extra_specs", json::object())}});
  }
  for (const json& k : site_.seed.at("keypairs")) {
    std::string user = keystone.UserId(k.value("user", "demo")), name = Text(k, "name");
    site_.store.table("keypairs")
        .Put(user + "|" + name,
             {{"name", name},
              {"user_id", user},
              {"type", "ssh"},
              {"created_at", IsoSeconds(NowMs())},
              {"public_key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + Sha256Hex(name).substr(0, 43) + " lab"},
              {"fingerprint", "3a:1f:5c:00:9d:2e:77:41:b8:60:12:ef:8a:90:4b:d1"}});
  }
}

const json& Nova::Flavor(const std::string& id) {
  const json* f = site_.store.table("flavors").Find(id);
  if (f == nullptr) Fail(404, fmt::format("Flavor {} could not be found.", id));
  return *f;
}

json Nova::ShowFlavor(const Request& r, const json& f) {
  json out = {{"id", f.at("id")},
              {"name", f.at("name")},
              {"ram", f.at("ram")},
              {"disk", f.at("disk")},
              {"vcpus", f.at("vcpus")},
              {"OS-FLV-EXT-DATA:ephemeral", f.at("ephemeral")},
              {"OS-FLV-DISABLED:disabled", false},
              {"os-flavor-access:is_public", f.at("is_public")},
              {"rxtx_factor", f.at("rxtx_factor")},
              {"links", Links("flavors", Text(f, "id"))}};
  out["swap"] = f.at("swap") == 0 && !r.version.AtLeast(75) ? json("") : f.at("swap");
  if (r.version.AtLeast(55)) out["description"] = f.at("description");
  if (r.version.AtLeast(61)) out["extra_specs"] = f.at("extra_specs");
  return out;
}

void Nova::AddFlavorRoutes(Router& router) {
  auto list = [this](bool detail) {
    return [this, detail](Request& r) {
      json out = json::array();
      std::string marker = r.Query("marker");
      bool past = marker.empty();
      int64_t limit = r.HasQuery("limit") ? std::atoll(r.Query("limit").c_str()) : 1000;
      if (!past) Flavor(marker);
      site_.store.table("flavors").Each([&](const std::string& id, const json& f) {
        if (!past) {
          past = id == marker;
          return;
        }
        if (!f.at("is_public").get<bool>() && !r.identity.is_admin) return;
        if (static_cast<int64_t>(out.size()) >= limit) return;
        if (Number(f, "ram") < std::atoll(r.Query("minRam", "0").c_str()) ||
            Number(f, "disk") < std::atoll(r.Query("minDisk", "0").c_str()))
          return;
        json shown = detail ? ShowFlavor(r, f)
                            : json{{"id", f.at("id")}, {"name", f.at("name")}, {"links", Links("flavors", id)}};
        if (!detail && r.version.AtLeast(55)) shown["description"] = f.at("description");
        out.push_back(std::move(shown));
      });
      return Response::Json(200, {{"flavors", out}});
    };
  };
  router.Add("GET", "/v2.1/flavors", list(false));
  router.Add("GET", "/v2.1/flavors/detail", list(true));
  router.Add("GET", "/v2.1/flavors/{}", [this](Request& r) {
    return Response::Json(200, {{"flavor", ShowFlavor(r, Flavor(r.args[0]))}});
  });
  router.Add("POST", "/v2.1/flavors", [this](Request& r) {
    Require(r, "os_compute_api:os-flavor-manage:create", r.identity.is_admin);
    const json given = Member(r.content, "flavor");
    std::string id = Text(given, "id", NewUuid());
    if (id == "auto") id = NewUuid();
    site_.store.table("flavors").Each([&](const std::string& other, const json& f) {
      if (other == id) Fail(409, fmt::format("Flavor with ID {} already exists.", id));
      if (f.at("name") == Member(given, "name"))
        Fail(409, fmt::format("Flavor with name {} already exists.", Text(given, "name")));
    });
    json doc = {{"id", id},
                {"name", given.at("name")},
                {"vcpus", given.at("vcpus")},
                {"ram", given.at("ram")},
                {"disk", given.at("disk")},
                {"ephemeral", Number(given, "OS-FLV-EXT-DATA:ephemeral")},
                {"swap", Number(given, "swap")},
                {"rxtx_factor", 1.0},
                {"is_public", Truth(Member(given, "os-flavor-access:is_public"), true)},
                {"description", Member(given, "description")},
                {"extra_specs", json::object()}};
    site_.store.table("flavors").Put(id, doc);
    return Response::Json(200, {{"flavor", ShowFlavor(r, doc)}});
  });
  router.Add("DELETE", "/v2.1/flavors/{}", [this](Request& r) {
    Require(r, "os_compute_api:os-flavor-manage:delete", r.identity.is_admin);
    Flavor(r.args[0]);
    site_.store.table("flavors").Erase(r.args[0]);
    return Response::Empty(202);
  });
  router.Add("GET", "/v2.1/flavors/{}/os-extra_specs", [this](Request& r) {
    return Response::Json(200, {{"extra_specs", Flavor(r.args[0]).at("extra_specs")}});
  });
  router.Add("POST", "/v2.1/flavors/{}/os-extra_specs", [this](Request& r) {
    Require(r, "os_compute_api:os-flavor-extra-specs:create", r.identity.is_admin);
    json doc = Flavor(r.args[0]);
    doc["extra_specs"].update(r.content.at("extra_specs"));
    site_.store.table("flavors").Put(r.args[0], doc);
    return Response::Json(200, {{"extra_specs", doc["extra_specs"]}});
  });
}

}  // namespace protector::ossim
