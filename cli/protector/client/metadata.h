#pragma once
// metadata-sync's service, for Session::Call.

#include "cli/protector/client/session.h"
#include "protector/metadata/v1/metadata.grpc.pb.h"

namespace protector::cli {

namespace meta_pb = ::protector::metadata::v1;

template <>
struct ServiceTraits<meta_pb::MetadataService> {
  static constexpr const char* kName = "metadata-sync";
};

}  // namespace protector::cli
