#pragma once
// The sites and tenant mappings of this registry, kept in its store.
//
// Threads: every method may be called from any thread; two changes of one record do not overwrite each other (etag, or
// the record's version). Ownership: store and clock outlive it. Failure: the reasons of site.proto.

#include <mutex>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/store/store.h"
#include "services/site-registry/domain/site_rules.h"

namespace protector::site_registry {

class Registry {
 public:
  Registry(store::Store& store, Clock& clock, std::string local_site)
      : store_(store), clock_(clock), local_site_(std::move(local_site)) {}

  const std::string& local_site() const { return local_site_; }

  absl::StatusOr<pb::Site> Create(const pb::CreateSiteRequest& request);
  // By name or id; "" is the local site. Endpoints are completed.
  absl::StatusOr<pb::Site> Get(const std::string& name_or_id);
  absl::StatusOr<pb::ListSitesResponse> List(const pb::ListSitesRequest& request);
  absl::StatusOr<std::vector<pb::Site>> All();
  absl::StatusOr<pb::Site> Update(const pb::UpdateSiteRequest& request);
  absl::Status Delete(const pb::DeleteSiteRequest& request);
  // Keeps what a validation found; the etag stays, because nothing that a user set has changed.
  absl::StatusOr<pb::Site> SetStatus(const std::string& name, pb::Site::Status status);

  absl::StatusOr<pb::TenantMapping> CreateMapping(const pb::TenantMapping& mapping);
  // Those of this site and project; empty: all.
  absl::StatusOr<std::vector<pb::TenantMapping>> Mappings(const std::string& site, const std::string& project_id);
  absl::Status DeleteMapping(const std::string& id);

 private:
  struct Stored {
    pb::Site site;
    int64_t version = 0;
  };
  absl::StatusOr<Stored> Load(const std::string& name_or_id);
  absl::Status Save(const Stored& stored, pb::Site site);
  pb::Site Shown(const pb::Site& site) const;

  store::Store& store_;
  Clock& clock_;
  const std::string local_site_;
  // A project's counterpart is unique over all mappings, which no record's version can guard.
  std::mutex mappings_mutex_;
};

}  // namespace protector::site_registry
