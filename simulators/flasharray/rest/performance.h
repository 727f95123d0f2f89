// Performance rows: the simulator does not measure its hosts, but real clients stumble over an empty list.
//
// Threads: pure. Ownership: none. Failure: none.
#pragma once

#include "simulators/flasharray/base/types.h"

namespace protector::fasim {

inline Json QuietPerformance(Millis time) {
  Json item = {{"time", time}};
  for (const char* name : {"bytes_per_mirrored_write",
                           "bytes_per_op",
                           "bytes_per_read",
                           "bytes_per_write",
                           "mirrored_write_bytes_per_sec",
                           "mirrored_writes_per_sec",
                           "qos_rate_limit_usec_per_mirrored_write_op",
                           "qos_rate_limit_usec_per_read_op",
                           "qos_rate_limit_usec_per_write_op",
                           "queue_usec_per_mirrored_write_op",
                           "queue_usec_per_read_op",
                           "queue_usec_per_write_op",
                           "read_bytes_per_sec",
                           "reads_per_sec",
                           "san_usec_per_mirrored_write_op",
                           "san_usec_per_read_op",
                           "san_usec_per_write_op",
                           "service_usec_per_mirrored_write_op",
                           "service_usec_per_read_op",
                           "service_usec_per_write_op",
                           "usec_per_mirrored_write_op",
                           "usec_per_read_op",
                           "usec_per_write_op",
                           "write_bytes_per_sec",
                           "writes_per_sec",
                           "local_queue_usec_per_op",
                           "others_per_sec",
                           "queue_depth",
                           "usec_per_other_op"}) {
    item[name] = 0;
  }
  item["service_usec_per_read_op_cache_reduction"] = 0.0;
  return item;
}

}  // namespace protector::fasim
