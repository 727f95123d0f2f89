#include "simulators/flasharray/app.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "simulators/flasharray/control/certificate.h"
#include "simulators/flasharray/control/control_server.h"
#include "simulators/flasharray/control/data_plane.h"
#include "simulators/flasharray/replication/engine.h"
#include "simulators/flasharray/replication/peer_links.h"
#include "simulators/flasharray/rest/dispatcher.h"

namespace protector::fasim {
namespace {

std::pair<std::string, int> SplitAddress(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error("not HOST:PORT: " + address);
  return {address.substr(0, colon), std::stoi(address.substr(colon + 1))};
}

// Fills an empty state with the array's identity and brings the configured users up to date.
void Initialize(Db& db, const Options& options) {
  Tx tx(&db);
  ArrayInfo array = tx.array();
  if (array.array_id.empty()) {
    array.array_id = UuidFrom(fmt::format("array/{}/{}", options.name, options.seed));
    array.connection_key = NewUuid();
    array.idle_timeout = options.idle_timeout;
    array.name = options.name;
    tx.Put(array);
  } else if (array.name != options.name) {
    throw std::runtime_error(fmt::format("the state directory belongs to {}", array.name));
  }
  db.clock().set_offset(array.clock_offset);
  for (const TokenOption& token : options.tokens) {
    const auto known = tx.tables().admins.ByName(token.user);
    Admin admin = known ? *known : Admin{};
    if (!known) {
      admin.id = NewUuid();
      admin.token_created = tx.now();
    }
    admin.name = token.user;
    admin.role = token.role;
    admin.api_token = token.token;
    tx.Put(admin);
  }
  tx.Commit();
}

}  // namespace

struct App::Parts {
  explicit Parts(Options opts) : options(std::move(opts)), faults(options.seed), peers(&options, &settings) {}

  Options options;
  SimClock clock;
  Settings settings;
  Faults faults;
  PeerLinks peers;
  std::string scratch;  // for the certificate of a memory-only array
  std::unique_ptr<Db> db;
  std::unique_ptr<Sessions> sessions;
  std::unique_ptr<RequestLog> log;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<DataPlane> data;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<ControlServer> control;
  std::unique_ptr<HttpServer> rest_server, control_server;
};

// A change to volumes of a stretched pod is on both arrays before it is answered.
void App::FlushStretched(Parts& p, const std::vector<Effect>& effects) {
  std::vector<std::string> pods;
  {
    Tx tx(p.db.get());
    for (const auto& link : tx.tables().links.All()) {
      if (link->kind != "stretch") continue;
      const bool touched = std::any_of(effects.begin(), effects.end(), [&](const Effect& effect) {
        const auto pod = tx.tables().pods.Find(link->local_pod_id);
        return effect.kind == "volumes" && pod && StartsWith(Lower(effect.name), Lower(pod->name) + "::");
      });
      if (touched) pods.push_back(link->local_pod_id);
    }
  }
  p.engine->pods().Flush(pods);
}

App::App(Options options) : parts_(std::make_unique<Parts>(std::move(options))) {}
App::~App() {
  Stop();
}

void App::Start() {
  Parts& p = *parts_;
  p.settings.bandwidth_mbps = p.options.bandwidth_mbps;
  p.settings.latency_low = p.options.latency_low;
  p.settings.latency_high = p.options.latency_high;
  p.settings.strict = p.options.strict;
  p.clock.set_scale(p.options.time_scale);

  p.db = std::make_unique<Db>(p.options.state_dir, p.options.sync_writes, &p.clock);
  p.db->Recover();
  Initialize(*p.db, p.options);
  p.sessions = std::make_unique<Sessions>(&p.clock);
  p.log = std::make_unique<RequestLog>(p.options.state_dir);

  const auto [rest_host, rest_port] = SplitAddress(p.options.listen);
  const auto [control_host, control_port] = SplitAddress(p.options.control);
  std::string certificate_dir = p.options.state_dir;
  if (certificate_dir.empty()) {
    p.scratch = std::filesystem::temp_directory_path().string() + "/flasharray-sim-XXXXXX";
    if (::mkdtemp(p.scratch.data()) == nullptr) throw std::runtime_error("no temporary directory");
    certificate_dir = p.scratch;
  }
  const CertificateFiles files = EnsureCertificate(certificate_dir, rest_host, p.options.name);
  p.rest_server = std::make_unique<HttpServer>(
      [&p](const HttpRequest& in, HttpResponse* out) { p.dispatcher->Serve(in, out); }, files.certificate, files.key);
  p.control_server = std::make_unique<HttpServer>(
      [&p](const HttpRequest& in, HttpResponse* out) { p.control->Serve(in, out); }, "", "");
  const auto named = [&](const std::string& host) { return p.options.advertise.empty() ? host : p.options.advertise; };
  p.options.rest_address = fmt::format("{}:{}", named(rest_host), p.rest_server->Bind(rest_host, rest_port));
  p.options.control_address =
      fmt::format("{}:{}", named(control_host), p.control_server->Bind(control_host, control_port));

  const Context context{&p.options, &p.settings, p.db.get(), &p.faults, p.sessions.get(), p.log.get(), &p.peers};
  p.data = std::make_unique<DataPlane>(p.db.get());
  p.engine = std::make_unique<Engine>(context);
  p.control = std::make_unique<ControlServer>(
      context, p.data.get(), [&p](const HttpRequest& in, HttpResponse* out) { return p.engine->ServePeer(in, out); });
  p.dispatcher = std::make_unique<Dispatcher>(context);
  for (const auto add : {AddArrayRoutes, AddConnectionRoutes, AddVolumeRoutes, AddSnapshotRoutes, AddVolumeGroupRoutes,
                         AddHostRoutes, AddGroupRoutes, AddGroupMemberRoutes, AddGroupSnapshotRoutes, AddHardwareRoutes,
                         AddAdminRoutes, AddPodRoutes, AddLinkRoutes, AddRemoteRoutes}) {
    add(p.dispatcher.get());
  }
  p.data->OnPodWrite([&p](const std::vector<std::string>& pods) { return p.engine->pods().Flush(pods); });
  p.dispatcher->After([&p](const std::vector<Effect>& effects) { FlushStretched(p, effects); });
  p.engine->pods().Recover();  // before anybody can ask or write
  p.rest_server->Start();
  p.control_server->Start();
  p.engine->Start();
}

void App::Stop() {
  Parts& p = *parts_;
  p.settings.Stop();
  p.faults.Stop();
  if (p.engine) p.engine->Stop();
  if (p.rest_server) p.rest_server->Stop();
  if (p.control_server) p.control_server->Stop();
  if (!p.scratch.empty()) std::filesystem::remove_all(p.scratch);
  p.scratch.clear();
}

std::string App::ReadyLine() const {
  const Parts& p = *parts_;
  Tx tx(p.db.get());
  return Json{{"event", "ready"},  {"name", p.options.name},         {"id", tx.array().array_id},
              {"pid", ::getpid()}, {"rest", p.options.rest_address}, {"control", p.options.control_address}}
      .dump();
}

}  // namespace protector::fasim
