#include "cli/protector/testing/two_sites.h"

namespace protector::cli::testing {
namespace {

std::string ConfigEntry(const FakeSite& site) {
  std::string text = "- name: " + site.name + "\n  auth_url: " + site.auth_url() + "\n";
  for (const char* service : {"site_registry", "metadata_sync", "orchestrator", "storage_pure"})
    text += std::string("  ") + service + ": " + site.address() + "\n";
  return text;
}

}  // namespace

TwoSites::TwoSites() {
  env.files["/home/user/.config/protector/protector.yaml"] =
      "insecure: true\nsites:\n" + ConfigEntry(a) + ConfigEntry(b);
  env.variables = {{"OS_AUTH_URL", a.auth_url()},      {"OS_USERNAME", "demo"},
                   {"OS_PASSWORD", "very-secret"},     {"OS_PROJECT_NAME", "demo"},
                   {"OS_USER_DOMAIN_NAME", "Default"}, {"OS_PROJECT_DOMAIN_NAME", "Default"}};
  auto& document = *group.mutable_document();
  document.set_id("6f0c3c7e-1111-4222-8333-444455556666");
  document.set_name("prod-web-app");
  document.set_home_site("site-a");
  document.set_peer_site("site-b");
  document.set_primary_site("site-a");
  document.set_epoch(1);
  document.set_status(group::v1::ACTIVE);
  document.set_replication_type(group::v1::ASYNC);
  (*document.mutable_projects())["site-a"] = "pa";
  (*document.mutable_projects())["site-b"] = "pb";
  group.set_version(5);
  for (FakeSite* site : {&a, &b}) {
    site->answers.get_group = [this, site](const auto& request) -> absl::StatusOr<operation::v1::Group> {
      if (request.group() != group.document().name() && request.group() != group.document().id()) {
        return Error(absl::StatusCode::kNotFound, "GROUP_NOT_FOUND", "there is no protection group " + request.group())
            .Object("protection group " + request.group())
            .Remedy("List them.");
      }
      operation::v1::Group answer = group;
      answer.set_site(site->name);
      return answer;
    };
    site->answers.list_sites = [this, site](const auto&) {
      site::v1::ListSitesResponse response;
      for (const FakeSite* known : {&a, &b}) {
        site::v1::Site* entry = response.add_sites();
        entry->set_name(known->name);
        entry->set_auth_url(known->auth_url());
        entry->set_local(known == site);
        entry->set_status(site::v1::Site::VALID);
        entry->mutable_endpoints()->set_orchestrator(known->address());
      }
      return response;
    };
    site->answers.list_mappings = [](const auto&) {
      site::v1::ListTenantMappingsResponse response;
      site::v1::TenantMapping* mapping = response.add_mappings();
      mapping->set_id("m1");
      mapping->set_site_a("site-a");
      mapping->set_project_id_a("pa");
      mapping->set_project_name_a("demo");
      mapping->set_site_b("site-b");
      mapping->set_project_id_b("pb");
      mapping->set_project_name_b("demo");
      return response;
    };
  }
}

Result TwoSites::Run(const std::vector<std::string>& words) {
  std::ostringstream out, err;
  SystemClock clock;
  RandomIdGenerator ids;
  Result result;
  result.code = cli::Run(words, {out, err, terminal, env, clock, ids});
  result.out = out.str();
  result.err = err.str();
  return result;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace protector::cli::testing
