// clouds.yaml, secure.yaml and the environment, split at 0x1E: what is found in them is a cloud or a failure that says
// why.
#include "libs/cloudconfig/cloudconfig.h"
#include "tests/fuzz/fuzz.h"

using protector::fuzz::Require;
namespace cloudconfig = protector::cloudconfig;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto pieces = protector::fuzz::Pieces(protector::fuzz::Text(data, size), '\x1e');
  cloudconfig::FakeEnv env;
  env.files["/cwd/clouds.yaml"] = pieces[0];
  if (pieces.size() > 1) env.files["/cwd/secure.yaml"] = pieces[1];
  if (pieces.size() > 2) {
    for (const auto& line : protector::fuzz::Pieces(pieces[2], '\n')) {
      const size_t equals = line.find('=');
      if (equals != std::string::npos) env.variables["OS_" + line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  const auto names = cloudconfig::CloudNames(env);
  Require(names.ok() || !names.status().message().empty(), "a failure has a text");
  for (const auto& options : {cloudconfig::Options{},
                              cloudconfig::Options{{"cloud", names.ok() && !names->empty() ? names->front() : "x"}}}) {
    const auto cloud = cloudconfig::Load(env, options);
    if (cloud.ok()) {
      cloudconfig::CheckComplete(*cloud).IgnoreError();
    } else {
      Require(!cloud.status().message().empty(), "a failure has a text");
    }
  }
  return 0;
}
