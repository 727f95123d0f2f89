#include <cstdlib>
#include <iostream>

#include "cli/protector/output/process_terminal.h"
#include "cli/protector/run.h"

int main(int argc, char** argv) {
  // gRPC would write its own lines to stderr; what matters of them is in the errors.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  std::ios::sync_with_stdio(false);
  protector::cli::ProcessTerminal terminal;
  protector::SystemClock clock;
  protector::RandomIdGenerator ids;
  const auto env = protector::cloudconfig::NewProcessEnv();
  const std::vector<std::string> words(argv + 1, argv + argc);
  return protector::cli::Run(words, {std::cout, std::cerr, terminal, *env, clock, ids});
}
