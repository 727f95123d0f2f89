#pragma once
// Short names for the contracts' namespaces, used all over this service.

namespace protector::group::v1 {}
namespace protector::metadata::v1 {}
namespace protector::operation::v1 {}
namespace protector::peer::v1 {}
namespace protector::site::v1 {}
namespace protector::storage::v1 {}

namespace protector::orchestrator {

namespace groups = ::protector::group::v1;
namespace metadata = ::protector::metadata::v1;
namespace op = ::protector::operation::v1;
namespace peer = ::protector::peer::v1;
namespace sites = ::protector::site::v1;
namespace storage = ::protector::storage::v1;

}  // namespace protector::orchestrator
