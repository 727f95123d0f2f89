#include "libs/openstack/glance.h"

#include <set>

#include "libs/base/error.h"
#include "libs/openstack/api_client.h"

namespace protector::openstack {
namespace {

using json::Value;

Image DecodeImage(const Value& image) {
  static const std::set<std::string> kOwnFields = {"id",    "name", "status", "visibility",
                                                   "owner", "self", "file",   "schema"};
  Image decoded;
  decoded.id = image.GetStringOr("id", "");
  decoded.name = image.GetStringOr("name", "");
  decoded.status = image.GetStringOr("status", "");
  decoded.visibility = image.GetStringOr("visibility", "");
  decoded.owner = image.GetStringOr("owner", "");
  decoded.min_disk_gb = image.GetIntOr("min_disk", 0);
  decoded.min_ram_mb = image.GetIntOr("min_ram", 0);
  decoded.size_bytes = image.GetIntOr("size", 0);
  for (const auto& [name, value] : image.members()) {
    if (value.IsString() && kOwnFields.count(name) == 0) decoded.properties[name] = *value.AsString();
  }
  return decoded;
}

class Glance final : public GlanceApi {
 public:
  explicit Glance(Session& session) : api_(session, Service::kImage) {}

  absl::StatusOr<Image> GetImage(const CallContext& call, const std::string& id) override {
    PROTECTOR_ASSIGN_OR_RETURN(const Value image, api_.Get(call, Item("/images", id, "image")));
    return DecodeImage(image);
  }

  absl::StatusOr<std::vector<Image>> ListImages(const CallContext& call, const std::string& name) override {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<Value> found, api_.List(call, Whole("/images", "list of images"),
                                                                         Query().Add("name", name), "images"));
    std::vector<Image> images;
    for (const Value& image : found) images.push_back(DecodeImage(image));
    return images;
  }

 private:
  ApiClient api_;
};

}  // namespace

std::unique_ptr<GlanceApi> NewGlance(Session& session) {
  return std::make_unique<Glance>(session);
}

}  // namespace protector::openstack
