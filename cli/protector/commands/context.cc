#include "cli/protector/commands/context.h"

#include <fmt/format.h>

#include <optional>
#include <ostream>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/client/cli_config.h"
#include "cli/protector/client/login.h"
#include "cli/protector/client/sites.h"
#include "cli/protector/output/render.h"
#include "cli/protector/output/text_width.h"

namespace protector::cli {
namespace {

// Values wider than this are wrapped where nothing says how wide the reader's screen is.
constexpr int kWidthOfObjectsElsewhere = 100;

std::string Variable(const World& world, const char* name) {
  const auto variables = world.env.Variables();
  const auto found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

absl::StatusOr<rpc::Security> SecurityOf(const CliConfig& config) {
  if (config.insecure) return rpc::Security::Insecure();
  auto security = rpc::Security::Tls({.ca_file = config.tls_dir + "/ca.pem",
                                      .certificate_file = config.tls_dir + "/cli.pem",
                                      .key_file = config.tls_dir + "/cli.key"});
  if (security.ok()) return security;
  return UsageError(MessageOf(security.status()))
      .Object(DetailOf(security.status()).object)
      .Remedy(
          "The services want a certificate from who calls: put ca.pem, cli.pem and cli.key, as `protector-pki issue "
          "DIR SITE cli` makes them, into ~/.config/protector/tls or another directory that PROTECTOR_TLS_DIR names.");
}

// The site of the credentials, where that is another than the one that is asked: as the configuration file has it.
std::optional<SiteAddress> HomeOf(const std::string& auth_url, const std::vector<SiteAddress>& configured,
                                  const SiteAddress& asked) {
  const std::string host = HostAndPortOfUrl(auth_url);
  if (auth_url.empty() || HostAndPortOfUrl(asked.auth_url) == host) return std::nullopt;
  for (const SiteAddress& site : configured) {
    if (HostAndPortOfUrl(site.auth_url) == host) return site;
  }
  return std::nullopt;
}

}  // namespace

Context::Context(const Program& known, const World& around, Arguments given)
    : program(known), world(around), arguments(std::move(given)) {}

Context::~Context() = default;

absl::Status Context::Prepare() {
  style_.format = arguments.Get("format", "table");
  style_.columns = arguments.All("column");
  style_.sort_columns = arguments.All("sort-column");
  style_.sort_descending = arguments.Has("sort-descending");
  style_.noindent = arguments.Has("noindent");
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t width, arguments.Int("max-width", -1, 0, 100000));
  style_.max_width = static_cast<int>(width);
  if (width < 0) {
    const std::string forced = Variable(world, "CLIFF_MAX_TERM_WIDTH");
    style_.max_width =
        forced.empty() || forced.find_first_not_of("0123456789") != std::string::npos || forced.size() > 5
            ? (world.terminal.Width() > 0 ? world.terminal.Width() : -1)
            : std::stoi(forced);
  }
  PROTECTOR_ASSIGN_OR_RETURN(const int64_t seconds, arguments.Int("timeout", 30, 1, 3600));
  timeout_ = absl::Seconds(seconds);
  return absl::OkStatus();
}

cloudconfig::Options Context::CloudOptions() const {
  cloudconfig::Options options;
  for (const Option& option : program.globals) {
    const std::string prefix = "--os-";
    if (!option.name.starts_with(prefix)) continue;
    std::string key = option.name.substr(prefix.size());
    if (!arguments.Has("os-" + key)) continue;
    const std::string value = arguments.Get("os-" + key);
    for (char& c : key) c = c == '-' ? '_' : c;
    options[key] = value;
  }
  if (arguments.Has("insecure")) options["insecure"] = "true";
  return options;
}

absl::StatusOr<std::unique_ptr<Session>> Context::MakeSession() {
  PROTECTOR_ASSIGN_OR_RETURN(const CliConfig config, LoadCliConfig(world.env, arguments.Get("config")));
  const std::vector<SiteAddress>& configured = config.sites;
  const std::string wanted = arguments.Get("site");
  if (arguments.Has("site")) PROTECTOR_RETURN_IF_ERROR(CheckReference("site", wanted));
  SessionOptions options;
  PROTECTOR_ASSIGN_OR_RETURN(options.security, SecurityOf(config));
  options.timeout = timeout_;
  options.note = [this](const CallNote& note) { Note(note); };
  options.warn = [this](const std::string& text) { Warn(text); };
  std::string auth_url;
  const auto cloud = cloudconfig::Load(world.env, CloudOptions());
  if (cloud.ok()) {
    auth_url = cloud->auth_url();
    options.project = {.id = cloud->Auth("project_id"),
                       .name = cloud->Auth("project_name"),
                       .domain = cloud->Auth("project_domain_name")};
    if (options.project.domain.empty()) options.project.domain = cloud->Auth("project_domain_id");
    options.user = cloud->Auth("username").empty() ? cloud->Auth("user_id") : cloud->Auth("username");
  } else if (wanted.empty() || configured.empty()) {
    // Without credentials --site can still name a site of the configuration file.
    ErrorDetail detail = DetailOf(cloud.status());
    return UsageError(MessageOf(cloud.status()))
        .Object(detail.object)
        .Remedy(detail.remedy.empty() ? "Source a site's openrc file, or set OS_CLOUD to a cloud of clouds.yaml."
                                      : detail.remedy);
  }
  PROTECTOR_ASSIGN_OR_RETURN(const SiteChoice choice, ChooseSite(wanted, auth_url, configured));
  if (!config.insecure) {
    auto login = std::make_shared<Login>(cloud, world.env, world.clock, timeout_,
                                         ProcessLoginHelper(timeout_ + absl::Seconds(1)));
    options.credentials = [login](const SiteAddress& site, const SiteAddress& home, bool renew) {
      return login->For(site, home, renew);
    };
  }
  const std::optional<SiteAddress> home = HomeOf(auth_url, configured, choice.site);
  if (config.insecure) Warn("insecure: calls to the services are neither encrypted, nor is it known who answers");
  auto session = std::make_unique<Session>(choice.site, configured, options, home);
  if (!choice.ask_registry_for_wanted) return session;
  PROTECTOR_ASSIGN_OR_RETURN(SiteAddress asked, FindSite(*session, wanted));
  if (asked.local) return session;
  // The credentials are another site's: their project is looked up there by tenant mapping.
  PROTECTOR_ASSIGN_OR_RETURN(options.project, ProjectAt(*session, asked));
  asked.local = true;
  return std::make_unique<Session>(asked, configured, options, session->local());
}

absl::StatusOr<Session*> Context::Connect() {
  if (session_ == nullptr) {
    PROTECTOR_ASSIGN_OR_RETURN(session_, MakeSession());
  }
  return session_.get();
}

void Context::Note(const CallNote& note) {
  const std::lock_guard lock(mutex_);
  notes_.push_back(note);
  if (!arguments.Has("debug")) return;
  world.err << Printable(fmt::format("DEBUG: {} {} at {}: {} in {:.1f} ms{}", note.site, note.method, note.address,
                                     absl::StatusCodeToString(note.status.code()),
                                     absl::ToDoubleMilliseconds(note.duration),
                                     note.status.ok() ? "" : ": " + MessageOf(note.status)))
            << "\n";
}

std::string Context::TimingText() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  double total = 0;
  for (const CallNote& note : notes_) {
    const double seconds = absl::ToDoubleSeconds(note.duration);
    total += seconds;
    text += fmt::format("{:>9.4f} s  {} {}\n", seconds, note.site, note.method);
  }
  return text + fmt::format("{:>9.4f} s  in {} calls\n", total, notes_.size());
}

absl::Status Context::Show(const Record& record) {
  Style style = style_;
  if (style.max_width < 0) style.max_width = kWidthOfObjectsElsewhere;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string text, Render(record, style));
  world.out << text << std::flush;
  return absl::OkStatus();
}

absl::Status Context::Show(const Listing& listing) {
  Style style = style_;
  style.max_width = std::max(style.max_width, 0);
  PROTECTOR_ASSIGN_OR_RETURN(const std::string text, Render(listing, style));
  world.out << text << std::flush;
  return absl::OkStatus();
}

void Context::Warn(const std::string& text) {
  if (!quiet()) world.err << "WARNING: " << Printable(text) << "\n" << std::flush;
}

void Context::Explain(const std::string& text) {
  if (!quiet()) world.err << Printable(text) << "\n" << std::flush;
}

void Context::Detail(const std::string& text) {
  if (verbose()) world.err << Printable(text) << "\n" << std::flush;
}

absl::StatusOr<std::string> Context::RequestId() {
  if (arguments.Has("request-id")) {
    const std::string given = arguments.Get("request-id");
    PROTECTOR_RETURN_IF_ERROR(CheckUuid("--request-id", given));
    return given;
  }
  if (request_id_.empty()) {
    request_id_ = world.ids.NewUuid();
    Detail("request id " + request_id_);
  }
  return request_id_;
}

}  // namespace protector::cli
