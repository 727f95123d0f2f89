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
  endpoint("site_registry", "127.0.10.1:7101");
  endpoint("metadata_sync", "127.0.10.1:7102");
  endpoint("orchestrator", "127.0.10.1:7103");
  endpoint("storage_pure", "127.0.10.1:7104");
  config::Schema schema;
  schema.AddList("sites", "The sites that `protector` can ask.", site);
  return schema;
}

absl::StatusOr<std::vector<SiteAddress>> Read(const std::string& text, const std::string& path) {
  const auto loaded = FileSchema().LoadText(text, path);
  if (!loaded.ok()) return UsageError(MessageOf(loaded.status())).Remedy(DetailOf(loaded.status()).remedy);
  std::vector<SiteAddress> sites;
  for (const config::Config& entry : loaded->GetList("sites")) {
    SiteAddress site{.name = entry.GetString("name"),
                     .auth_url = entry.GetString("auth_url"),
                     .site_registry = entry.GetString("site_registry"),
                     .metadata_sync = entry.GetString("metadata_sync"),
                     .orchestrator = entry.GetString("orchestrator"),
                     .storage_pure = entry.GetString("storage_pure")};
    FillDefaultPorts(site);
    sites.push_back(std::move(site));
  }
  return sites;
}

}  // namespace

absl::StatusOr<std::vector<SiteAddress>> LoadCliConfig(const cloudconfig::Env& env, const std::string& config_option) {
  const auto variables = env.Variables();
  const auto variable = variables.find("PROTECTOR_CONFIG");
  std::string named = config_option;
  if (named.empty() && variable != variables.end()) named = variable->second;
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
  return std::vector<SiteAddress>{};
}

std::string SampleCliConfig() {
  return FileSchema().Sample("Configuration of the command line `protector`.");
}

}  // namespace protector::cli
