// A test tool: prints as JSON what libs/cloudconfig makes of this process' environment, files and --os-* options, for
// comparison with openstacksdk's loader. Shows secrets; not shipped.

#include <cstdio>
#include <string>

#include "libs/base/error.h"
#include "libs/cloudconfig/cloudconfig.h"
#include "libs/json/json.h"

using protector::json::Value;

int main(int argc, char** argv) {
  protector::cloudconfig::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (argument.rfind("--os-", 0) == 0 && equals != std::string::npos) {
      options[argument.substr(5, equals - 5)] = argument.substr(equals + 1);
    }
  }
  const auto env = protector::cloudconfig::NewProcessEnv();
  const auto cloud = protector::cloudconfig::Load(*env, options);
  if (!cloud.ok()) {
    std::puts(Value::Object({{"error", protector::MessageOf(cloud.status())}}).Dump().c_str());
    return 1;
  }
  const Value result =
      Value::Object({{"name", cloud->name},
                     {"auth_type", cloud->auth_type},
                     {"auth", cloud->auth},
                     {"region_name", cloud->region_name},
                     {"interface", cloud->interface},
                     {"verify", cloud->verify},
                     {"cacert", cloud->cacert},
                     {"cert", cloud->cert},
                     {"key", cloud->key},
                     {"api_timeout", cloud->api_timeout.has_value() ? Value(*cloud->api_timeout) : Value()},
                     {"force_ipv4", cloud->force_ipv4},
                     {"extra", cloud->extra}});
  std::puts(result.DumpPretty().c_str());
  return 0;
}
