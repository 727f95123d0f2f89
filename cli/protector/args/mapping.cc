#include "cli/protector/args/mapping.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/output/text_width.h"

namespace protector::cli {
namespace {

struct Kind {
  MapKind kind;
  const char* name;
  const char* help;
};

constexpr std::array<Kind, 6> kKinds = {{
    {MapKind::kNetwork, "network",
     "Network of the site that is left = network of the site moved to; several may follow."},
    {MapKind::kFlavor, "flavor", "Flavor there = flavor here (without one, the same name or id is used)."},
    {MapKind::kSecurityGroup, "security-group",
     "Security group there = security group here (without one, the same name)."},
    {MapKind::kKeyPair, "key-pair", "Key pair there = key pair here (without one, the same name)."},
    {MapKind::kAvailabilityZone, "availability-zone",
     "Availability zone there = here (without one, none is asked for)."},
    {MapKind::kVolumeType, "volume-type", "Volume type there = here (without one, the same name)."},
}};

}  // namespace

std::string MapKindName(MapKind kind) {
  for (const Kind& known : kKinds) {
    if (known.kind == kind) return known.name;
  }
  return "unknown";
}

std::vector<Option> MappingOptions() {
  std::vector<Option> options;
  for (const Kind& kind : kKinds) {
    options.push_back({.name = fmt::format("--{}-mapping", kind.name),
                       .value = "A=B",
                       .help = kind.help,
                       .repeat = true,
                       .several_words = true});
  }
  return options;
}

absl::StatusOr<Pair> ParsePair(MapKind kind, const std::string& word) {
  const std::string option = fmt::format("--{}-mapping", MapKindName(kind));
  const size_t equals = word.find('=');
  if (equals == std::string::npos) {
    return UsageError(fmt::format("{} needs pairs of the form A=B, but got '{}'", option, Shorten(word, 60)))
        .Remedy(fmt::format("For example {} {}-at-source={}-at-target.", option, MapKindName(kind), MapKindName(kind)));
  }
  if (word.find('=', equals + 1) != std::string::npos) {
    return UsageError(fmt::format("{} got '{}' with more than one '='", option, Shorten(word, 60)))
        .Remedy("A name that has a '=' in it has to be given by its id.");
  }
  Pair pair{kind, word.substr(0, equals), word.substr(equals + 1)};
  for (const std::string& side : {pair.source, pair.target}) {
    if (absl::Status checked = CheckReference(side.empty() ? "name on one side of " + option : option + " name", side);
        !checked.ok()) {
      return Annotate(checked, fmt::format("'{}'", Shorten(word, 60)));
    }
  }
  return pair;
}

absl::StatusOr<std::vector<Pair>> ParseMappings(const Arguments& arguments) {
  std::vector<Pair> pairs;
  for (const Kind& kind : kKinds) {
    const std::string option = fmt::format("{}-mapping", kind.name);
    std::set<std::string> seen;
    for (const std::string& word : arguments.All(option)) {
      PROTECTOR_ASSIGN_OR_RETURN(Pair pair, ParsePair(kind.kind, word));
      if (!seen.insert(pair.source).second) {
        return UsageError(fmt::format("--{} names '{}' twice", option, Shorten(pair.source, 60)))
            .Remedy("Give each left side once.");
      }
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

}  // namespace protector::cli
