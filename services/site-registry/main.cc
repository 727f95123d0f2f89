// site-registry: see services/site-registry/app.h.
#include "services/site-registry/app.h"

int main(int argc, char** argv) {
  return protector::rpc::RunService(argc, argv, protector::site_registry::Definition());
}
