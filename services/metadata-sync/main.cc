// metadata-sync: see services/metadata-sync/app.h and docs/metadata-protocol.md.
#include "services/metadata-sync/app.h"

int main(int argc, char** argv) {
  return protector::rpc::RunService(argc, argv, protector::metadata_sync::Definition());
}
