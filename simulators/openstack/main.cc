// openstack-sim: flags only. What it does is in README.md.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "simulators/openstack/app.h"
#include "simulators/openstack/core/seed.h"

int main(int argc, char** argv) {
  protector::ossim::Config c;
  bool print_seed = false, no_resume = false;
  std::string token_file, level = "info";
  CLI::App app{
      "One site's Keystone, Nova, Cinder, Neutron, Glance and Placement in one process, for tests and demonstrations."};
  app.add_option("--site", c.site, "name, region and built-in seed: site-a, site-b")->capture_default_str();
  app.add_option("--ip", c.ip, "address of the services (default: the lab's address of the site)");
  app.add_option("--advertise", c.advertise, "host that the catalog names, when it differs from --ip");
  app.add_option("--port-offset", c.port_offset, "added to 5000, 8774, 8776, 8778, 9292 and 9696");
  app.add_option("--control", c.control, "ADDRESS:PORT of the control plane (default: IP:9900)");
  app.add_option("--state-dir", c.state_dir, "keep the state here (default: in memory)");
  app.add_option("--array", c.array, "rest, or none: an array inside this process")
      ->check(CLI::IsMember({"rest", "none"}));
  app.add_option("--array-url", c.array_url, "REST 2.x endpoint of the FlashArray, https://HOST:PORT");
  app.add_option("--array-token", c.array_token, "its API token")->envname("PROTECTOR_SIM_ARRAY_TOKEN");
  app.add_option("--array-token-file", token_file, "a file that holds the API token");
  app.add_option("--array-ca", c.array_ca, "certificate to check the array against");
  app.add_flag("--array-insecure", c.array_insecure, "do not check the array's certificate");
  app.add_option("--array-io", c.array_io, "data plane of the array simulator, http://HOST:PORT");
  app.add_option("--cinder-group", c.cinder_group, "protection group for volumes of replicated types (default: none)");
  app.add_option("--seed-file", c.seed_file, "YAML or JSON with what the site holds at first; see --print-seed");
  app.add_flag("--print-seed", print_seed, "print the seed of the site and end");
  app.add_option("--latency", c.latency, "zero, realistic, class=min:max,...")->capture_default_str();
  app.add_option("--guest-interval-ms", c.guest_interval_ms, "one record per volume and interval; 0: none")
      ->capture_default_str();
  app.add_option("--token-expiration", c.token_expiration_s, "seconds")->capture_default_str();
  app.add_flag("--member-may-manage", c.member_may_manage, "permit volume manage and unmanage to the role member");
  app.add_flag("--no-resume-guests", no_resume, "ACTIVE servers do not write after a restart");
  app.add_option("--log-level", level, "trace, debug, info, warn, error")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  spdlog::set_default_logger(spdlog::stderr_logger_mt("openstack-sim"));
  spdlog::set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e","level":"%l","message":"%v"})");
  spdlog::set_level(spdlog::level::from_str(level));
  c.resume_guests = !no_resume;
  if (c.ip.empty()) c.ip = c.site == "site-b" ? "127.0.20.1" : "127.0.10.1";
  if (c.control.empty()) c.control = c.ip + ":9900";
  if (c.array.empty()) c.array = c.array_url.empty() ? "none" : "rest";
  if (!token_file.empty() && !(std::ifstream(token_file) >> c.array_token)) {
    std::cerr << "openstack-sim: cannot read a token from " << token_file << "\n";
    return 1;
  }
  if (print_seed) {
    std::cout << protector::ossim::BuiltInSeed(c.site).dump(2) << "\n";
    return 0;
  }
  return protector::ossim::Run(c);
}
