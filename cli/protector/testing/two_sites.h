#pragma once
// Two fake sites and a run of the program against them.

#include <atomic>
#include <sstream>
#include <string>
#include <vector>

#include "cli/protector/run.h"
#include "cli/protector/testing/fake_site.h"

namespace protector::cli::testing {

// A terminal without keys: interrupted when the test says so.
class FakeTerminal final : public Terminal {
 public:
  bool Interactive() const override { return interactive; }
  int Width() const override { return interactive ? 80 : 0; }
  int Height() const override { return interactive ? 24 : 0; }
  bool Interrupted() const override { return interrupted; }
  void WatchInterrupt() override {}
  bool interactive = false;
  std::atomic<bool> interrupted{false};
};

struct Result {
  int code = -1;
  std::string out;
  std::string err;
};

// Sites "site-a" (local) and "site-b" with the group "prod-web-app" (projects pa, pb), whose primary site is site-a.
class TwoSites {
 public:
  TwoSites();

  FakeSite a{"site-a"};
  FakeSite b{"site-b"};
  FakeTerminal terminal;
  cloudconfig::FakeEnv env;

  Result Run(const std::vector<std::string>& words);
  // Credentials of site-b instead of site-a's.
  void SourceSiteB() { env.variables["OS_AUTH_URL"] = b.auth_url(); }

  operation::v1::Group group;
};

bool Contains(const std::string& text, const std::string& part);

}  // namespace protector::cli::testing
