#include "cli/protector/args/spec.h"

namespace protector::cli {

std::string Command::PathText() const {
  std::string text;
  for (const std::string& word : path) text += (text.empty() ? "" : " ") + word;
  return text;
}

const Command* Program::Find(const std::vector<std::string>& path) const {
  for (const Command& command : commands) {
    if (command.path == path) return &command;
  }
  return nullptr;
}

std::vector<Option> GlobalOptions() {
  std::vector<Option> options = {
      {.name = "--site",
       .value = "SITE",
       .help = "Ask this site's services (default: the site of the credentials).",
       .names = Names::kSite},
      {.name = "--format",
       .value = "FORMAT",
       .help = "table, json, yaml, value; csv for lists, shell for one object.",
       .choices = {"table", "json", "yaml", "value", "csv", "shell"},
       .letter = "-f"},
      {.name = "--column",
       .value = "COLUMN",
       .help = "Show only this column or field; may be repeated.",
       .repeat = true,
       .letter = "-c"},
      {.name = "--sort-column",
       .value = "COLUMN",
       .help = "Sort a list by this column; may be repeated.",
       .repeat = true},
      {.name = "--sort-descending", .value = "", .help = "Sort the other way round."},
      {.name = "--max-width",
       .value = "COLUMNS",
       .help = "Widest table; 0 for no limit (default: the terminal's width)."},
      {.name = "--noindent", .value = "", .help = "JSON on one line."},
      {.name = "--config",
       .value = "FILE",
       .help = "Where the sites' services are (default: see `protector help config`).",
       .names = Names::kFile},
      {.name = "--timeout", .value = "SECONDS", .help = "Longest wait for one answer (default 30)."},
      {.name = "--timing", .value = "", .help = "Say on stderr how long each call took."},
      {.name = "--debug", .value = "", .help = "Say on stderr which calls are made and how they end."},
      {.name = "--verbose", .value = "", .help = "Say more, such as request ids.", .letter = "-v"},
      {.name = "--quiet", .value = "", .help = "No warnings and no progress.", .letter = "-q"},
      {.name = "--insecure", .value = "", .help = "Do not check the cloud's certificate."},
  };
  const auto os = [&](const char* name, const char* value, const char* help, Names names = Names::kNone) {
    options.push_back({.name = std::string("--os-") + name, .value = value, .help = help, .names = names});
  };
  os("cloud", "CLOUD", "Cloud of clouds.yaml.", Names::kCloud);
  os("region-name", "REGION", "Region.");
  os("cacert", "FILE", "Certificates to trust.", Names::kFile);
  os("cert", "FILE", "Client certificate.", Names::kFile);
  os("key", "FILE", "Client certificate's key.", Names::kFile);
  os("interface", "INTERFACE", "public, internal or admin.");
  os("auth-type", "TYPE", "password, v3applicationcredential, token, ...");
  os("auth-url", "URL", "Keystone; its host is the site whose services are asked.");
  os("project-name", "NAME", "Project to act in.");
  os("project-id", "ID", "Project to act in.");
  os("project-domain-name", "NAME", "Domain of the project.");
  os("project-domain-id", "ID", "Domain of the project.");
  os("user-domain-name", "NAME", "Domain of the user.");
  os("user-domain-id", "ID", "Domain of the user.");
  os("domain-name", "NAME", "Domain to act in.");
  os("domain-id", "ID", "Domain to act in.");
  os("username", "NAME", "User.");
  os("user-id", "ID", "User.");
  os("password", "PASSWORD", "Password (better: OS_PASSWORD or secure.yaml).");
  os("token", "TOKEN", "Token (better: OS_TOKEN).");
  os("application-credential-id", "ID", "Application credential.");
  os("application-credential-name", "NAME", "Application credential.");
  os("application-credential-secret", "SECRET", "Its secret (better: OS_APPLICATION_CREDENTIAL_SECRET).");
  os("system-scope", "SCOPE", "System scope.");
  return options;
}

}  // namespace protector::cli
