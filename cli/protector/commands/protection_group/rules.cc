#include <fmt/format.h>

#include "cli/protector/args/input.h"
#include "cli/protector/args/usage.h"
#include "cli/protector/commands/commands.h"
#include "cli/protector/commands/protection_group/group_calls.h"
#include "cli/protector/commands/protection_group/mappings.h"
#include "cli/protector/commands/protection_group/policy.h"
#include "cli/protector/commands/show.h"
#include "libs/base/error.h"

namespace protector::cli {
namespace {

using Groups = op_pb::GroupService;

absl::Status SetMapping(Context& context) {
  const Arguments& given = context.arguments;
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Pair> pairs, ParseMappings(given));
  if (pairs.empty() && !given.Has("replace")) {
    return UsageError("no mapping was given")
        .Remedy(
            "Give --network-mapping A=B or another mapping option; --replace alone removes all mappings of a direction.");
  }
  op_pb::SetMappingsRequest request;
  PutMappings(pairs, request.mutable_mappings()->mutable_mappings());
  request.set_replace(given.Has("replace"));
  request.set_both_directions(given.Has("both-directions"));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  const std::string to = given.Get("target-site", found.OtherThan(found.document().primary_site()));
  if (to != found.document().home_site() && to != found.document().peer_site()) {
    return UsageError(fmt::format("'{}' is not a site of the group", to))
        .Remedy(fmt::format("Its sites are {} and {}.", found.document().home_site(), found.document().peer_site()));
  }
  request.mutable_mappings()->set_target_site(to);
  request.mutable_mappings()->set_source_site(found.OtherThan(to));
  PROTECTOR_ASSIGN_OR_RETURN(const op_pb::Group group,
                             AskPrimary(context, *session, found, &Groups::StubInterface::SetMappings, "SetMappings",
                                        request, context.timeout()));
  for (const std::string& warning : group.warnings()) context.Warn(warning);
  return context.Show(MappingListing(group.document()));
}

absl::Status Mappings(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  return context.Show(MappingListing(found.document()));
}

absl::Status PolicySet(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(const PolicyChange change, ParsePolicy(context.arguments));
  if (change.fields.empty())
    return UsageError("nothing to change").Remedy("Give one of the policy's options, see --help.");
  op_pb::SetPolicyRequest request;
  *request.mutable_policy() = change.policy;
  request.mutable_fields()->Add(change.fields.begin(), change.fields.end());
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  PROTECTOR_ASSIGN_OR_RETURN(const op_pb::Group group,
                             AskPrimary(context, *session, found, &Groups::StubInterface::SetPolicy, "SetPolicy",
                                        request, std::max(context.timeout(), absl::Minutes(1))));
  return context.Show(PolicyRecord(group.document()));
}

absl::Status PolicyShow(Context& context) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string name, GroupArgument(context));
  PROTECTOR_ASSIGN_OR_RETURN(Session * session, context.Connect());
  PROTECTOR_ASSIGN_OR_RETURN(const FoundGroup found, FindGroup(context, *session, name));
  return context.Show(PolicyRecord(found.document()));
}

}  // namespace

std::vector<Command> GroupRuleCommands() {
  std::vector<Option> set_mapping = {GroupOption()};
  for (const Option& option : MappingOptions()) set_mapping.push_back(option);
  set_mapping.push_back({.name = "--target-site",
                         .value = "SITE",
                         .help = "Site moved to (default: the one that is not primary now).",
                         .names = Names::kSite});
  set_mapping.push_back(
      {.name = "--both-directions", .value = "", .help = "Store the reverse of each for the way back too."});
  set_mapping.push_back(
      {.name = "--replace", .value = "", .help = "Drop the stored mappings of this direction first."});
  set_mapping.push_back(RequestIdOption());
  std::vector<Option> policy_set = {GroupOption()};
  for (const Option& option : PolicyOptions()) policy_set.push_back(option);
  policy_set.push_back(RequestIdOption());
  return {
      {.path = {"protection-group", "set-mapping"},
       .summary = "Store which network, flavor, ... of one site is which of the other.",
       .description =
           "Stores mappings in the group, on both sites, so that failover needs none on its command line. They are added to those that are "
           "stored. Names or ids; they are checked by `protection-group check`.",
       .options = set_mapping,
       .examples =
           {"protector protection-group set-mapping prod-web-app --network-mapping net-primary-web=net-secondary-web net-primary-db=net-secondary-db "
            "--flavor-mapping m1.large=m2.large --both-directions"},
       .shape = Shape::kList,
       .run = SetMapping},
      {.path = {"protection-group", "mappings"},
       .summary = "List the stored mappings of both directions.",
       .description = "Changes nothing.",
       .options = {GroupOption()},
       .examples = {"protector protection-group mappings prod-web-app"},
       .shape = Shape::kList,
       .run = Mappings},
      {.path = {"protection-group", "policy-set"},
       .summary = "Change the rules of replication.",
       .description =
           "Changes the named fields of the policy on both sites and the arrays' schedule. The name of the array's group cannot change while there are "
           "members; the replication type never.",
       .options = policy_set,
       .examples = {"protector protection-group policy-set prod-web-app --replication-interval 600 --rpo-minutes 30"},
       .shape = Shape::kObject,
       .run = PolicySet},
      {.path = {"protection-group", "policy-show"},
       .summary = "Show the rules of replication.",
       .description = "Changes nothing.",
       .options = {GroupOption()},
       .examples = {"protector protection-group policy-show prod-web-app"},
       .shape = Shape::kObject,
       .run = PolicyShow},
  };
}

}  // namespace protector::cli
