#include <catch2/catch.hpp>

#include "libs/base/error.h"
#include "libs/openstack/test_cloud.h"

namespace protector::openstack {
namespace {

using http::JsonResponse;

const std::string kCinder = TestCloud::kCinder;

TEST_CASE("a volume is read whole") {
  TestCloud test;
  test.http.Always("GET", kCinder + "/volumes/v1",
                   JsonResponse(200, R"({"volume":{"id":"v1","name":"n","status":"in-use","size":10,
    "volume_type":"replicated-async","bootable":"true","os-vol-host-attr:host":"cinder-a@pure#array-a","os-vol-tenant-attr:tenant_id":"p",
    "os-vol-mig-status-attr:name_id":null,"metadata":{"array_volume_name":"volume-v1-cinder"},"volume_image_metadata":{"os":"debian"},
    "attachments":[{"server_id":"s1","attachment_id":"a1","device":"/dev/vda","host_name":"h"}]}})"));
  const auto volume = test.Connected()->cinder().GetVolume({}, "v1");
  REQUIRE(volume.ok());
  CHECK(volume->bootable);
  CHECK(volume->size_gb == 10);
  CHECK(volume->host == "cinder-a@pure#array-a");
  CHECK(volume->image_metadata.at("os") == "debian");
  CHECK(volume->ArrayName() == "volume-v1-cinder");
  REQUIRE(volume->attachments.size() == 1);
  CHECK(volume->attachments[0].device == "/dev/vda");
  CHECK(HeaderOf(test.Last(), "OpenStack-API-Version") == "volume 3.59");
}

ManageVolume Example() {
  ManageVolume volume;
  volume.host = "cinder-b@pure#array-b";
  volume.source_name = "op1-vol";
  volume.name = "data";
  volume.volume_type = "replicated-async";
  volume.bootable = true;
  return volume;
}

TEST_CASE("a volume of the array is taken into Cinder, once") {
  TestCloud test;
  test.http.Expect("POST", kCinder + "/manageable_volumes",
                   JsonResponse(202, R"({"volume":{"id":"new","status":"creating","size":0}})"));
  const auto cloud = test.Connected();
  CHECK(cloud->cinder().Manage({}, Example())->id == "new");
  CHECK(test.LastBody() ==
        *json::Parse(R"({"volume":{"host":"cinder-b@pure#array-b","ref":{"source-name":"op1-vol","name":"op1-vol"},
    "name":"data","bootable":true,"volume_type":"replicated-async"}})"));
  test.http.Always("POST", kCinder + "/manageable_volumes", JsonResponse(502, ""));
  CHECK(http::OutcomeUnknown(cloud->cinder().Manage({}, Example()).status()));
  CHECK(test.http.Count("POST", kCinder + "/manageable_volumes") == 2);
}

TEST_CASE("an old Cinder is asked in its own way") {
  TestCloud test;
  test.http.Always("GET", "http://c:8776/v3/",
                   JsonResponse(200, R"({"versions":[{"version":"3.5","min_version":"3.0"}]})"));
  test.http.Always("POST", kCinder + "/os-volume-manage", JsonResponse(202, R"({"volume":{"id":"new"}})"));
  CHECK(test.Connected()->cinder().Manage({}, Example()).ok());
}

TEST_CASE("releasing what is gone or going is done; what is attached is not") {
  TestCloud test;
  const std::string action = kCinder + "/volumes/v1/action";
  const auto cloud = test.Connected();
  test.http.Expect("POST", action, JsonResponse(202, ""));
  CHECK(cloud->cinder().Unmanage({}, "v1").ok());
  CHECK(test.LastBody().Dump() == R"({"os-unmanage":{}})");
  test.http.Expect("POST", action, JsonResponse(404, "{}"));
  CHECK(cloud->cinder().Unmanage({}, "v1").ok());

  const http::Response refused =
      JsonResponse(400, R"({"badRequest":{"message":"Invalid volume: Volume status must be available"}})");
  test.http.Expect("POST", action, http::ConnectionCut());
  test.http.Expect("POST", action, refused);
  test.http.Expect("GET", kCinder + "/volumes/v1", JsonResponse(200, R"({"volume":{"id":"v1","status":"deleting"}})"));
  CHECK(cloud->cinder().Unmanage({}, "v1").ok());
  test.http.Expect("DELETE", kCinder + "/volumes/v1", refused);
  test.http.Expect("GET", kCinder + "/volumes/v1", JsonResponse(200, R"({"volume":{"id":"v1","status":"in-use"}})"));
  CHECK(DetailOf(cloud->cinder().DeleteVolume({}, "v1")).reason == "WRONG_STATE");
}

TEST_CASE("the small changes of a volume") {
  TestCloud test;
  for (const char* url : {"/volumes/v1", "/volumes/v1/action", "/volumes/v1/metadata"}) {
    for (const char* method : {"POST", "PUT"}) test.http.Always(method, kCinder + url, JsonResponse(200, "{}"));
  }
  const auto cloud = test.Connected();
  CHECK(cloud->cinder().UpdateVolume({}, "v1", "n", std::nullopt).ok());
  CHECK(test.LastBody().Dump() == R"({"volume":{"name":"n"}})");
  CHECK(cloud->cinder().SetVolumeMetadata({}, "v1", {{"a", "b"}}).ok());
  CHECK(test.LastBody().Dump() == R"({"metadata":{"a":"b"}})");
  CHECK(cloud->cinder().SetBootable({}, "v1", true).ok());
  CHECK(test.LastBody().Dump() == R"({"os-set_bootable":{"bootable":true}})");
  CHECK(cloud->cinder().SetImageMetadata({}, "v1", {{"os", "x"}}).ok());
  CHECK(test.LastBody().Dump() == R"({"os-set_image_metadata":{"metadata":{"os":"x"}}})");
}

TEST_CASE("types, pools, services, manageable volumes and quotas") {
  TestCloud test;
  test.http.Always("GET", kCinder + "/types", JsonResponse(200, R"({"volume_types":[{"id":"t","name":"replicated-async",
    "extra_specs":{"replication_type":"<in> async"}}]})"));
  test.http.Always("GET", kCinder + "/scheduler-stats/get_pools",
                   JsonResponse(200, R"({"pools":[{"name":"cinder-a@pure#array-a",
    "capabilities":{"volume_backend_name":"pure","vendor_name":"Pure Storage","storage_protocol":"iSCSI","total_capacity_gb":"infinite","free_capacity_gb":10}}]})"));
  test.http.Always(
      "GET", kCinder + "/os-services",
      JsonResponse(
          200,
          R"({"services":[{"binary":"cinder-volume","host":"cinder-a@pure","status":"enabled","state":"down"}]})"));
  test.http.Always(
      "GET", kCinder + "/manageable_volumes/detail",
      JsonResponse(200, R"({"manageable-volumes":[{"reference":{"name":"x"},"size":3,"safe_to_manage":true}]})"));
  test.http.Always("GET", kCinder + "/os-quota-sets/p",
                   JsonResponse(200, R"({"quota_set":{"id":"p","volumes":{"limit":10,"in_use":9,"reserved":1},
    "gigabytes_fast":{"limit":100,"in_use":0,"reserved":0}}})"));
  const auto cloud = test.Connected();
  CHECK(cloud->cinder().ListVolumeTypes({})->front().extra_specs.at("replication_type") == "<in> async");
  CHECK(cloud->cinder().ListPools({})->front().driver == "Pure Storage/iSCSI");
  CHECK_FALSE(cloud->cinder().ListServices({})->front().up);
  CHECK(cloud->cinder().ListManageable({}, "h")->front().source_name == "x");
  const auto quotas = cloud->cinder().GetVolumeQuotas({}, "p");
  REQUIRE(quotas.ok());
  CHECK_FALSE(quotas->volumes.Fits(1));
  CHECK(quotas->by_type.at("gigabytes_fast").limit == 100);
}

}  // namespace
}  // namespace protector::openstack
