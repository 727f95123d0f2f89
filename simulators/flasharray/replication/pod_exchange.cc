#include "simulators/flasharray/replication/pod_exchange.h"

namespace protector::fasim {

Json PodMessage(Tx&, const std::string&) {
  return Json::object();
}
void TakePodMessage(Tx&, const Json&, const std::string&, const std::string&) {}

}  // namespace protector::fasim
