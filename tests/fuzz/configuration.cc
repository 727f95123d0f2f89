// A service's configuration: every kind of key that there is.
#include "libs/config/config.h"
#include "tests/fuzz/fuzz.h"

using protector::config::Schema;
using protector::config::Type;
using protector::fuzz::Require;

namespace {

Schema Keys() {
  Schema item;
  item.Add({.path = "name", .doc = "Name.", .required = true});
  item.Add({.path = "token", .doc = "Secret.", .secret = true});
  Schema schema;
  schema.Add({.path = "site", .doc = "Site.", .required = true});
  schema.Add({.path = "store.path", .doc = "File.", .default_value = "x.db"});
  schema.Add({.path = "limits.calls",
              .type = Type::kInteger,
              .doc = "Number.",
              .default_value = "64",
              .minimum = 1,
              .maximum = 1024});
  schema.Add({.path = "limits.share", .type = Type::kNumber, .doc = "Share.", .default_value = "0.5"});
  schema.Add({.path = "log.colour", .type = Type::kBoolean, .doc = "Colour.", .default_value = "false"});
  schema.Add({.path = "timeouts.call", .type = Type::kDuration, .doc = "Time.", .default_value = "5s"});
  schema.Add({.path = "log.level", .doc = "Level.", .default_value = "info", .choices = {"info", "debug"}});
  schema.Add({.path = "peers", .type = Type::kStrings, .doc = "Peers.", .default_value = "[a, b]"});
  schema.AddList("arrays", "Arrays.", item);
  return schema;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Schema schema = Keys();
  const auto config = schema.LoadText(protector::fuzz::Text(data, size), "/nowhere/service.yaml");
  if (!config.ok()) {
    Require(!config.status().message().empty(), "a failure has a text");
    return 0;
  }
  const int64_t calls = config->GetInteger("limits.calls");
  Require(calls >= 1 && calls <= 1024, "a number is within its limits");
  const std::string level = config->GetString("log.level");
  Require(level == "info" || level == "debug", "a choice is one of those there are");
  config->GetNumber("limits.share");
  config->GetBoolean("log.colour");
  config->GetDuration("timeouts.call");
  config->GetStrings("peers");
  for (const auto& array : config->GetList("arrays")) array.GetString("name");
  return 0;
}
