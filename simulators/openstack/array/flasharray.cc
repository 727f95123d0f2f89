// The FlashArray over REST 2.x, with the calls, names and order of Cinder's Pure driver.
#include <mutex>
#include <set>
#include <shared_mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "simulators/openstack/array/array.h"
#include "simulators/openstack/array/http_pool.h"
#include "simulators/openstack/core/config.h"
#include "simulators/openstack/core/util.h"

namespace protector::ossim {
namespace {

using nlohmann::json;
using Params = std::vector<std::pair<std::string, std::string>>;

absl::Status Classify(const WireAnswer& answer) {
  if (answer.status / 100 == 2) return absl::OkStatus();
  json body = json::parse(answer.body, nullptr, false);
  std::string text = fmt::format("HTTP {}", answer.status);
  if (body.is_object() && body.contains("errors") && body["errors"].is_array() && !body["errors"].empty()) {
    const json& e = body["errors"][0];
    std::string context =
        e.contains("context") && e["context"].is_string() ? e["context"].get<std::string>() + ": " : "";
    text = context + e.value("message", "");
  }
  auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
  if (answer.status == 401) return absl::UnauthenticatedError(text);
  if (answer.status == 429 || answer.status >= 500) return absl::UnavailableError(text);
  if (has("does not exist") || has("No such volume") || has("could not be found")) return absl::NotFoundError(text);
  if (has("already exists") || has("already belongs") || has("already includes") || has("already in use")) {
    return absl::AlreadyExistsError(text);
  }
  return absl::FailedPreconditionError(text);
}

ArrayVolume ToVolume(const json& item) {
  ArrayVolume v;
  v.name = item.value("name", "");
  v.serial = item.value("serial", "");
  v.bytes = item.contains("provisioned") && item["provisioned"].is_number() ? item["provisioned"].get<int64_t>() : 0;
  v.connections = item.contains("connection_count") && item["connection_count"].is_number()
                      ? item["connection_count"].get<int64_t>()
                      : 0;
  v.destroyed = item.value("destroyed", false);
  return v;
}

class FlashArray final : public Array {
 public:
  explicit FlashArray(const Config& config)
      : rest_(config.array_url, config.array_ca, config.array_insecure),
        io_(config.array_io, "", false),
        token_(config.array_token),
        has_io_(!config.array_io.empty()) {}

  absl::StatusOr<ArrayVolume> GetVolume(const std::string& name) override {
    auto body = Call("GET", "/volumes", {{"names", name}, {"destroyed", "false"}}, json());
    if (!body.ok()) return body.status();
    if (body->value("items", json::array()).empty())
      return absl::NotFoundError(fmt::format("{}: Volume does not exist.", name));
    return ToVolume((*body)["items"][0]);
  }

  absl::StatusOr<std::vector<ArrayVolume>> ListVolumes() override {
    std::vector<ArrayVolume> out;
    std::string token;
    do {
      Params params = {{"destroyed", "false"}, {"limit", "1000"}};
      if (!token.empty()) params.emplace_back("continuation_token", token);
      auto body = Call("GET", "/volumes", params, json());
      if (!body.ok()) return body.status();
      for (const json& item : body->at("items")) out.push_back(ToVolume(item));
      token = body->value("more_items_remaining", false) && (*body)["continuation_token"].is_string()
                  ? (*body)["continuation_token"].get<std::string>()
                  : "";
    } while (!token.empty());
    return out;
  }

  absl::Status CreateVolume(const std::string& name, int64_t bytes) override {
    return Call("POST", "/volumes", {{"names", name}, {"with_default_protection", "false"}}, {{"provisioned", bytes}})
        .status();
  }
  absl::Status CloneVolume(const std::string& name, const std::string& source) override {
    return Call("POST", "/volumes", {{"names", name}, {"with_default_protection", "false"}},
                {{"source", {{"name", source}}}})
        .status();
  }
  absl::Status RenameVolume(const std::string& name, const std::string& new_name) override {
    return Call("PATCH", "/volumes", {{"names", name}}, {{"name", new_name}}).status();
  }
  absl::Status ResizeVolume(const std::string& name, int64_t bytes) override {
    return Call("PATCH", "/volumes", {{"names", name}}, {{"provisioned", bytes}}).status();
  }
  absl::Status DestroyVolume(const std::string& name) override {
    auto connections = Call("GET", "/connections", {{"volume_names", name}}, json());
    if (connections.ok()) {
      for (const json& c : connections->at("items")) {
        if (!c.contains("host") || !c["host"].contains("name") || !c["host"]["name"].is_string()) continue;
        (void)Call("DELETE", "/connections",
                   {{"host_names", c["host"]["name"].get<std::string>()}, {"volume_names", name}}, json());
      }
    }
    absl::Status s = Call("PATCH", "/volumes", {{"names", name}}, {{"destroyed", true}}).status();
    if (absl::IsNotFound(s) || s.message().find("destroyed") != std::string::npos) return absl::OkStatus();
    return s;
  }
  absl::Status CreateSnapshot(const std::string& volume, const std::string& suffix) override {
    return Call("POST", "/volume-snapshots", {{"source_names", volume}}, {{"suffix", suffix}}).status();
  }
  absl::Status DestroySnapshot(const std::string& name) override {
    absl::Status s = Call("PATCH", "/volume-snapshots", {{"names", name}}, {{"destroyed", true}}).status();
    return absl::IsNotFound(s) ? absl::OkStatus() : s;
  }
  absl::Status AddToGroup(const std::string& group, const std::string& volume) override {
    absl::Status s =
        Call("POST", "/protection-groups/volumes", {{"group_names", group}, {"member_names", volume}}, json()).status();
    return absl::IsAlreadyExists(s) ? absl::OkStatus() : s;
  }
  absl::Status InReplicatedPod(const std::string& pod, bool* replicated) override {
    auto body = Call("GET", "/pods", {{"names", pod}}, json());
    if (!body.ok()) return body.status();
    const json& item = body->at("items").at(0);
    auto number = [&](const char* key) {
      return item.contains(key) && item[key].is_number() ? item[key].get<int64_t>() : 0;
    };
    *replicated = number("array_count") > 1 || number("link_source_count") != 0 || number("link_target_count") != 0;
    return absl::OkStatus();
  }

  absl::Status Connect(const std::string& host, const std::string& initiator, const std::string& volume) override {
    std::shared_lock<std::shared_mutex> hosts(hosts_);  // nobody here deletes the host in between
    absl::Status s;
    for (bool again : {true, false}) {
      auto name = HostFor(host, initiator);
      if (!name.ok()) return name.status();
      s = Call("POST", "/connections", {{"host_names", *name}, {"volume_names", volume}}, json::object()).status();
      if (absl::IsAlreadyExists(s)) return absl::OkStatus();
      if (!absl::IsNotFound(s) || !again) return s;
      // The volume, or a host that somebody else took away: look the host up anew.
      std::lock_guard<std::mutex> lock(host_mutex_);
      host_names_.erase(initiator);
    }
    return s;
  }

  absl::Status Disconnect(const std::string& initiator, const std::string& volume) override {
    std::unique_lock<std::shared_mutex> hosts(hosts_);
    auto name = FindHost(initiator);
    if (!name.ok()) return name.status();
    if (name->empty()) return absl::OkStatus();
    absl::Status s = Call("DELETE", "/connections", {{"host_names", *name}, {"volume_names", volume}}, json()).status();
    if (!s.ok() && !absl::IsNotFound(s)) return s;
    auto left = Call("GET", "/connections", {{"host_names", *name}, {"limit", "1"}}, json());
    if (left.ok() && left->at("items").empty()) {
      (void)Call("DELETE", "/hosts", {{"names", *name}}, json());
      std::lock_guard<std::mutex> lock(host_mutex_);
      host_names_.erase(initiator);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Read(const std::string& initiator, const std::string& serial, int64_t offset,
                                   int64_t length) override {
    if (!has_io_) return absl::UnavailableError("there is no --array-io");
    auto answer = io_.Send("GET",
                           fmt::format("/sim/io/read?initiator={}&serial={}&offset={}&length={}", UrlEncode(initiator),
                                       UrlEncode(serial), offset, length),
                           {}, "", "");
    if (!answer.ok()) return answer.status();
    if (answer->status != 200) return IoError(answer->status, answer->body);
    return std::move(answer->body);
  }

  std::vector<absl::Status> Write(const std::vector<BlockWrite>& writes) override {
    if (!has_io_) return std::vector<absl::Status>(writes.size(), absl::UnavailableError("there is no --array-io"));
    std::string body;
    for (const BlockWrite& w : writes) {
      body += json{{"initiator", w.initiator}, {"serial", w.serial}, {"offset", w.offset}, {"length", w.data.size()}}
                  .dump();
      body += '\n';
      body += w.data;
    }
    auto answer = io_.Send("POST", "/sim/io/writev", {}, body, "application/octet-stream");
    if (!answer.ok()) return std::vector<absl::Status>(writes.size(), answer.status());
    if (answer->status != 200) return std::vector<absl::Status>(writes.size(), IoError(answer->status, answer->body));
    json results = json::parse(answer->body, nullptr, false);
    std::vector<absl::Status> out;
    for (size_t i = 0; i < writes.size(); ++i) {
      if (!results.is_object() || !results.contains("results") || results["results"].size() <= i) {
        out.push_back(absl::UnavailableError("the data plane gave no result for the write"));
        continue;
      }
      const json& r = results["results"][i];
      out.push_back(r.value("status", 0) == 200 ? absl::OkStatus() : IoError(r.value("status", 0), r.dump()));
    }
    return out;
  }

 private:
  static absl::Status IoError(int status, const std::string& body) {
    json parsed = json::parse(body, nullptr, false);
    std::string text =
        parsed.is_object() ? parsed.value("error", "") + ": " + parsed.value("message", "") : body.substr(0, 200);
    return status == 409 ? absl::FailedPreconditionError(text)
                         : absl::UnavailableError(fmt::format("HTTP {} {}", status, text));
  }

  absl::Status Login() {
    auto versions = rest_.Send("GET", "/api/api_version", {}, "", "");
    if (!versions.ok()) return versions.status();
    json list = json::parse(versions->body, nullptr, false);
    if (!list.is_object() || !list.contains("version"))
      return absl::UnavailableError("the array did not tell its versions");
    std::string chosen;
    for (const json& v : list["version"]) {
      std::string text = v.get<std::string>();
      if (text.rfind("2.", 0) == 0 && std::stoi(text.substr(2)) <= 26) chosen = text;
    }
    if (chosen.empty()) return absl::FailedPreconditionError("the array offers no REST 2.x");
    auto answer = rest_.Send("POST", "/api/" + chosen + "/login", {{"api-token", token_}}, "", "");
    if (!answer.ok()) return answer.status();
    absl::Status s = Classify(*answer);
    if (!s.ok()) return s;
    base_ = "/api/" + chosen;
    session_ = answer->auth_token;
    return absl::OkStatus();
  }

  absl::StatusOr<json> Call(const std::string& method, const std::string& path, const Params& params,
                            const json& body) {
    for (int attempt = 0;; ++attempt) {
      std::string session, base;
      {
        std::lock_guard<std::mutex> lock(session_mutex_);
        if (session_.empty()) {
          absl::Status s = Login();
          if (!s.ok()) return s;
        }
        session = session_;
        base = base_;
      }
      std::string target = base + path;
      char separator = '?';
      for (const auto& [k, v] : params) {
        if (k == "with_default_protection" && std::stoi(base.substr(base.rfind('.') + 1)) < 16)
          continue;  // from 2.16 on
        target += separator + k + "=" + UrlEncode(v);
        separator = '&';
      }
      auto answer = rest_.Send(method, target, {{"x-auth-token", session}, {"X-Request-ID", NewUuid()}},
                               body.is_null() ? "" : body.dump(), "application/json");
      if (!answer.ok()) return answer.status();
      if (answer->status == 401 && attempt == 0) {
        std::lock_guard<std::mutex> lock(session_mutex_);
        if (session_ == session) session_.clear();
        continue;  // a 401 was not executed
      }
      absl::Status s = Classify(*answer);
      if (!s.ok()) return s;
      json parsed = answer->body.empty() ? json::object() : json::parse(answer->body, nullptr, false);
      return parsed.is_object() ? parsed : json::object();
    }
  }

  // "" when the array has no host with this initiator.
  // What was found is remembered; Connect forgets it when the array says that it is not so.
  absl::StatusOr<std::string> FindHost(const std::string& initiator) {
    {
      std::lock_guard<std::mutex> lock(host_mutex_);
      auto it = host_names_.find(initiator);
      if (it != host_names_.end()) return it->second;
    }
    auto body = Call("GET", "/hosts", {{"filter", fmt::format("iqns='{}' and is_local", initiator)}}, json());
    if (!body.ok()) return body.status();
    const json& items = body->at("items");
    return items.empty() ? std::string() : items[0].value("name", "");
  }

  absl::StatusOr<std::string> HostFor(const std::string& host, const std::string& initiator) {
    std::lock_guard<std::mutex> making(making_host_);
    auto found = FindHost(initiator);
    if (!found.ok()) return found.status();
    std::string name = *found;
    if (name.empty()) {
      name = fmt::format("{}-{}-cinder", host.substr(0, 23), NewHexId());
      absl::Status s = Call("POST", "/hosts", {{"names", name}}, {{"iqns", {initiator}}}).status();
      if (!s.ok()) return s;
    }
    std::lock_guard<std::mutex> lock(host_mutex_);
    host_names_[initiator] = name;
    return name;
  }

  HttpPool rest_, io_;
  std::string token_;
  bool has_io_;
  std::mutex session_mutex_;
  std::string session_, base_;
  std::shared_mutex hosts_;
  std::mutex making_host_, host_mutex_;
  std::map<std::string, std::string> host_names_;
};

}  // namespace

std::unique_ptr<Array> MakeFlashArray(const Config& config) {
  return std::make_unique<FlashArray>(config);
}

}  // namespace protector::ossim
