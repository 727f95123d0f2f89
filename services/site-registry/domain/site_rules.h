#pragma once
// What a site and a tenant mapping have to look like, their derived ids, and the endpoints a site has when none are
// given.
//
// Threads: pure. Ownership: values. Failure: INVALID_ARGUMENT naming the field.

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/field_mask.pb.h"
#include "protector/site/v1/site.pb.h"

namespace protector::site_registry {

namespace pb = protector::site::v1;

absl::Status CheckSite(const pb::Site& site);
// Copies the fields that the mask names.
absl::Status ApplyMask(const pb::Site& changes, const google::protobuf::FieldMask& mask, pb::Site& site);

// Both registries derive the same id from the name.
std::string SiteId(const std::string& name);

// host of "http://host:5000/v3" ("[::1]" with its brackets); empty when there is none.
std::string HostOfUrl(const std::string& url);

// The endpoints with defaults in place of empty ones.
pb::ServiceEndpoints Completed(const pb::Site& site);

absl::Status CheckMapping(const pb::TenantMapping& mapping);
// The same mapping with the sites in order of their names, and with its id: equal on both registries however it was
// given.
pb::TenantMapping Normalised(const pb::TenantMapping& mapping);

}  // namespace protector::site_registry
