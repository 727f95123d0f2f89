#include "simulators/openstack/glance/glance.h"

#include <fmt/format.h>

#include "simulators/openstack/core/util.h"
#include "simulators/openstack/keystone/keystone.h"

namespace protector::ossim {

void Glance::Seed(Keystone& keystone) {
  for (const json& i : site_.seed.at("images")) {
    std::string id = NewUuid(), now = IsoSeconds(NowMs());
    site_.store.table("images").Put(id, {{"id", id},
                                         {"name", i.at("name")},
                                         {"size", i.value("size", 0)},
                                         {"min_disk", i.value("min_disk", 0)},
                                         {"status", "active"},
                                         {"visibility", "public"},
                                         {"owner", keystone.ProjectId("admin")},
                                         {"checksum", Sha256Hex(Text(i, "name")).substr(0, 32)},
                                         {"created_at", now},
                                         {"updated_at", now},
                                         {"tags", json::array()},
                                         {"properties", i.value("properties", json::object())}});
  }
}

bool Glance::Visible(const Identity& who, const json& image) {
  return who.is_admin || Text(image, "visibility") == "public" || Text(image, "owner") == who.project_id;
}

json Glance::Show(const json& i) {
  std::string id = Text(i, "id");
  json out = {{"id", id},
              {"name", i.at("name")},
              {"status", i.at("status")},
              {"visibility", i.at("visibility")},
              {"owner", i.at("owner")},
              {"size", i.at("size")},
              {"virtual_size", i.at("size")},
              {"min_disk", i.at("min_disk")},
              {"min_ram", 0},
              {"disk_format", "raw"},
              {"container_format", "bare"},
              {"checksum", i.at("checksum")},
              {"os_hash_algo", "sha512"},
              {"os_hash_value", Sha256Hex(id) + Sha256Hex(id + "2")},
              {"os_hidden", false},
              {"protected", false},
              {"created_at", i.at("created_at")},
              {"updated_at", i.at("updated_at")},
              {"tags", i.at("tags")},
              {"self", "/v2/images/" + id},
              {"file", "/v2/images/" + id + "/file"},
              {"schema", "/v2/schemas/image"},
              {"stores", "store"}};
  for (const auto& [k, v] : i.at("properties").items()) out[k] = v;
  return out;
}

std::unique_ptr<Service> Glance::Build() {
  auto service = std::make_unique<Service>();
  service->name = "glance";
  service->error = [](const ApiError& e) {
    const char* title = e.status == 404   ? "Not Found"
                        : e.status == 403 ? "Forbidden"
                        : e.status == 409 ? "Conflict"
                        : e.status == 400 ? "Bad Request"
                                          : "Error";
    Response r = Response::Json(e.status, {{"code", fmt::format("{} {}", e.status, title)},
                                           {"message", e.message + "<br /><br />\n\n\n"},
                                           {"title", title}});
    r.headers = e.headers;
    return r;
  };
  // Errors are HTML for whoever does not ask for JSON.
  service->decorate = [](const Request& request, Response& r) {
    if (r.status == 401 && r.body.contains("error")) {
      r.body = {
          {"code", "401 Unauthorized"},
          {"message",
           "This server could not verify that you are authorized to access the document you requested. Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.<br /><br />\n\n\n"},
          {"title", "Unauthorized"}};
    }
    if (r.status < 400 || !r.body.contains("title")) return;
    if (request.Header("accept").find("json") != std::string::npos) return;
    r.text =
        fmt::format("<html>\n <head>\n  <title>{0}</title>\n </head>\n <body>\n  <h1>{0}</h1>\n  {1} </body>\n</html>",
                    Text(r.body, "code"), Text(r.body, "message"));
    r.body = nullptr;
    r.content_type = "text/html; charset=UTF-8";
  };
  auto versions = [this](int status) {
    return [this, status](Request&) {
      json list = json::array();
      for (const char* v : {"v2.15", "v2.13", "v2.9", "v2.7", "v2.0"}) {
        list.push_back({{"id", v},
                        {"status", list.empty() ? "CURRENT" : "SUPPORTED"},
                        {"links", {{{"rel", "self"}, {"href", site_.config.Url("glance") + "/v2/"}}}}});
      }
      return Response::Json(status, {{"versions", list}});
    };
  };
  service->router.Add("GET", "/", versions(300)).needs_token = false;
  service->router.Add("GET", "/versions", versions(200)).needs_token = false;
  service->router.Add("GET", "/v2", versions(200)).needs_token = false;
  service->router.Add("GET", "/v2/images", [this](Request& r) {
    json out = json::array();
    std::string marker = r.Query("marker");
    bool past = marker.empty();
    int64_t limit = r.HasQuery("limit") ? std::atoll(r.Query("limit").c_str()) : 25;
    json next;
    site_.store.table("images").EachNewest([&](const std::string& id, const json& i) {
      if (!past) {
        past = id == marker;
        return;
      }
      if (!Visible(r.identity, i)) return;
      std::string name = r.Query("name");
      if (name.rfind("in:", 0) == 0) name = name.substr(3);
      if (!name.empty() && Text(i, "name") != name) return;
      for (const char* key : {"visibility", "status", "owner"}) {
        if (r.HasQuery(key) && Text(i, key) != r.Query(key)) return;
      }
      if (static_cast<int64_t>(out.size()) == limit) {
        if (next.is_null()) next = "/v2/images?marker=" + Text(out.back(), "id");
        return;
      }
      out.push_back(Show(i));
    });
    json body = {{"images", out}, {"first", "/v2/images"}, {"schema", "/v2/schemas/images"}};
    if (!next.is_null()) body["next"] = next;
    return Response::Json(200, body);
  });
  auto find = [this](const Request& r) -> const json& {
    const json* i = site_.store.table("images").Find(r.args[0]);
    if (i == nullptr || !Visible(r.identity, *i)) Fail(404, fmt::format("No image found with ID {}", r.args[0]));
    return *i;
  };
  service->router.Add("GET", "/v2/images/{}", [this, find](Request& r) { return Response::Json(200, Show(find(r))); });
  service->router.Add("POST", "/v2/images", [this](Request& r) {
    std::string id = Text(r.content, "id", NewUuid()), now = IsoSeconds(NowMs());
    if (site_.store.table("images").Has(id)) Fail(409, fmt::format("Image ID {} already exists!", id));
    json doc = {{"id", id},
                {"name", Member(r.content, "name")},
                {"size", nullptr},
                {"min_disk", Number(r.content, "min_disk")},
                {"status", "queued"},
                {"visibility", Text(r.content, "visibility", "shared")},
                {"owner", r.identity.project_id},
                {"checksum", nullptr},
                {"created_at", now},
                {"updated_at", now},
                {"tags", json::array()},
                {"properties", json::object()}};
    if (Text(doc, "visibility") == "public" && !r.identity.is_admin)
      Fail(403, "You are not authorized to complete publicize_image action.");
    static const std::set<std::string> base = {"id",         "name",        "min_disk",         "min_ram",
                                               "visibility", "disk_format", "container_format", "tags",
                                               "protected",  "owner"};
    for (const auto& [k, v] : r.content.items()) {
      if (base.count(k) == 0) doc["properties"][k] = v;
    }
    site_.store.table("images").Put(id, doc);
    return Response::Json(201, Show(doc));
  });
  service->router.Add("PUT", "/v2/images/{}/file", [this, find](Request& r) {
    json doc = find(r);
    doc.update({{"status", "active"},
                {"size", r.body.size()},
                {"checksum", Sha256Hex(r.body).substr(0, 32)},
                {"updated_at", IsoSeconds(NowMs())}});
    site_.store.table("images").Put(r.args[0], doc);
    return Response::Empty(204);
  });
  service->router.Add("DELETE", "/v2/images/{}", [this, find](Request& r) {
    const json& doc = find(r);
    if (!r.identity.is_admin && Text(doc, "owner") != r.identity.project_id)
      Fail(403, "You are not authorized to complete delete_image action.");
    site_.store.table("images").Erase(r.args[0]);
    return Response::Empty(204);
  });
  service->router.Add("GET", "/v2/schemas/image", [](Request&) {
    return Response::Json(200,
                          {{"name", "image"},
                           {"properties", {{"id", {{"type", "string"}}}, {"name", {{"type", {"null", "string"}}}}}},
                           {"additionalProperties", {{"type", "string"}}},
                           {"links", json::array()}});
  });
  return service;
}

std::unique_ptr<Service> BuildPlacement(Site& site) {
  auto service = std::make_unique<Service>();
  service->name = "placement";
  service->refuses_chunks = true;
  service->error = [](const ApiError& e) {
    return Response::Json(e.status, {{"errors",
                                      {{{"status", e.status},
                                        {"title", e.status == 404 ? "Not Found" : "Error"},
                                        {"detail", e.message},
                                        {"code", "placement.undefined_code"}}}}});
  };
  service->negotiate = [](Request& r) { r.version = NegotiateMicroversion(r, "placement", "", {1, 0}, {1, 39}); };
  service->decorate = [](const Request& request, Response& r) {
    if (request.version.major == 0) return;
    r.headers.emplace_back("OpenStack-API-Version",
                           fmt::format("placement {}.{}", request.version.major, request.version.minor));
    r.headers.emplace_back("Vary", "openstack-api-version");
  };
  service->router
      .Add("GET", "/",
           [](Request&) {
             return Response::Json(200, {{"versions",
                                          {{{"id", "v1.0"},
                                            {"status", "CURRENT"},
                                            {"min_version", "1.0"},
                                            {"max_version", "1.39"},
                                            {"links", {{{"rel", "self"}, {"href", ""}}}}}}}});
           })
      .needs_token = false;
  auto provider = [&site] {
    std::string hash = Sha256Hex(site.ComputeHost());
    return hash.substr(0, 8) + "-" + hash.substr(8, 4) + "-4" + hash.substr(13, 3) + "-8" + hash.substr(17, 3) + "-" +
           hash.substr(20, 12);
  };
  service->router.Add("GET", "/resource_providers", [&site, provider](Request&) {
    return Response::Json(200, {{"resource_providers",
                                 {{{"uuid", provider()},
                                   {"name", site.ComputeHost()},
                                   {"generation", 1},
                                   {"parent_provider_uuid", nullptr},
                                   {"root_provider_uuid", provider()},
                                   {"links", json::array()}}}}});
  });
  service->router.Add("GET", "/resource_providers/{}/inventories", [](Request&) {
    auto inventory = [](int total) {
      return json{{"total", total},    {"reserved", 0},  {"min_unit", 1},
                  {"max_unit", total}, {"step_size", 1}, {"allocation_ratio", 1.0}};
    };
    return Response::Json(
        200, {{"resource_provider_generation", 1},
              {"inventories",
               {{"VCPU", inventory(8192)}, {"MEMORY_MB", inventory(16777216)}, {"DISK_GB", inventory(1048576)}}}});
  });
  service->router.Add("GET", "/resource_providers/{}/usages", [&site](Request&) {
    int64_t vcpus = 0, ram = 0;
    site.store.table("servers").Each([&](const std::string&, const json& s) {
      vcpus += Number(s.at("flavor"), "vcpus");
      ram += Number(s.at("flavor"), "ram");
    });
    return Response::Json(
        200, {{"resource_provider_generation", 1}, {"usages", {{"VCPU", vcpus}, {"MEMORY_MB", ram}, {"DISK_GB", 0}}}});
  });
  return service;
}

}  // namespace protector::ossim
