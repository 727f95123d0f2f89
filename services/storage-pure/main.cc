#include "services/storage-pure/app.h"

int main(int argc, char** argv) {
  return protector::rpc::RunService(argc, argv, protector::storage::Definition());
}
