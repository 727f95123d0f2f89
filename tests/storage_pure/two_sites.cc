#include "tests/storage_pure/two_sites.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace protector::storage {
namespace {

constexpr char kToken[] = "contract-test-array-token";
constexpr char kInitiator[] = "iqn.2026-11.test:host";

pid_t Spawn(const std::vector<std::string>& command, const std::filesystem::path& log) {
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

void End(pid_t& pid, int signal) {
  if (pid <= 0) return;
  kill(pid, signal);
  waitpid(pid, nullptr, 0);
  pid = -1;
}

}  // namespace

Side::Side(const std::string& array, const std::string& ip, const std::string& peer, const std::string& peer_ip,
           const std::filesystem::path& directory, Clock& clock)
    : array_(array), ip_(ip), peer_(peer), peer_ip_(peer_ip), directory_(directory), clock_(clock) {
  std::filesystem::create_directories(directory_);
  http::CurlOptions any;
  any.insecure = true;
  rest_ = http::NewCurlHttpClient(any, clock);
  control_ = http::NewCurlHttpClient({}, clock);
}

Side::~Side() {
  End(service_pid_, SIGTERM);
  End(array_pid_, SIGKILL);
}

void Side::StartArray() {
  array_pid_ =
      Spawn({FLASHARRAY_SIM, "--name", array_, "--listen", ip_ + ":8443", "--control", ip_ + ":9901", "--state-dir",
             (directory_ / "array").string(), "--api-token", kToken, "--peer", peer_ + "=" + peer_ip_ + ":9901"},
            directory_ / "array.log");
}

void Side::StartService(const std::string& tls) {
  std::ofstream(directory_ / "token") << kToken << "\n";
  const std::string check =
      tls.empty() ? fmt::format("  ca_file: {}\n", (directory_ / "array" / "cert.pem").string()) : tls;
  std::ofstream(directory_ / "service.yaml") << fmt::format(
      "site: {}\ninsecure: true\nlisten: {}:7104\nmetrics:\n  listen: {}:7204\nlog:\n  level: debug\ndrain_timeout: 1s\nstore:\n  path: {}\n"
      "array:\n  url: https://{}:8443\n  api_token: ${{FILE:token}}\n{}",
      array_, ip_, ip_, (directory_ / "service.db").string(), ip_, check);
  service_pid_ = Spawn({STORAGE_PURE, "--config", (directory_ / "service.yaml").string()}, directory_ / "service.log");
  connector_ = std::make_unique<rpc::Connector>(ip_ + ":7104", rpc::Security::Insecure().ForChannel({}));
}

void Side::KillService() {
  End(service_pid_, SIGKILL);
}

absl::StatusOr<http::Response> Side::Send(http::HttpClient& client, const std::string& method, const std::string& url,
                                          const http::Headers& headers, const std::string& body) {
  http::Request request;
  request.method = method;
  request.url = url;
  request.headers = headers;
  request.body = body;
  return client.Do(request);
}

json::Value Side::Rest(const std::string& method, const std::string& path, const std::string& body) {
  const std::string base = "https://" + ip_ + ":8443/api/2.26";
  if (token_.empty()) {
    const auto login = Send(*rest_, "POST", base + "/login", {{"api-token", kToken}}, "");
    REQUIRE(login.ok());
    token_ = login->Header("x-auth-token");
  }
  const auto response =
      Send(*rest_, method, base + path, {{"x-auth-token", token_}, {"Content-Type", "application/json"}}, body);
  INFO(method << " " << path << ": " << (response.ok() ? response->body : std::string(response.status().message())));
  REQUIRE(response.ok());
  REQUIRE(response->ok());
  return json::Parse(response->body).value_or(json::Value());
}

json::Value Side::Control(const std::string& method, const std::string& path, const std::string& body) {
  const auto response = Send(*control_, method, "http://" + ip_ + ":9901" + path, {}, body);
  INFO(method << " " << path << ": " << (response.ok() ? response->body : std::string(response.status().message())));
  REQUIRE(response.ok());
  REQUIRE(response->ok());
  return json::Parse(response->body).value_or(json::Value());
}

void Side::Fault(const std::string& json) {
  Control("POST", "/sim/faults", json);
}

std::string Side::CreateVolume(const std::string& name) {
  const json::Value made = Rest("POST", "/volumes?names=" + http::UrlEncode(name), R"({"provisioned":1048576})");
  return made.GetStringOr("items.0.serial", "");
}

void Side::Connect(const std::string& volume) {
  if (Rest("GET", "/hosts?filter=" + http::UrlEncode("name='test-host'")).GetItems("items").empty()) {
    Rest("POST", "/hosts?names=test-host", fmt::format(R"({{"iqns":["{}"]}})", kInitiator));
  }
  Rest("POST", "/connections?host_names=test-host&volume_names=" + http::UrlEncode(volume), "{}");
}

bool Side::Write(const std::string& serial, int64_t offset, const std::string& bytes) {
  const std::string url = fmt::format("http://{}:9901/sim/io/write?initiator={}&serial={}&offset={}", ip_,
                                      http::UrlEncode(kInitiator), serial, offset);
  const auto response = Send(*control_, "POST", url, {}, bytes);
  return response.ok() && response->ok();
}

std::string Side::Read(const std::string& volume, int64_t offset, int64_t length) {
  const auto response = Send(*control_, "GET",
                             fmt::format("http://{}:9901/sim/volumes/{}/bytes?offset={}&length={}", ip_,
                                         http::UrlEncode(volume), offset, length),
                             {}, "");
  REQUIRE(response.ok());
  REQUIRE(response->ok());
  return response->body;
}

json::Value Side::VolumeBy(const std::string& field, const std::string& value) {
  const json::Value found = Rest("GET", "/volumes?filter=" + http::UrlEncode(field + "='" + value + "'"));
  const json::Value* item = found.At("items.0");
  REQUIRE(item != nullptr);
  return *item;
}

size_t Side::Count(const std::string& filter) {
  return Rest("GET", "/volumes?filter=" + http::UrlEncode(filter)).GetItems("items").size();
}

TwoSites::TwoSites() {
  // Tests run side by side: each process has addresses of its own.
  const std::string net = fmt::format("127.{}.{}", 200 + getpid() / 250 % 50, 1 + getpid() % 250);
  directory = std::filesystem::temp_directory_path() / fmt::format("protector-storage-{}", getpid());
  std::filesystem::remove_all(directory);
  a = std::make_unique<Side>("array-a", net + ".1", "array-b", net + ".2", directory / "a", clock);
  b = std::make_unique<Side>("array-b", net + ".2", "array-a", net + ".1", directory / "b", clock);
  a->StartArray();
  b->StartArray();
  for (const Side* side : {a.get(), b.get()}) {
    REQUIRE(Wait([&] { return std::filesystem::exists(side->directory() / "array" / "cert.pem"); }));
  }
  a->StartService();
  b->StartService();
  for (Side* side : {a.get(), b.get()}) {
    const bool ready = Wait([&] {
      const auto array = side->Call(&Stub::GetArray, v1::GetArrayRequest());
      return array.ok() && array->connections_size() > 0 && array->connections(0).status() == "connected";
    });
    REQUIRE(ready);
  }
}

TwoSites::~TwoSites() {
  a.reset();
  b.reset();
  std::error_code ignored;
  if (getenv("PROTECTOR_KEEP_TEST_FILES") == nullptr) std::filesystem::remove_all(directory, ignored);
}

void GroupCalls::Protect(Side& source, Side& target, const std::vector<NamedDisk>& disks) const {
  auto ensure = Make<v1::EnsureProtectionRequest>();
  ensure.set_target_array(target.array());
  ensure.mutable_policy()->set_replication_interval(300);
  for (const NamedDisk& disk : disks) {
    v1::Disk* added = ensure.add_disks();
    added->set_member_id(disk.member);
    added->set_index(disk.index);
    added->set_serial(disk.serial);
  }
  auto accept = Make<v1::AcceptProtectionRequest>();
  accept.set_source_array(source.array());
  const auto first = source.Call(&Stub::EnsureProtection, ensure);
  INFO(first.status());
  REQUIRE(first.ok());
  const auto accepted = target.Call(&Stub::AcceptProtection, accept);
  INFO(accepted.status());
  REQUIRE(accepted.ok());
  const auto second = source.Call(&Stub::EnsureProtection, ensure);
  INFO(second.status());
  REQUIRE(second.ok());
}

absl::StatusOr<v1::Protection> GroupCalls::Get(Side& side, const std::string& source_array) const {
  v1::GetProtectionRequest request;
  request.set_name(name);
  request.set_replication_type(type);
  request.set_source_array(source_array);
  return side.Call(&Stub::GetProtection, request);
}

v1::MaterializeVolumesRequest GroupCalls::Materialize(Side& source, const std::string& point,
                                                      const std::vector<NamedDisk>& disks) const {
  auto request = Make<v1::MaterializeVolumesRequest>();
  request.set_recovery_point(point);
  request.set_source_array(source.array());
  for (const NamedDisk& disk : disks) {
    v1::DiskToMaterialize* wanted = request.add_disks();
    wanted->set_member_id(disk.member);
    wanted->set_index(disk.index);
    wanted->set_source_volume(disk.volume);
    wanted->set_source_serial(disk.serial);
  }
  return request;
}

v1::FenceVolumesRequest GroupCalls::Fence(const std::vector<NamedDisk>& disks, bool quiesce) const {
  auto request = Make<v1::FenceVolumesRequest>();
  request.set_quiesce(quiesce);
  for (const NamedDisk& disk : disks) {
    v1::Disk* fenced = request.add_disks();
    fenced->set_member_id(disk.member);
    fenced->set_index(disk.index);
    fenced->set_serial(disk.serial);
  }
  return request;
}

std::string GroupCalls::FinalPoint(TwoSites& sites, Side& source, Side& target, int volumes) const {
  auto create = Make<v1::CreateRecoveryPointRequest>();
  create.set_purpose("final");
  const auto made = source.Call(&Stub::CreateRecoveryPoint, create);
  INFO(made.status());
  REQUIRE(made.ok());
  v1::GetRecoveryPointRequest get;
  get.set_recovery_point(made->name());
  get.set_name(name);
  get.set_replication_type(type);
  get.set_source_array(source.array());
  get.set_expected_volumes(volumes);
  absl::StatusOr<v1::RecoveryPoint> point = absl::UnknownError("not asked");
  const bool complete = sites.Wait([&] {
    point = target.Call(&Stub::GetRecoveryPoint, get);
    return point.ok() && point->complete();
  });
  INFO(point.status() << (point.ok() ? point->DebugString() : ""));
  REQUIRE(complete);
  return made->name();
}

}  // namespace protector::storage
