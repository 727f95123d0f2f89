#pragma once
// Glance as the product uses it. Threads: implementations are safe for all. Ownership: values. Failure: see call.h.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/openstack/call.h"

namespace protector::openstack {

struct Image {
  std::string id;
  std::string name;
  std::string status;
  std::string visibility;
  std::string owner;
  int64_t min_disk_gb = 0;
  int64_t min_ram_mb = 0;
  int64_t size_bytes = 0;
  std::map<std::string, std::string> properties;  // every other string
};

class GlanceApi {
 public:
  virtual ~GlanceApi() = default;
  virtual absl::StatusOr<Image> GetImage(const CallContext& call, const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<Image>> ListImages(const CallContext& call, const std::string& name) = 0;
};

}  // namespace protector::openstack
