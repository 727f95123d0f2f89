#pragma once
// Mappings as they are typed: --network-mapping A=B C=D, and the same for every other kind.
//
// Threads: pure functions. Failure: a USAGE error for a pair that is malformed or whose left side was given before.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/protector/args/arguments.h"
#include "cli/protector/args/spec.h"

namespace protector::cli {

enum class MapKind {
  kNetwork = 1,
  kFlavor,
  kSecurityGroup,
  kKeyPair,
  kAvailabilityZone,
  kVolumeType
};  // as group.v1.MappingKind

struct Pair {
  MapKind kind;
  std::string source;
  std::string target;

  bool operator==(const Pair&) const = default;
};

// "network", "security-group", ...: the option is --<name>-mapping.
std::string MapKindName(MapKind kind);

// The six options, for a command that takes mappings.
std::vector<Option> MappingOptions();

// Everything that was given, in the order of the kinds.
absl::StatusOr<std::vector<Pair>> ParseMappings(const Arguments& arguments);

// One word of one kind.
absl::StatusOr<Pair> ParsePair(MapKind kind, const std::string& word);

}  // namespace protector::cli
