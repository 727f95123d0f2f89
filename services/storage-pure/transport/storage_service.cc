#include "services/storage-pure/transport/storage_service.h"

#include <functional>

#include "libs/base/error.h"
#include "libs/grpc/unary.h"
#include "protector/storage/v1/storage.grpc.pb.h"
#include "services/storage-pure/transport/validate.h"

namespace protector::storage {
namespace {

using Context = ::grpc::CallbackServerContext;
using Reactor = ::grpc::ServerUnaryReactor;

class StorageService final : public v1::StorageService::CallbackService {
 public:
  StorageService(rpc::Host& host, Storage& storage) : host_(host), storage_(storage) {}

  Reactor* GetArray(Context* c, const v1::GetArrayRequest* r, v1::Array* o) override {
    return Run(c, r, o, "GetArray", &Storage::GetArray);
  }
  Reactor* ResolveVolumes(Context* c, const v1::ResolveVolumesRequest* r, v1::ResolveVolumesResponse* o) override {
    return Run(c, r, o, "ResolveVolumes", &Storage::ResolveVolumes);
  }
  Reactor* EnsureProtection(Context* c, const v1::EnsureProtectionRequest* r, v1::Protection* o) override {
    return Run(c, r, o, "EnsureProtection", &Storage::EnsureProtection);
  }
  Reactor* AcceptProtection(Context* c, const v1::AcceptProtectionRequest* r, v1::Protection* o) override {
    return Run(c, r, o, "AcceptProtection", &Storage::AcceptProtection);
  }
  Reactor* GetProtection(Context* c, const v1::GetProtectionRequest* r, v1::Protection* o) override {
    return Run(c, r, o, "GetProtection", &Storage::GetProtection);
  }
  Reactor* SuspendProtection(Context* c, const v1::SuspendProtectionRequest* r, v1::Protection* o) override {
    return Run(c, r, o, "SuspendProtection", &Storage::SuspendProtection);
  }
  Reactor* RemoveProtection(Context* c, const v1::RemoveProtectionRequest* r,
                            v1::RemoveProtectionResponse* o) override {
    return Run(c, r, o, "RemoveProtection", &Storage::RemoveProtection);
  }
  Reactor* ListRecoveryPoints(Context* c, const v1::ListRecoveryPointsRequest* r,
                              v1::ListRecoveryPointsResponse* o) override {
    return Run(c, r, o, "ListRecoveryPoints", &Storage::ListRecoveryPoints);
  }
  Reactor* CreateRecoveryPoint(Context* c, const v1::CreateRecoveryPointRequest* r, v1::RecoveryPoint* o) override {
    return Run(c, r, o, "CreateRecoveryPoint", &Storage::CreateRecoveryPoint);
  }
  Reactor* GetRecoveryPoint(Context* c, const v1::GetRecoveryPointRequest* r, v1::RecoveryPoint* o) override {
    return Run(c, r, o, "GetRecoveryPoint", &Storage::GetRecoveryPoint);
  }
  Reactor* FenceVolumes(Context* c, const v1::FenceVolumesRequest* r, v1::FenceVolumesResponse* o) override {
    return Run(c, r, o, "FenceVolumes", &Storage::FenceVolumes);
  }
  Reactor* UnfenceVolumes(Context* c, const v1::UnfenceVolumesRequest* r, v1::UnfenceVolumesResponse* o) override {
    return Run(c, r, o, "UnfenceVolumes", &Storage::UnfenceVolumes);
  }
  Reactor* RefuseReplication(Context* c, const v1::RefuseReplicationRequest* r, v1::Protection* o) override {
    return Run(c, r, o, "RefuseReplication", &Storage::RefuseReplication);
  }
  Reactor* MaterializeVolumes(Context* c, const v1::MaterializeVolumesRequest* r,
                              v1::MaterializeVolumesResponse* o) override {
    return Run(c, r, o, "MaterializeVolumes", &Storage::MaterializeVolumes);
  }
  Reactor* DescribeVolumes(Context* c, const v1::DescribeVolumesRequest* r, v1::DescribeVolumesResponse* o) override {
    return Run(c, r, o, "DescribeVolumes", &Storage::DescribeVolumes);
  }
  Reactor* RetireVolumes(Context* c, const v1::RetireVolumesRequest* r, v1::RetireVolumesResponse* o) override {
    return Run(c, r, o, "RetireVolumes", &Storage::RetireVolumes);
  }
  Reactor* ListOwnedObjects(Context* c, const v1::ListOwnedObjectsRequest* r,
                            v1::ListOwnedObjectsResponse* o) override {
    return Run(c, r, o, "ListOwnedObjects", &Storage::ListOwnedObjects);
  }

 private:
  template <typename Request, typename Response>
  Reactor* Run(Context* context, const Request* request, Response* response, const char* name,
               absl::StatusOr<Response> (Storage::*method)(const Scope&, const Request&)) {
    return rpc::Unary(host_, context, request, response, name,
                      [this, method](const rpc::CallContext& call, const Request& r) -> absl::StatusOr<Response> {
                        PROTECTOR_RETURN_IF_ERROR(Validate(r));
                        const Scope scope{.deadline = call.deadline,
                                          .request_id = call.request_id,
                                          .purpose = call.purpose,
                                          .cancelled = call.cancelled};
                        // Not (storage_.*method)(scope, r): GCC 12's UndefinedBehaviorSanitizer takes the wrong object
                        // then.
                        return std::invoke(method, storage_, scope, r);
                      });
  }

  rpc::Host& host_;
  Storage& storage_;
};

}  // namespace

std::unique_ptr<::grpc::Service> NewStorageService(rpc::Host& host, Storage& storage) {
  return std::make_unique<StorageService>(host, storage);
}

}  // namespace protector::storage
