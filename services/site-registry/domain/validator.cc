#include "services/site-registry/domain/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "absl/time/clock.h"
#include "libs/base/error.h"

namespace protector::site_registry {
namespace {

constexpr char kCheckService[] =
    "Start the service, look at its log, and check the site's endpoints with `protector site show`.";

bool Failed(const std::vector<Row>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.state() == Row::FAILED; });
}

void Append(std::vector<Row> from, std::vector<Row>& to) {
  for (Row& row : from) to.push_back(std::move(row));
}

Row Named(Row row, const std::string& probe, const std::string& target) {
  row.set_probe(probe);
  if (row.target().empty()) row.set_target(target);
  return row;
}

std::vector<std::pair<std::string, std::string>> ServicesOf(const pb::Site& site) {
  return {{"site-registry", site.endpoints().site_registry()},
          {"metadata-sync", site.endpoints().metadata_sync()},
          {"orchestrator", site.endpoints().orchestrator()},
          {"storage-pure", site.endpoints().storage_pure()}};
}

}  // namespace

absl::StatusOr<std::vector<pb::Site>> Validator::Others(const pb::Site& site) {
  PROTECTOR_ASSIGN_OR_RETURN(std::vector<pb::Site> sites, registry_.All());
  std::erase_if(sites, [&](const pb::Site& other) { return other.name() == site.name(); });
  return sites;
}

std::vector<Probe> Validator::ServiceProbes(const pb::Site& site) {
  std::vector<Probe> probes;
  for (const auto& [service, address] : ServicesOf(site)) {
    probes.push_back({"service:" + service, address, [this, at = ServiceAddress{service, site.name(), address}] {
                        const absl::Status health = services_.Health(at, Deadline());
                        return health.ok() ? Good("serving") : Bad(health, kCheckService);
                      }});
  }
  return probes;
}

Row Validator::ArrayRow(const pb::Site& site) {
  const auto array = services_.GetArray({"storage-pure", site.name(), site.endpoints().storage_pure()}, Deadline());
  if (!array.ok())
    return Bad(array.status(), "Check array.url and array.api_token of storage-pure, and the array itself.");
  const std::string seen =
      fmt::format("{}, Purity {}, REST {}", array->name(), array->purity_version(), array->rest_version());
  Row row;
  if (site.array_name().empty()) {
    row = Warn(seen + "; the site has no array_name",
               fmt::format("Run `protector site set {} --array-name {}`.", site.name(), array->name()));
  } else if (site.array_name() != array->name()) {
    row = Bad(fmt::format("{}; the site's array_name says {}", seen, site.array_name()),
              fmt::format("Run `protector site set {} --array-name {}`, or point storage-pure at the right array.",
                          site.name(), array->name()));
  } else {
    row = Good(seen);
  }
  row.set_target(array->name());
  return row;
}

Row Validator::ArrayLinkRow(const pb::Site& site) {
  const auto others = Others(site);
  if (!others.ok()) return Bad(others.status(), "");
  if (others->empty()) return Skip("no other site is registered here");
  const pb::Site& other = others->front();
  const auto array = services_.GetArray({"storage-pure", site.name(), site.endpoints().storage_pure()}, Deadline());
  if (!array.ok()) return Skip("the array could not be asked");
  std::vector<std::string> seen;
  for (const auto& connection : array->connections()) {
    const std::string text = fmt::format("{} ({}, {})", connection.name(), connection.type(), connection.status());
    if (!other.array_name().empty() && connection.name() != other.array_name()) {
      seen.push_back(text);
      continue;
    }
    Row row;
    if (connection.status() == "connected") {
      row = Good(text);
    } else if (connection.status() == "connecting") {
      row = Bad(text, "Check the replication network between the arrays.");
    } else {
      row = Warn(text, "Some paths between the arrays are down; check the replication network.");
    }
    row.set_target(fmt::format("{} -> {}", array->name(), connection.name()));
    return row;
  }
  Row row = Bad(fmt::format("no connection to {}{}", other.array_name().empty() ? "another array" : other.array_name(),
                            seen.empty() ? "" : fmt::format("; there are: {}", fmt::join(seen, ", "))),
                "Connect the two arrays for replication, and check the sites' array_name.");
  row.set_target(fmt::format("{} -> {}", array->name(), other.array_name()));
  return row;
}

Row Validator::ClockRow(const pb::Site& site, bool logged_in) {
  struct Reading {
    std::string who;
    absl::Duration skew;
  };
  std::vector<Reading> readings;
  std::vector<std::string> silent;
  if (logged_in) {
    const auto cloud = cloud_.Probe("identity", Deadline());
    if (cloud.ok()) {
      readings.push_back({"the cloud", cloud->clock_skew});
    } else {
      silent.emplace_back("the cloud");
    }
  }
  const auto others = Others(site);
  if (others.ok() && !others->empty()) {
    const pb::Site& other = others->front();
    const auto skew = services_.ClockSkew({"orchestrator", other.name(), other.endpoints().orchestrator()}, Deadline());
    if (skew.ok()) {
      readings.push_back({other.name(), *skew});
    } else {
      silent.push_back(other.name());
    }
  }
  if (readings.empty()) return Skip("nobody whose clock could be read answered");
  std::vector<std::string> parts;
  absl::Duration worst;
  for (const Reading& reading : readings) {
    // A Date header is exact to a second only.
    parts.push_back(fmt::format("{} {}{:.1f} s", reading.who, reading.skew < absl::ZeroDuration() ? "" : "+",
                                absl::ToDoubleSeconds(reading.skew)));
    worst = std::max(worst, absl::AbsDuration(reading.skew));
  }
  std::string detail = fmt::format("{}", fmt::join(parts, ", "));
  if (!silent.empty()) detail += fmt::format("; no answer from {}", fmt::join(silent, ", "));
  if (worst <= options_.max_clock_skew + absl::Seconds(1)) return Good(detail);
  const std::string remedy =
      "Synchronise the clocks of both sites (NTP); tokens and recovery points are compared by time.";
  return worst > 12 * options_.max_clock_skew ? Bad(detail, remedy) : Warn(detail, remedy);
}

Row Validator::PeerRow(const pb::Site& other) {
  const ServiceAddress at{"site-registry", other.name(), other.endpoints().site_registry()};
  const auto there = services_.LocalSiteThere(at, Deadline());
  if (!there.ok() && services_.IsNoAnswer(there.status())) {
    return Warn(fmt::format("the registry of {} does not answer: {}", other.name(), MessageOf(there.status())),
                "Changes of protection groups are refused until it is back; only an unplanned failover goes on.");
  }
  if (!there.ok())
    return Warn(MessageOf(there.status()), fmt::format("Register {0} at {0} itself, too.", other.name()));
  if (there->name() != other.name()) {
    return Bad(fmt::format("the registry at {} belongs to {}, not {}", at.address, there->name(), other.name()),
               fmt::format("Correct the endpoints of {} with `protector site set`.", other.name()));
  }
  if (there->array_name() != other.array_name() || there->cinder_host() != other.cinder_host()) {
    return Warn(fmt::format("{} is registered there with array_name \"{}\" and cinder_host \"{}\"", other.name(),
                            there->array_name(), there->cinder_host()),
                "Make both registrations the same with `protector site set`.");
  }
  const auto mappings = services_.MappingsThere(at, Deadline());
  const auto ours = registry_.Mappings("", "");
  if (mappings.ok() && ours.ok()) {
    std::set<std::string> here;
    std::set<std::string> away;
    for (const auto& mapping : *ours) here.insert(mapping.id());
    for (const auto& mapping : *mappings) away.insert(mapping.id());
    if (here != away) {
      return Warn("the two registries have different tenant mappings",
                  "Compare `protector tenant-mapping list` at both sites; create or delete the ones that differ.");
    }
  }
  return Good("answers; sites and tenant mappings are the same there");
}

std::vector<Row> Validator::ProbeCloud(const pb::Site& site, const CloudUser& user, const Row& keystone) {
  const CloudProbeInput input{cloud_, user, options_.region, site.cinder_host(), Deadline()};
  std::vector<Probe> probes = {
      {"catalog", cloud_.AuthUrl(), [&] { return ProbeCatalog(input); }},
      {"nova", "compute",
       [&] { return ProbeCloudService(input, "Nova", "compute", "2.85", "keeping volumes when a server is deleted"); }},
      {"cinder", "block storage",
       [&] { return ProbeCloudService(input, "Cinder", "volume", "3.8", "managing volumes"); }},
      {"neutron", "network", [&] { return ProbeCloudService(input, "Neutron", "network", "", ""); }},
      {"glance", "image", [&] { return ProbeCloudService(input, "Glance", "image", "", ""); }},
      {"volume-types", "volume types", [&] { return ProbeVolumeTypes(input); }},
      {"manage-rights", "user " + user.name, [&] { return ProbeManageRights(input); }},
      {"cinder-host", site.cinder_host(), [&] { return ProbeCinderHost(input); }},
  };
  const auto mappings = registry_.Mappings(site.name(), "");
  if (mappings.ok()) {
    for (const auto& mapping : *mappings) {
      const bool first = mapping.site_a() == site.name();
      const std::string& id = first ? mapping.project_id_a() : mapping.project_id_b();
      const std::string& name = first ? mapping.project_name_a() : mapping.project_name_b();
      probes.push_back(
          {"tenant-mapping", "project " + (name.empty() ? id : name), [&input, id] { return ProbeTenant(input, id); }});
    }
  }
  if (!mappings.ok() || mappings->empty()) {
    probes.push_back({"tenant-mapping", "", [&] {
                        return mappings.ok() ? Warn("no project of this site is mapped",
                                                    "Map the tenants with `protector tenant-mapping create`.")
                                             : Bad(mappings.status(), "");
                      }});
  }
  if (keystone.state() == Row::OK) return RunProbes(probes, clock_);
  std::vector<Row> rows;
  for (const Probe& probe : probes)
    rows.push_back(Named(Skip("not tried: the login at Keystone failed"), probe.name, probe.target));
  return rows;
}

std::vector<Row> Validator::ProbeHere(const pb::Site& site, bool local_only) {
  CloudUser user;
  Row keystone =
      RunProbes({{"keystone", cloud_.AuthUrl(), [&] { return ProbeKeystone(cloud_, Deadline(), user); }}}, clock_)
          .front();
  std::vector<Row> cloud;
  std::vector<Row> ours;
  std::vector<Probe> probes = ServiceProbes(site);
  probes.push_back({"array", site.array_name(), [&] { return ArrayRow(site); }});
  probes.push_back({"array-link", "", [&] { return ArrayLinkRow(site); }});
  probes.push_back({"clock-skew", "", [&] { return ClockRow(site, keystone.state() == Row::OK); }});
  const auto others = Others(site);
  if (!local_only && others.ok()) {
    for (const pb::Site& other : *others) {
      probes.push_back({"peer", other.name(), [this, &other] { return PeerRow(other); }});
    }
  }
  // The two halves do not depend on each other.
  std::thread half([&] { cloud = ProbeCloud(site, user, keystone); });
  ours = RunProbes(probes, clock_);
  half.join();

  std::vector<Row> rows = {std::move(keystone)};
  constexpr size_t kApis = 5;  // catalog to glance come before our services, the rest after
  for (size_t i = 0; i < kApis; ++i) rows.push_back(std::move(cloud[i]));
  const auto peer = std::find_if(ours.begin(), ours.end(), [](const Row& row) { return row.probe() == "peer"; });
  rows.insert(rows.end(), ours.begin(), peer);
  for (size_t i = kApis; i < cloud.size(); ++i) rows.push_back(std::move(cloud[i]));
  rows.insert(rows.end(), peer, ours.end());
  return rows;
}

std::vector<Row> Validator::UnreachableRows(const pb::Site& site, const Row& peer) {
  std::vector<Row> rows;
  const auto skipped = [&](const std::string& probe) {
    rows.push_back(Named(Skip(fmt::format("only the registry of {} could try this", site.name())), probe, ""));
  };
  for (const char* probe : {"keystone", "catalog", "nova", "cinder", "neutron", "glance"}) skipped(probe);
  Append(RunProbes(ServiceProbes(site), clock_), rows);
  for (const char* probe :
       {"array", "array-link", "clock-skew", "volume-types", "manage-rights", "cinder-host", "tenant-mapping"}) {
    skipped(probe);
  }
  rows.push_back(peer);
  return rows;
}

std::vector<Row> Validator::ProbeThere(const pb::Site& site, pb::Site::Status& status) {
  const ServiceAddress at{"site-registry", site.name(), site.endpoints().site_registry()};
  absl::StatusOr<pb::ValidateSiteResponse> there = absl::UnknownError("");
  Row peer = RunProbes({{"peer", fmt::format("{} at {}", site.name(), at.address),
                         [&] {
                           there = services_.ValidateThere(at, absl::Now() + 4 * options_.probe_timeout);
                           return there.ok()
                                      ? PeerRow(site)
                                      : Bad(there.status(),
                                            "Start the services of the site and check the network between the sites.");
                         }}},
                       clock_)
                 .front();
  if (!there.ok()) {
    status = services_.IsNoAnswer(there.status()) ? pb::Site::UNREACHABLE : pb::Site::INVALID;
    return UnreachableRows(site, peer);
  }
  std::vector<Row> rows(there->probes().begin(), there->probes().end());
  rows.push_back(std::move(peer));
  status = Failed(rows) ? pb::Site::INVALID : pb::Site::VALID;
  return rows;
}

absl::StatusOr<pb::ValidateSiteResponse> Validator::Validate(const pb::ValidateSiteRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const pb::Site site, registry_.Get(request.name()));
  pb::Site::Status status = pb::Site::VALID;
  std::vector<Row> rows;
  if (site.local()) {
    rows = ProbeHere(site, request.local_only());
    if (Failed(rows)) status = pb::Site::INVALID;
  } else if (request.local_only()) {
    return Error(absl::StatusCode::kFailedPrecondition, "WRONG_PEER",
                 fmt::format("this registry belongs to {}, it cannot probe {}", registry_.local_site(), site.name()))
        .Object("site " + site.name())
        .Remedy(fmt::format("Correct the endpoints of {} with `protector site set`.", site.name()));
  } else {
    rows = ProbeThere(site, status);
  }
  for (const Row& row : rows) {
    if (row.state() != Row::FAILED) continue;
    logger_.Warning("probe failed", {{"probed_site", site.name()},
                                     {"probe", row.probe()},
                                     {"target", row.target()},
                                     {"detail", row.detail()},
                                     {"remedy", row.remedy()}});
  }
  pb::ValidateSiteResponse response;
  PROTECTOR_ASSIGN_OR_RETURN(*response.mutable_site(), registry_.SetStatus(site.name(), status));
  response.mutable_site()->set_status(status);
  for (Row& row : rows) *response.add_probes() = std::move(row);
  return response;
}

}  // namespace protector::site_registry
