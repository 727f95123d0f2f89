#pragma once
// One array with everything around it, for tests of the domain. Threads: one test's. Ownership: owns all. Failure:
// none.

#include <catch2/catch.hpp>
#include <memory>

#include "libs/base/error.h"
#include "libs/store/memory_store.h"
#include "services/storage-pure/domain/storage.h"
#include "services/storage-pure/testing/fake_array.h"

namespace protector::storage {

struct Fixture {
  explicit Fixture(const std::string& name = "array-a", const std::string& peer = "array-b") : array(name) {
    array.peers = {{peer, "connected", "async-replication"}};
    Restart();
  }
  // The process dies and comes back; store and array stay.
  void Restart() {
    state = std::make_unique<State>(store);
    storage = std::make_unique<Storage>(Deps{array, *state, clock, 4});
  }

  ManualClock clock{absl::FromUnixSeconds(1'700'000'000)};
  store::MemoryStore store{clock};
  FakeArray array;
  std::unique_ptr<State> state;
  std::unique_ptr<Storage> storage;
  Scope scope{.deadline = absl::FromUnixSeconds(1'700'000'000) + absl::Minutes(5)};
};

inline std::string ReasonOf(const absl::Status& status) {
  return DetailOf(status).reason;
}

inline v1::Authority Auth(int64_t epoch = 1, const std::string& operation = "op-1",
                          const std::string& group = "group-1") {
  v1::Authority authority;
  authority.set_group_id(group);
  authority.set_epoch(epoch);
  authority.set_operation_id(operation);
  return authority;
}

template <typename Request>
Request For(const std::string& name, protector::group::v1::ReplicationType type = protector::group::v1::ASYNC,
            const v1::Authority& authority = Auth()) {
  Request request;
  *request.mutable_authority() = authority;
  request.set_name(name);
  request.set_replication_type(type);
  return request;
}

inline void AddDisk(google::protobuf::RepeatedPtrField<v1::Disk>* disks, const std::string& member, int32_t index,
                    const std::string& serial) {
  v1::Disk* disk = disks->Add();
  disk->set_member_id(member);
  disk->set_index(index);
  disk->set_serial(serial);
}

}  // namespace protector::storage
