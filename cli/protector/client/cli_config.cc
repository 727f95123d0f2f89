#include "cli/protector/client/cli_config.h"

#include <fmt/format.h>

#include "cli/protector/args/usage.h"
#include "libs/config/config.h"

namespace protector::cli {
namespace {

config::Schema FileSchema() {
  config::Schema site;
  const auto endpoint = [&](const char* path, const char* example) {
    site.Add({.path = path,
              .doc = "HOST:PORT; default: the auth_url's host and the standard port.",
              .default_value = "\"\"",
              .example = example});
  };
  site.Add({.path = "name", .doc = "Name of the site, as it is registered.", .required = true, .example = "site-a"});
  site.Add({.path = "auth_url",
            .doc = "Its Keystone, as credentials name it.",
            .required = true,
            .example = "http://127.0.10.1:5000/v3"});
  site.Add({.path = "cloud",
            .doc = "A cloud of clouds.yaml with credentials for this site, used when those of a command are the other "
                   "site's. Without it this site asks the other one who gives the command, which takes a connection "
                   "between the sites.",
            .default_value = "\"\"",
            .example = "site-a"});
  endpoint("site_registry", "127.0.10.1:7101");
  endpoint("metadata_sync", "127.0.10.1:7102");
  endpoint("orchestrator", "127.0.10.1:7103");
  endpoint("storage_pure", "127.0.10.1:7104");
  config::Schema schema;
  schema.Add(
      {.path = "tls_dir",
       .doc = "Directory of ca.pem (the CAs that are trusted), cli.pem and cli.key (what proves to the services who "
              "calls; `protector-pki issue` makes them). $PROTECTOR_TLS_DIR comes first; default: "
              "~/.config/protector/tls or /etc/protector/tls.",
       .default_value = "\"\""});
  schema.Add({.path = "insecure",
              .type = config::Type::kBoolean,
              .doc = "Plain text instead of TLS, for services that say the same. For a lab on one machine.",
              .default_value = "false"});
  schema.AddList("sites", "The sites that `protector` can ask.", site);
  return schema;
}

absl::StatusOr<CliConfig> Read(const std::string& text, const std::string& path) {
  const auto loaded = FileSchema().LoadText(text, path);
  if (!loaded.ok()) return UsageError(MessageOf(loaded.status())).Remedy(DetailOf(loaded.status()).remedy);
  CliConfig config{.sites = {}, .tls_dir = loaded->GetString("tls_dir"), .insecure = loaded->GetBoolean("insecure")};
  for (const config::Config& entry : loaded->GetList("sites")) {
    SiteAddress site{.name = entry.GetString("name"),
                     .auth_url = entry.GetString("auth_url"),
                     .site_registry = entry.GetString("site_registry"),
                     .metadata_sync = entry.GetString("metadata_sync"),
                     .orchestrator = entry.GetString("orchestrator"),
                     .storage_pure = entry.GetString("storage_pure"),
                     .cloud = entry.GetString("cloud")};
    FillDefaultPorts(site);
    config.sites.push_back(std::move(site));
  }
  return config;
}

// The file, if there is one.
absl::StatusOr<CliConfig> ReadAny(const cloudconfig::Env& env, const std::string& named) {
  if (!named.empty()) {
    const auto text = env.ReadFile(named);
    if (!text) {
      return UsageError(fmt::format("the configuration file {} is not there or cannot be read", named))
          .Remedy("Correct --config or PROTECTOR_CONFIG.");
    }
    return Read(*text, named);
  }
  for (const std::string& path :
       {env.HomeDirectory() + "/.config/protector/protector.yaml", std::string("/etc/protector/protector.yaml")}) {
    if (const auto text = env.ReadFile(path)) return Read(*text, path);
  }
  return CliConfig();
}

std::string Variable(const cloudconfig::Env& env, const char* name) {
  const auto variables = env.Variables();
  const auto found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

std::string UsualTlsDir(const cloudconfig::Env& env) {
  const std::string of_user = env.HomeDirectory() + "/.config/protector/tls", of_machine = "/etc/protector/tls";
  return !env.ReadFile(of_user + "/ca.pem") && env.ReadFile(of_machine + "/ca.pem") ? of_machine : of_user;
}

}  // namespace

absl::StatusOr<CliConfig> LoadCliConfig(const cloudconfig::Env& env, const std::string& config_option) {
  PROTECTOR_ASSIGN_OR_RETURN(CliConfig config,
                             ReadAny(env, config_option.empty() ? Variable(env, "PROTECTOR_CONFIG") : config_option));
  if (const std::string directory = Variable(env, "PROTECTOR_TLS_DIR"); !directory.empty()) config.tls_dir = directory;
  if (config.tls_dir.empty()) config.tls_dir = UsualTlsDir(env);
  return config;
}

std::string SampleCliConfig() {
  return FileSchema().Sample("Configuration of the command line `protector`.");
}

}  // namespace protector::cli
