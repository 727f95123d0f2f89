#pragma once
// Typed mappings as the services take them.

#include <vector>

#include "cli/protector/args/mapping.h"
#include "protector/group/v1/group.pb.h"

namespace protector::cli {

template <typename Repeated>
void PutMappings(const std::vector<Pair>& pairs, Repeated* out) {
  for (const Pair& pair : pairs) {
    protector::group::v1::Mapping* mapping = out->Add();
    mapping->set_kind(static_cast<protector::group::v1::MappingKind>(pair.kind));
    mapping->set_source(pair.source);
    mapping->set_target(pair.target);
  }
}

}  // namespace protector::cli
