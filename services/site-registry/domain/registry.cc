#include "services/site-registry/domain/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/ids.h"
#include "services/site-registry/domain/errors.h"

namespace protector::site_registry {
namespace {

const failpoint::Site kCreateSite("registry-create-site", &store::LostWrite);
const failpoint::Site kSetSite("registry-set-site", &store::LostWrite);
const failpoint::Site kDeleteSite("registry-delete-site", &store::LostWrite);
const failpoint::Site kCreateMapping("registry-create-tenant-mapping", &store::LostWrite);
const failpoint::Site kDeleteMapping("registry-delete-tenant-mapping", &store::LostWrite);

constexpr char kSites[] = "sites";
constexpr char kMappings[] = "mappings";
constexpr char kRequests[] = "requests";

void SetTime(absl::Time time, google::protobuf::Timestamp* timestamp) {
  timestamp->set_seconds(absl::ToUnixSeconds(time));
  timestamp->set_nanos(static_cast<int32_t>(absl::ToUnixNanos(time) % 1000000000));
}

template <typename Message>
absl::StatusOr<Message> Parse(const store::Record& record) {
  Message message;
  if (message.ParseFromString(record.value)) return message;
  return Error(absl::StatusCode::kDataLoss, "STORE_CORRUPTED", fmt::format("record {} cannot be read", record.key))
      .Object("record " + record.key)
      .Remedy("Put back the newest backup of this site's database.");
}

// An etag names what the user set; validations do not change it.
std::string Etag(const pb::Site& site) {
  pb::Site bare = site;
  bare.clear_etag();
  bare.clear_status();
  bare.clear_last_validated_at();
  bare.clear_local();
  return DerivedMark(bare.SerializeAsString(), 16);
}

}  // namespace

pb::Site Registry::Shown(const pb::Site& site) const {
  pb::Site shown = site;
  *shown.mutable_endpoints() = Completed(site);
  shown.set_local(site.name() == local_site_);
  return shown;
}

absl::StatusOr<Registry::Stored> Registry::Load(const std::string& name_or_id) {
  const std::string name = name_or_id.empty() ? local_site_ : name_or_id;
  absl::StatusOr<store::Record> record = store_.Get(kSites, name);
  if (absl::IsNotFound(record.status()) && IsUuid(name)) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kSites));
    const auto found = std::find_if(records.begin(), records.end(),
                                    [&](const store::Record& candidate) { return SiteId(candidate.key) == name; });
    if (found != records.end()) record = *found;
  }
  if (absl::IsNotFound(record.status())) return SiteNotFound(name);
  PROTECTOR_RETURN_IF_ERROR(record.status());
  PROTECTOR_ASSIGN_OR_RETURN(pb::Site site, Parse<pb::Site>(*record));
  return Stored{std::move(site), record->version};
}

absl::Status Registry::Save(const Stored& stored, pb::Site site) {
  const absl::Status saved = failpoint::Around(kSetSite, [&] {
    return store_.PutIfVersion(kSites, site.name(), site.SerializeAsString(), stored.version).status();
  });
  return absl::IsAborted(saved) ? EtagMismatch(site.name()) : saved;
}

absl::StatusOr<pb::Site> Registry::Create(const pb::CreateSiteRequest& request) {
  PROTECTOR_RETURN_IF_ERROR(CheckSite(request.site()));
  const std::string& name = request.site().name();
  if (!request.request_id().empty()) {
    const absl::StatusOr<store::Record> before = store_.Get(kRequests, request.request_id());
    if (before.ok() && before->value == name) return Get(name);
  }
  pb::Site site;
  site.set_id(SiteId(name));
  site.set_name(name);
  site.set_description(request.site().description());
  site.set_auth_url(request.site().auth_url());
  site.set_region(request.site().region());
  *site.mutable_endpoints() = request.site().endpoints();
  site.set_cinder_host(request.site().cinder_host());
  site.set_array_name(request.site().array_name());
  SetTime(clock_.Now(), site.mutable_create_time());
  SetTime(clock_.Now(), site.mutable_update_time());
  site.set_etag(Etag(site));
  store::Batch batch;
  batch.Put(kSites, name, site.SerializeAsString(), store::kAbsent);
  if (!request.request_id().empty()) batch.Put(kRequests, request.request_id(), name);
  const absl::Status made = failpoint::Around(kCreateSite, [&] { return store_.Transaction(batch).status(); });
  if (absl::IsAborted(made)) return SiteExists(name);
  PROTECTOR_RETURN_IF_ERROR(made);
  return Shown(site);
}

absl::StatusOr<pb::Site> Registry::Get(const std::string& name_or_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const Stored stored, Load(name_or_id));
  return Shown(stored.site);
}

absl::StatusOr<std::vector<pb::Site>> Registry::All() {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kSites));
  std::vector<pb::Site> sites;
  for (const store::Record& record : records) {
    PROTECTOR_ASSIGN_OR_RETURN(const pb::Site site, Parse<pb::Site>(record));
    sites.push_back(Shown(site));
  }
  return sites;
}

absl::StatusOr<pb::ListSitesResponse> Registry::List(const pb::ListSitesRequest& request) {
  if (request.page_size() < 0) return Invalid("page_size", "page_size is negative", "Give 0 or more.");
  const int size = request.page_size() == 0 ? 100 : std::min(request.page_size(), 1000);
  PROTECTOR_ASSIGN_OR_RETURN(const store::Page page,
                             store_.List(kSites, "", {.size = size, .token = request.page_token()}));
  pb::ListSitesResponse response;
  for (const store::Record& record : page.records) {
    PROTECTOR_ASSIGN_OR_RETURN(const pb::Site site, Parse<pb::Site>(record));
    *response.add_sites() = Shown(site);
  }
  response.set_next_page_token(page.next_page_token);
  return response;
}

absl::StatusOr<pb::Site> Registry::Update(const pb::UpdateSiteRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const Stored stored, Load(request.site().name()));
  if (!request.site().etag().empty() && request.site().etag() != stored.site.etag()) {
    return EtagMismatch(stored.site.name());
  }
  pb::Site site = stored.site;
  PROTECTOR_RETURN_IF_ERROR(ApplyMask(request.site(), request.update_mask(), site));
  PROTECTOR_RETURN_IF_ERROR(CheckSite(site));
  SetTime(clock_.Now(), site.mutable_update_time());
  // What was validated is not what is there now.
  site.clear_status();
  site.set_etag(Etag(site));
  PROTECTOR_RETURN_IF_ERROR(Save(stored, site));
  return Shown(site);
}

absl::Status Registry::Delete(const pb::DeleteSiteRequest& request) {
  if (request.name().empty()) return Invalid("site", "no site was named", "Name the site.");
  std::lock_guard lock(mappings_mutex_);
  PROTECTOR_ASSIGN_OR_RETURN(const Stored stored, Load(request.name()));
  if (!request.etag().empty() && request.etag() != stored.site.etag()) return EtagMismatch(stored.site.name());
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::TenantMapping> mappings, Mappings(stored.site.name(), ""));
  if (!mappings.empty() && !request.force()) return SiteInUse(stored.site.name(), static_cast<int>(mappings.size()));
  store::Batch batch;
  batch.Delete(kSites, stored.site.name(), stored.version);
  for (const pb::TenantMapping& mapping : mappings) batch.Delete(kMappings, mapping.id());
  const absl::Status deleted = failpoint::Around(kDeleteSite, [&] { return store_.Transaction(batch).status(); });
  return absl::IsAborted(deleted) ? EtagMismatch(stored.site.name()) : deleted;
}

absl::StatusOr<pb::Site> Registry::SetStatus(const std::string& name, pb::Site::Status status) {
  PROTECTOR_ASSIGN_OR_RETURN(const Stored stored, Load(name));
  pb::Site site = stored.site;
  site.set_status(status);
  SetTime(clock_.Now(), site.mutable_last_validated_at());
  const absl::Status saved = Save(stored, site);
  // Changed while it was being validated: the result does not speak of the site as it is now, and is only shown.
  if (!saved.ok() && !absl::IsAborted(saved)) return saved;
  return Shown(site);
}

absl::StatusOr<pb::TenantMapping> Registry::CreateMapping(const pb::TenantMapping& mapping) {
  PROTECTOR_RETURN_IF_ERROR(CheckMapping(mapping));
  std::lock_guard lock(mappings_mutex_);
  for (const std::string& site : {mapping.site_a(), mapping.site_b()}) {
    PROTECTOR_RETURN_IF_ERROR(Load(site).status());
    if (IsUuid(site)) return Invalid("tenant mapping", "sites are named by their names here", "Give the sites' names.");
  }
  pb::TenantMapping made = Normalised(mapping);
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::TenantMapping> present, Mappings("", ""));
  for (const pb::TenantMapping& other : present) {
    if (other.site_a() != made.site_a() || other.site_b() != made.site_b()) continue;
    if (other.id() == made.id()) return MappingExists("this tenant mapping exists already");
    if (other.project_id_a() == made.project_id_a() || other.project_id_b() == made.project_id_b()) {
      const bool first = other.project_id_a() == made.project_id_a();
      return MappingExists(
          fmt::format("project {} of {} is mapped to project {} of {} already",
                      first ? other.project_id_a() : other.project_id_b(), first ? other.site_a() : other.site_b(),
                      first ? other.project_id_b() : other.project_id_a(), first ? other.site_b() : other.site_a()));
    }
  }
  SetTime(clock_.Now(), made.mutable_create_time());
  PROTECTOR_RETURN_IF_ERROR(failpoint::Around(kCreateMapping, [&] {
    return store_.PutIfVersion(kMappings, made.id(), made.SerializeAsString(), store::kAbsent).status();
  }));
  return made;
}

absl::StatusOr<std::vector<pb::TenantMapping>> Registry::Mappings(const std::string& site,
                                                                  const std::string& project_id) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store_.ListAll(kMappings));
  std::vector<pb::TenantMapping> mappings;
  for (const store::Record& record : records) {
    PROTECTOR_ASSIGN_OR_RETURN(pb::TenantMapping mapping, Parse<pb::TenantMapping>(record));
    const auto is = [&](const std::string& at, const std::string& project) {
      return (site.empty() || site == at) && (project_id.empty() || project_id == project);
    };
    if (is(mapping.site_a(), mapping.project_id_a()) || is(mapping.site_b(), mapping.project_id_b())) {
      mappings.push_back(std::move(mapping));
    }
  }
  std::sort(mappings.begin(), mappings.end(), [](const pb::TenantMapping& a, const pb::TenantMapping& b) {
    return std::tie(a.project_name_a(), a.id()) < std::tie(b.project_name_a(), b.id());
  });
  return mappings;
}

absl::Status Registry::DeleteMapping(const std::string& id) {
  const absl::StatusOr<store::Record> record = store_.Get(kMappings, id);
  if (absl::IsNotFound(record.status())) return MappingNotFound(id);
  PROTECTOR_RETURN_IF_ERROR(record.status());
  return failpoint::Around(kDeleteMapping, [&] { return store_.Delete(kMappings, id); });
}

}  // namespace protector::site_registry
