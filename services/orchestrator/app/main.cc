// orchestrator: groups, members, policies, mappings, and the operations that move them.
#include "services/orchestrator/app/access.h"
#include "services/orchestrator/app/app.h"

int main(int argc, char** argv) {
  return protector::rpc::RunService(
      argc, argv,
      {.name = "orchestrator",
       .description = "Protection groups and the operations that move them between sites.",
       .default_port = 7103,
       .schema = protector::orchestrator::ConfigKeys(),
       .access = protector::orchestrator::MethodCallers(),
       .build = protector::orchestrator::BuildApp,
       .sample_policy = protector::users::SamplePolicy()});
}
