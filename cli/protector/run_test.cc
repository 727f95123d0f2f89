// The program as a whole, against services in this process: what is asked of which site, what is shown, which code is
// left. long: one command after the other over the same two sites; parts of it would each repeat them.
#include "cli/protector/run.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "cli/protector/testing/two_sites.h"
#include "libs/json/json.h"

using namespace protector::cli;
using namespace protector::cli::testing;
using protector::Error;
namespace json = protector::json;
namespace op_pb = protector::operation::v1;
namespace meta_pb = protector::metadata::v1;
namespace site_pb = protector::site::v1;

namespace {

op_pb::Operation Started(op_pb::OperationType type, op_pb::State state = op_pb::RUNNING, int progress = 10) {
  op_pb::Operation operation;
  operation.set_id("op-7f3a2b1c-0000-4000-8000-000000000000");
  operation.set_type(type);
  operation.set_state(state);
  operation.set_progress(progress);
  operation.set_group_name("prod-web-app");
  operation.set_source_site("site-a");
  operation.set_target_site("site-b");
  operation.mutable_start_time()->set_seconds(1748768400);
  op_pb::Step* step = operation.add_steps();
  step->set_name("validate_sites");
  step->set_state(op_pb::COMPLETED);
  step = operation.add_steps();
  step->set_name("recreate_vms");
  step->set_state(state == op_pb::COMPLETED ? op_pb::COMPLETED : op_pb::PENDING);
  return operation;
}

json::Value Json(const std::string& text) {
  INFO(text);
  const auto parsed = json::Parse(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

}  // namespace

TEST_CASE("show: the fields of the reference page, asked of the local site in the project's name") {
  TwoSites sites;
  const Result shown = sites.Run({"protection-group", "show", "prod-web-app"});
  INFO(shown.err);
  CHECK(shown.code == 0);
  for (const char* field : {"| name ", "| status ", "| current_primary_site ", "| failover_count ",
                            "| last_failover_at ", "| replication_type "})
    CHECK(Contains(shown.out, field));
  CHECK(Contains(shown.out, " active "));
  REQUIRE(sites.a.Calls("GetGroup").size() == 1);
  CHECK(sites.b.Calls("GetGroup").empty());
  const Asked asked = sites.a.Calls("GetGroup")[0];
  CHECK(asked.metadata.at("x-protector-project-bin") == "demo");
  CHECK(asked.metadata.at("x-protector-project-domain-bin") == "Default");
  CHECK(asked.metadata.at("x-protector-user-bin") == "demo");
  CHECK(Json(sites.Run({"protection-group", "show", "prod-web-app", "-f", "json"}).out).GetStringOr("status", "") ==
        "active");
}

TEST_CASE("an unknown group: cause, object, site, reason, remedy, exit code 1") {
  TwoSites sites;
  const Result shown = sites.Run({"protection-group", "show", "nope"});
  CHECK(shown.code == 1);
  CHECK(shown.out.empty());
  for (const char* part : {"no protection group nope", "object: protection group nope", "site:   site-a",
                           "reason: GROUP_NOT_FOUND", "remedy: List them."})
    CHECK(Contains(shown.err, part));
}

TEST_CASE("bad input is refused before anything is asked") {
  TwoSites sites;
  const std::vector<std::vector<std::string>> commands = {
      {"protection-group", "failover", "prod-web-app", "--network-mapping", "ab"},
      {"protection-group", "failover", "prod-web-app", "--network-mapping", "a=b", "a=c"},
      {"protection-group", "failover", ""},
      {"protection-group", "failover", "a\xFF\xFE"},
      {"protection-group", "failover", std::string(300, 'x')},
      {"protection-group", "failover", "prod-web-app", "--type", "sideways"},
      {"protection-group", "failover", "prod-web-app", "--request-id", "7"},
      {"protection-group", "failover", "prod-web-app", "--recovery-point", "x"},
      {"protection-group", "add-member", "prod-web-app", "web-1", "web-1"},
      {"protection-group", "create", "bad name"},
      {"protection-group", "policy-set", "prod-web-app"},
      {"operation", "show", "nonsense"},
      {"operation", "skip", "op-7f3a2b1c", "--task", "t", "--reason", ""},
      {"site", "create", "site-c", "--auth-url", "nonsense"},
      {"tenant-mapping", "create", "site-a=demo"},
  };
  for (const auto& words : commands) {
    const Result result = sites.Run(words);
    CAPTURE(words);
    CHECK(result.code == 2);
    CHECK(Contains(result.err, "ERROR: "));
    CHECK(result.out.empty());
  }
  for (const char* method :
       {"GetGroup", "ListSites", "StartFailover", "GetOperation", "ResolveProject", "CreateSite"}) {
    CHECK(sites.a.Calls(method).empty());
    CHECK(sites.b.Calls(method).empty());
  }
}

TEST_CASE("failover: asked of the site that is not primary, from either site's credentials") {
  for (const bool from_b : {false, true}) {
    TwoSites sites;
    if (from_b) sites.SourceSiteB();
    sites.b.answers.start_failover = [](const op_pb::StartFailoverRequest& request) { return Started(request.type()); };
    const Result result = sites.Run({"protection-group", "failover", "prod-web-app", "--network-mapping",
                                     "net-primary-web=net-secondary-web", "net-primary-db=net-secondary-db",
                                     "--flavor-mapping", "m1.large=m2.large"});
    INFO(result.err);
    CHECK(result.code == 0);
    CHECK(sites.a.Calls("StartFailover").empty());
    REQUIRE(sites.b.Calls("StartFailover").size() == 1);
    const Asked asked = sites.b.Calls("StartFailover")[0];
    CHECK(Contains(asked.request, "type: PLANNED_FAILOVER"));
    CHECK(Contains(asked.request, "kind: NETWORK source: \"net-primary-db\" target: \"net-secondary-db\""));
    CHECK(Contains(asked.request, "kind: FLAVOR source: \"m1.large\" target: \"m2.large\""));
    CHECK(asked.metadata.at("x-protector-project-bin") == "pb");
    CHECK(result.out ==
          "+----------------+-----------------------------------------+\n"
          "| Field          | Value                                   |\n"
          "+----------------+-----------------------------------------+\n"
          "| operation_id   | op-7f3a2b1c-0000-4000-8000-000000000000 |\n"
          "| operation_type | failover                                |\n"
          "| status         | running                                 |\n"
          "| progress       | 10%                                     |\n"
          "| source_site    | site-a                                  |\n"
          "| target_site    | site-b                                  |\n"
          "+----------------+-----------------------------------------+\n");
  }
}

TEST_CASE("unplanned failover needs the surviving site only") {
  TwoSites sites;
  sites.SourceSiteB();
  sites.a.Stop();
  sites.b.answers.start_failover = [](const op_pb::StartFailoverRequest& request) {
    op_pb::Operation operation = Started(request.type());
    operation.add_warnings("Primary site (site-a) is unreachable. Proceeding with local metadata (version 5).");
    return operation;
  };
  const Result result = sites.Run({"protection-group", "failover", "prod-web-app", "--type", "unplanned"});
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(Contains(sites.b.Calls("StartFailover").at(0).request, "type: UNPLANNED_FAILOVER"));
  CHECK(Contains(result.err, "WARNING: Primary site (site-a) is unreachable."));
}

TEST_CASE("unplanned failover works without a registry") {
  TwoSites sites;
  sites.group.mutable_document()->set_primary_site("site-a");
  sites.SourceSiteB();
  sites.a.Stop();
  sites.b.answers.list_sites = nullptr;
  sites.b.answers.start_failover = [](const op_pb::StartFailoverRequest& request) { return Started(request.type()); };
  CHECK(sites.Run({"protection-group", "failover", "prod-web-app", "--type", "unplanned"}).code == 0);
  CHECK(sites.b.Calls("ListSites").empty());
}

TEST_CASE("planned failover towards a dead site: REMOTE_SITE_UNREACHABLE with the ways out, exit code 4") {
  TwoSites sites;
  sites.b.Stop();
  const Result result = sites.Run({"protection-group", "failover", "prod-web-app"});
  CHECK(result.code == 4);
  for (const char* part :
       {"Cannot modify protection group: remote site unreachable", "site:   site-b", "reason: REMOTE_SITE_UNREACHABLE",
        "protector site validate site-b", "sync-force prod-web-app"}) {
    CHECK(Contains(result.err, part));
  }
}

TEST_CASE("the site that is asked may know better who the target is") {
  TwoSites sites;
  sites.b.answers.start_failover = [](const auto&) -> absl::StatusOr<op_pb::Operation> {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_TARGET_SITE", "site-b is the primary site")
        .Object("site site-a");
  };
  sites.a.answers.start_failover = [](const op_pb::StartFailoverRequest& request) { return Started(request.type()); };
  const Result result = sites.Run({"protection-group", "failover", "prod-web-app"});
  CHECK(result.code == 0);
  REQUIRE(sites.a.Calls("StartFailover").size() == 1);
  // The same request, so that it can only begin one operation.
  CHECK(sites.a.Calls("StartFailover")[0].metadata.at("x-protector-request-id") ==
        sites.b.Calls("StartFailover").at(0).metadata.at("x-protector-request-id"));
}

TEST_CASE("failback is asked of the home site; refused by state is exit code 3") {
  TwoSites sites;
  sites.a.answers.start_failback = [](const auto&) -> absl::StatusOr<op_pb::Operation> {
    return Error(absl::StatusCode::kFailedPrecondition, "WRONG_STATUS", "Protection Group is not in failed_over status")
        .Object("protection group prod-web-app")
        .Remedy("Look at it.");
  };
  sites.SourceSiteB();
  const Result result =
      sites.Run({"protection-group", "failback", "prod-web-app", "--reverse-replication", "--network-mapping", "a=b"});
  CHECK(result.code == 3);
  CHECK(Contains(result.err, "Protection Group is not in failed_over status"));
  CHECK(Contains(sites.a.Calls("StartFailback").at(0).request, "reverse_replication: true"));
}

TEST_CASE(
    "a command with --wait follows the stream, joins it again when it breaks, and leaves only the result on stdout") {
  TwoSites sites;
  sites.b.answers.start_failover = [](const op_pb::StartFailoverRequest& request) { return Started(request.type()); };
  std::atomic<int> streams{0};
  sites.b.answers.watch = [&](const std::function<void(const op_pb::Operation&)>& write) {
    if (streams++ == 0) {
      write(Started(op_pb::PLANNED_FAILOVER, op_pb::RUNNING, 20));
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "going down");
    }
    write(Started(op_pb::PLANNED_FAILOVER, op_pb::COMPLETED, 100));
    return grpc::Status::OK;
  };
  const Result result = sites.Run({"protection-group", "failover", "prod-web-app", "--wait", "-f", "json"});
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(streams == 2);
  const json::Value shown = Json(result.out);
  CHECK(shown.GetStringOr("status", "") == "completed");
  CHECK(shown.GetStringOr("progress", "") == "100%");
  CHECK(shown.GetStrings("steps_completed") == std::vector<std::string>{"validate_sites", "recreate_vms"});
  CHECK(Contains(result.err, " 20%  "));
  CHECK(Contains(result.err, "operation completed"));
}

TEST_CASE("a command with --wait says by its exit code how the operation ended") {
  for (const auto& [state, code] : std::vector<std::pair<op_pb::State, int>>{{op_pb::COMPLETED, 0},
                                                                             {op_pb::COMPLETED_WITH_ERRORS, 1},
                                                                             {op_pb::FAILED, 1},
                                                                             {op_pb::ROLLED_BACK, 1},
                                                                             {op_pb::CANCELLED, 1}}) {
    TwoSites sites;
    sites.b.answers.start_failover = [](const op_pb::StartFailoverRequest& request) { return Started(request.type()); };
    sites.b.answers.watch = [state = state](const auto& write) {
      op_pb::Operation operation = Started(op_pb::PLANNED_FAILOVER, state, 80);
      op_pb::Problem* problem = operation.add_problems();
      problem->set_step("storage_failover");
      problem->set_cause("no replicated snapshot");
      problem->set_remedy("Check pure_pg_name.");
      write(operation);
      return grpc::Status::OK;
    };
    const Result result = sites.Run({"protection-group", "failover", "prod-web-app", "--wait"});
    CAPTURE(op_pb::State_Name(state), result.err);
    CHECK(result.code == code);
    CHECK(Contains(result.err, "no replicated snapshot") == (code != 0));
  }
}

TEST_CASE("an operation that the engine holds is not waited for") {
  TwoSites sites;
  sites.b.answers.start_failover = [](const op_pb::StartFailoverRequest& request) { return Started(request.type()); };
  sites.b.answers.watch = [](const auto& write) {
    op_pb::Operation operation = Started(op_pb::PLANNED_FAILOVER, op_pb::PAUSED, 50);
    operation.set_hold_reason("a foreign volume has our name");
    write(operation);
    return grpc::Status::OK;
  };
  const Result result = sites.Run({"protection-group", "failover", "prod-web-app", "--wait"});
  CHECK(result.code == 3);
  CHECK(Contains(result.err, "a foreign volume has our name"));
}

TEST_CASE("Ctrl-C ends the watching only") {
  TwoSites sites;
  sites.b.answers.start_failover = [](const op_pb::StartFailoverRequest& request) { return Started(request.type()); };
  std::atomic<bool> stop{false};
  sites.b.answers.watch = [&](const auto& write) {
    write(Started(op_pb::PLANNED_FAILOVER, op_pb::RUNNING, 30));
    sites.terminal.interrupted = true;
    while (!stop) std::this_thread::yield();
    return grpc::Status::OK;
  };
  const Result result = sites.Run({"protection-group", "failover", "prod-web-app", "--wait"});
  stop = true;
  CHECK(result.code == 130);
  CHECK(Contains(result.err, "protector operation watch op-7f3a2b1c"));
  CHECK(sites.b.Calls("CancelOperation").empty());
}

TEST_CASE("operations of both sites in one list, newest first; a dead site is said and passed over") {
  TwoSites sites;
  const auto listing = [](const std::string& id, int64_t seconds) {
    return [id, seconds](const auto&) {
      op_pb::ListOperationsResponse response;
      op_pb::Operation operation = Started(op_pb::PLANNED_FAILOVER, op_pb::COMPLETED, 100);
      operation.set_id(id);
      operation.mutable_start_time()->set_seconds(seconds);
      *response.add_operations() = operation;
      return response;
    };
  };
  sites.a.answers.list_operations = listing("op-aaaaaaaa", 100);
  sites.b.answers.list_operations = listing("op-bbbbbbbb", 200);
  CHECK(sites.Run({"operation", "list", "-f", "value", "-c", "operation_id"}).out == "op-bbbbbbbb\nop-aaaaaaaa\n");
  CHECK(sites.b.Calls("ListOperations").at(0).metadata.at("x-protector-project-bin") == "pb");
  sites.b.Stop();
  const Result one = sites.Run({"operation", "list", "-f", "value", "-c", "operation_id"});
  CHECK(one.code == 0);
  CHECK(one.out == "op-aaaaaaaa\n");
  CHECK(Contains(one.err, "WARNING: site site-b does not answer"));
}

TEST_CASE("an operation is found on the site that ran it; actions go there") {
  TwoSites sites;
  sites.a.answers.get_operation = [](const auto&) -> absl::StatusOr<op_pb::Operation> {
    return Error(absl::StatusCode::kNotFound, "OPERATION_NOT_FOUND", "no such operation");
  };
  sites.b.answers.get_operation = [](const auto&) { return Started(op_pb::PLANNED_FAILOVER, op_pb::RUNNING, 65); };
  sites.b.answers.cancel_operation = [](const auto&) {
    return Started(op_pb::PLANNED_FAILOVER, op_pb::CANCELLING, 65);
  };
  const Result shown = sites.Run({"operation", "show", "op-7f3a2b1c"});
  INFO(shown.err);
  CHECK(shown.code == 0);
  for (const char* part : {"| operation_id ", "| operation_type ", "| status ", "| progress ", "65%",
                           "| steps_completed ", "[\"validate_sites\"]", "| steps_failed ", "[]", "| error_message "}) {
    CHECK(Contains(shown.out, part));
  }
  CHECK(sites.Run({"operation", "cancel", "op-7f3a2b1c"}).code == 0);
  CHECK(Contains(sites.b.Calls("CancelOperation").at(0).request, "id: \"op-7f3a2b1c-0000-4000-8000-000000000000\""));
  CHECK(sites.a.Calls("CancelOperation").empty());
  // Not there, and nobody to ask on the other side: that is not "not found".
  sites.b.Stop();
  CHECK(sites.Run({"operation", "show", "op-7f3a2b1c"}).code == 4);
}

TEST_CASE("changes go to the primary site; when it is gone they are refused with the remedy") {
  TwoSites sites;
  sites.SourceSiteB();
  sites.a.answers.add_members = [&](const auto&) { return sites.group; };
  CHECK(sites.Run({"protection-group", "add-member", "prod-web-app", "web-1"}).code == 0);
  CHECK(Contains(sites.a.Calls("AddMembers").at(0).request, "project { id: \"pa\" }"));
  sites.a.Stop();
  const Result refused = sites.Run({"protection-group", "add-member", "prod-web-app", "web-1"});
  CHECK(refused.code == 4);
  CHECK(Contains(refused.err, "Cannot modify protection group: remote site unreachable"));
  CHECK(sites.b.Calls("AddMembers").empty());
}

TEST_CASE("check shows every finding and is exit code 3 with a blocker") {
  TwoSites sites;
  sites.b.answers.check_group = [](const auto&) {
    op_pb::CheckGroupResponse response;
    auto* finding = response.add_findings();
    finding->set_check("network");
    finding->set_object("network net-secondary-web");
    finding->set_severity(protector::peer::v1::Finding::BLOCKER);
    finding->set_detail("does not exist");
    finding->set_remedy("Create it.");
    return response;
  };
  const Result result = sites.Run({"protection-group", "check", "prod-web-app"});
  CHECK(result.code == 3);
  CHECK(Contains(result.out, "| blocker"));
  CHECK(Contains(result.err, "CHECK_FAILED"));
}

TEST_CASE("site create writes to every registry, tells the new one of the others, and can be repeated") {
  TwoSites sites;
  const auto create = [](const site_pb::CreateSiteRequest& request) { return request.site(); };
  sites.a.answers.create_site = create;
  sites.b.answers.create_site = create;
  const std::vector<std::string> command = {
      "site", "create", "site-b", "--auth-url", sites.b.auth_url(), "--site-registry", sites.b.address(), "-f", "csv"};
  const Result created = sites.Run(command);
  INFO(created.err);
  CHECK(created.code == 0);
  CHECK(sites.a.Calls("CreateSite").size() == 1);
  REQUIRE(sites.b.Calls("CreateSite").size() == 2);
  CHECK(Contains(sites.b.Calls("CreateSite")[1].request, "name: \"site-a\""));
  CHECK(Contains(created.out, "\"site site-b\",\"site-a\",\"created\""));
  // One registry has it already: done. Both: refused. One is gone: said, exit code 4.
  const auto exists = [](const auto&) -> absl::StatusOr<site_pb::Site> {
    return Error(absl::StatusCode::kAlreadyExists, "SITE_EXISTS", "site-b is registered");
  };
  const auto present = [&](const auto& request) {
    site_pb::Site site;
    site.set_name(request.name());
    site.set_auth_url(request.name() == "site-a" ? sites.a.auth_url() : sites.b.auth_url());
    return site;
  };
  sites.a.answers.create_site = exists;
  sites.a.answers.get_site = present;
  CHECK(sites.Run(command).code == 0);
  sites.b.answers.create_site = exists;
  sites.b.answers.get_site = present;
  CHECK(sites.Run(command).code == 3);
  sites.a.answers.create_site = create;
  sites.b.Stop();
  const Result half = sites.Run(command);
  CHECK(half.code == 4);
  CHECK(Contains(half.out, "\"unreachable\""));
  CHECK(Contains(half.err, "same command again"));
}

TEST_CASE("tenant-mapping create resolves each project at its own site and writes both registries") {
  TwoSites sites;
  for (FakeSite* site : {&sites.a, &sites.b}) {
    site->answers.resolve_project = [site](const auto& request) {
      site_pb::Project project;
      project.set_id(site == nullptr ? "" : "id-at-" + site->name);
      project.set_name(request.project());
      return project;
    };
    site->answers.create_mapping = [](const auto& request) { return request.mapping(); };
  }
  const Result result = sites.Run({"tenant-mapping", "create", "site-a=demo", "site-b=demo"});
  INFO(result.err);
  CHECK(result.code == 0);
  for (const FakeSite* site : {&sites.a, &sites.b}) {
    CHECK(Contains(site->Calls("CreateTenantMapping").at(0).request, "project_id_a: \"id-at-site-a\""));
    CHECK(Contains(site->Calls("CreateTenantMapping").at(0).request, "project_id_b: \"id-at-site-b\""));
  }
}

TEST_CASE("sync-status and sync-force") {
  TwoSites sites;
  sites.SourceSiteB();
  meta_pb::SyncStatus status;
  status.set_state(meta_pb::OUT_OF_SYNC);
  status.set_local_site("site-b");
  status.set_remote_site("site-a");
  status.mutable_local()->set_version(6);
  status.mutable_local()->set_epoch(2);
  status.mutable_remote()->set_version(5);
  status.mutable_remote()->set_epoch(1);
  sites.b.answers.sync_status = [&](const auto&) { return status; };
  sites.b.answers.force_sync = [&](const auto&) {
    meta_pb::ForceSyncResponse response;
    *response.mutable_status() = status;
    response.mutable_status()->set_state(meta_pb::IN_SYNC);
    response.mutable_status()->mutable_remote()->set_version(6);
    response.set_versions_sent(1);
    return response;
  };
  const json::Value shown = Json(sites.Run({"protection-group", "sync-status", "prod-web-app", "-f", "json"}).out);
  CHECK(shown.GetStringOr("sync_status", "") == "OUT OF SYNC");
  CHECK(shown.GetIntOr("local_version", 0) == 6);
  CHECK(shown.GetIntOr("remote_version", 0) == 5);
  CHECK(Contains(shown.GetStringOr("remedy", ""), "site-b"));
  const Result forced = sites.Run({"protection-group", "sync-force", "prod-web-app"});
  INFO(forced.err);
  CHECK(forced.code == 0);
  for (const char* part : {"checking connectivity of site-a", "reachable", "version 6 (epoch 2)", "pushing to site-a",
                           "1 version sent", "both sites are now at version 6"})
    CHECK(Contains(forced.out, part));

  sites.b.answers.force_sync = [](const auto&) -> absl::StatusOr<meta_pb::ForceSyncResponse> {
    return Error(absl::StatusCode::kFailedPrecondition, "LOWER_EPOCH", "site-a has the higher epoch")
        .Remedy("Run it there.");
  };
  CHECK(sites.Run({"protection-group", "sync-force", "prod-web-app"}).code == 3);
}

TEST_CASE("sites that do not reach each other: the versions are carried") {
  TwoSites sites;
  meta_pb::SyncStatus status;
  status.set_state(meta_pb::UNREACHABLE);
  status.set_local_site("site-a");
  status.set_remote_site("site-b");
  status.mutable_local()->set_version(7);
  status.mutable_local()->set_epoch(1);
  sites.a.answers.sync_status = [&](const auto&) { return status; };
  sites.a.answers.export_versions = [](const meta_pb::ExportVersionsRequest& request) {
    meta_pb::ExportVersionsResponse response;
    for (int64_t version = request.after_version() + 1; version <= 7; ++version)
      response.add_versions()->set_version(version);
    return response;
  };
  sites.b.answers.list_heads = [](const auto&) {
    meta_pb::ListHeadsResponse response;
    meta_pb::Head* head = response.add_heads();
    head->set_version(5);
    head->set_epoch(1);
    return response;
  };
  sites.b.answers.apply_version = [](const auto&) {
    meta_pb::ApplyVersionResponse response;
    response.set_result(meta_pb::ApplyVersionResponse::APPLIED);
    return response;
  };
  const Result carried = sites.Run({"protection-group", "sync-force", "prod-web-app"});
  INFO(carried.err);
  CHECK(carried.code == 0);
  CHECK(Contains(carried.out, "2 versions sent"));
  CHECK(sites.b.Calls("ApplyVersion").size() == 2);
  sites.b.Stop();
  const Result gone = sites.Run({"protection-group", "sync-force", "prod-web-app"});
  CHECK(gone.code == 4);
  CHECK(Contains(gone.err, "REMOTE_SITE_UNREACHABLE"));
}

TEST_CASE("no secret is ever said, also with --debug and --timing") {
  TwoSites sites;
  sites.env.variables["OS_TOKEN"] = "token-secret";
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--debug", "--timing", "-v", "protection-group", "show", "prod-web-app"},
                                             {"--debug", "protection-group", "show", "nope"},
                                             {"--os-password", "very-secret", "--debug", "site", "list"}}) {
    const Result result = sites.Run(words);
    CHECK_FALSE(Contains(result.out + result.err, "very-secret"));
    CHECK_FALSE(Contains(result.out + result.err, "token-secret"));
    CHECK(Contains(result.err, "DEBUG: site-a "));
  }
  for (const FakeSite* site : {&sites.a, &sites.b}) {
    for (const Asked& asked : site->Calls("GetGroup")) {
      for (const auto& [key, value] : asked.metadata) CHECK_FALSE(Contains(value, "secret"));
    }
  }
}

TEST_CASE("completion asks for names") {
  TwoSites sites;
  CHECK(sites.Run({"__complete", "--", "si", "--site"}).out == "site-a\nsite-b\n");
  CHECK(Contains(sites.Run({"__complete", "--", "fail", "protection-group"}).out, "failback\nfailover\n"));
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = sites.Run({"completion", shell}).out;
    for (const char* part : {"protector __complete", "protection-group", "failback", "list-volume-types"})
      CHECK(Contains(script, part));
    CHECK_FALSE(Contains(script,
                         "@"
                         "WORDS@"));
  }
  CHECK(sites.Run({"completion", "tcsh"}).code == 2);
}

TEST_CASE("docs/cli-reference.md is what the program says") {
  std::ifstream file(std::string(PROTECTOR_SOURCE_DIR) + "/docs/cli-reference.md");
  std::stringstream text;
  text << file.rdbuf();
  TwoSites sites;
  // Written with: protector __reference > docs/cli-reference.md
  CHECK(text.str() == sites.Run({"__reference"}).out);
}

TEST_CASE("no credentials: which ways there are to give them") {
  TwoSites sites;
  sites.env.variables.clear();
  const Result result = sites.Run({"site", "list"});
  CHECK(result.code == 2);
  CHECK(Contains(result.err, "openrc"));
  // The configuration file and --site are enough for what concerns no project.
  CHECK(sites.Run({"--site", "site-b", "site", "list"}).code == 0);
  CHECK(sites.b.Calls("ListSites").size() == 1);
  CHECK(sites.Run({"--site", "site-b", "protection-group", "list"}).code == 2);
}
