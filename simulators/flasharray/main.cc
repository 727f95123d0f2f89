// flasharray-sim: flags, start, wait for SIGTERM.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "simulators/flasharray/app.h"
#include "simulators/flasharray/base/text.h"

namespace {

using protector::fasim::App;
using protector::fasim::Options;
using protector::fasim::TokenOption;

// "token", "user=token" or "user:role=token".
TokenOption ParseToken(const std::string& text) {
  TokenOption option;
  const auto equals = text.find('=');
  option.token = equals == std::string::npos ? text : text.substr(equals + 1);
  if (equals == std::string::npos) return option;
  const auto parts = protector::fasim::Split(text.substr(0, equals), ':');
  option.user = parts[0];
  if (parts.size() > 1) option.role = parts[1];
  return option;
}

int Minor(const std::string& version) {
  return std::stoi(version.substr(version.find('.') + 1));
}

struct Flags {
  Options options;
  std::vector<std::string> tokens, peers;
  std::string latency, versions = "2.0..2.26";
  bool lenient = false, strict = false, no_preconnect = false;
};

void Declare(CLI::App& cli, Flags& flags) {
  Options& o = flags.options;
  cli.add_option("--name", o.name, "Name of the array")->capture_default_str();
  cli.add_option("--listen", o.listen, "REST, HTTPS: HOST:PORT")->capture_default_str();
  cli.add_option("--control", o.control, "Control and data plane, HTTP: HOST:PORT")->capture_default_str();
  cli.add_option("--advertise", o.advertise,
                 "Host that peers are told to reach this array at (when it listens on 0.0.0.0)");
  cli.add_option("--state-dir", o.state_dir, "Keep everything here (without: memory only)");
  cli.add_option("--api-token", flags.tokens, "TOKEN, USER=TOKEN or USER:ROLE=TOKEN; repeatable");
  cli.add_option("--peer", flags.peers, "NAME=HOST:PORT of another array's control port; repeatable");
  cli.add_flag("--no-preconnect", flags.no_preconnect, "Do not connect to the peers at start");
  cli.add_option("--bandwidth-mbps", o.bandwidth_mbps, "Replication bandwidth per peer, 0: unlimited");
  cli.add_option("--latency-ms", flags.latency, "A or A:B, added to every REST call");
  cli.add_option("--time-scale", o.time_scale, "Schedules and retention run this many times faster");
  cli.add_option("--versions", flags.versions, "REST versions offered")->capture_default_str();
  cli.add_flag("--strict", flags.strict, "Refuse unknown parameters and body keys (default)");
  cli.add_flag("--lenient", flags.lenient, "Ignore them");
  cli.add_option("--idle-timeout-ms", o.idle_timeout, "Session idle timeout of a new array");
  cli.add_option("--seed", o.seed, "Varies ids, serials and random choices");
  cli.add_flag("--sync-writes", o.sync_writes, "fdatasync before anything is acknowledged");
  cli.add_option("--ready-file", o.ready_file, "Written when both ports answer");
}

void Complete(Flags& flags) {
  Options& o = flags.options;
  for (const std::string& text : flags.tokens) o.tokens.push_back(ParseToken(text));
  for (const std::string& text : flags.peers) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) throw std::runtime_error("--peer takes NAME=HOST:PORT");
    o.peers[text.substr(0, equals)] = text.substr(equals + 1);
  }
  if (!flags.latency.empty()) {
    const auto parts = protector::fasim::Split(flags.latency, ':');
    o.latency_low = std::stoi(parts.front());
    o.latency_high = std::stoi(parts.back());
  }
  const auto dots = flags.versions.find("..");
  o.first_minor = Minor(flags.versions.substr(0, dots));
  o.last_minor = dots == std::string::npos ? o.first_minor : Minor(flags.versions.substr(dots + 2));
  if (o.last_minor > 26) throw std::runtime_error("2.26 is the newest version this array has");
  o.strict = !flags.lenient;
  o.preconnect = !flags.no_preconnect;
  if (o.tokens.empty()) {
    o.tokens.push_back({"pureuser", "array_admin", protector::fasim::NewUuid()});
    spdlog::info("api token of pureuser: {}", o.tokens.front().token);
  }
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("flasharray-sim"));
  CLI::App cli("A simulated FlashArray: REST 2.0 to 2.26, real bytes, replication, faults");
  Flags flags;
  Declare(cli, flags);
  CLI11_PARSE(cli, argc, argv);
  // Every thread inherits the mask; the signals are taken by sigwait below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    Complete(flags);
    App app(flags.options);
    app.Start();
    const std::string ready = app.ReadyLine();
    std::puts(ready.c_str());
    std::fflush(stdout);
    if (!flags.options.ready_file.empty()) std::ofstream(flags.options.ready_file) << ready << '\n';
    int signal = 0;
    sigwait(&signals, &signal);
    app.Stop();
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return 1;
  }
  return 0;
}
