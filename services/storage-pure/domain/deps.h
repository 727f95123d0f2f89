#pragma once
// What every part of the domain works with. Threads, ownership: all of it is shared and outlives the domain. Failure:
// none.

#include "libs/base/clock.h"
#include "services/storage-pure/domain/state.h"
#include "services/storage-pure/ports/array_api.h"

namespace protector::storage {

struct Deps {
  ArrayApi& array;
  State& state;
  Clock& clock;
  int parallelism = 16;
};

}  // namespace protector::storage
