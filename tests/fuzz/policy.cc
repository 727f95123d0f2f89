// A policy file: YAML with rules in the language of oslo.policy.
#include "libs/users/policy.h"
#include "tests/fuzz/fuzz.h"

using protector::fuzz::Require;
using protector::users::Policy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto policy = Policy::FromText(protector::fuzz::Text(data, size), "/nowhere/policy.yaml");
  if (!policy.ok()) {
    Require(!policy.status().message().empty(), "a failure has a text");
    return 0;
  }
  // Whoever has no role and no name is let in only where a rule says so without looking at them.
  const protector::rpc::User nobody;
  Require(!policy->Allows("no such rule", nobody), "what nobody decided is not allowed");
  return 0;
}
