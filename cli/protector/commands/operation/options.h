#pragma once

#include "cli/protector/args/spec.h"

namespace protector::cli {

// The positional argument "operation".
Option OperationOption();

}  // namespace protector::cli
