// The headers of this directory, compiled once on their own.
#include "services/orchestrator/ports/site_ports.h"
#include "services/orchestrator/ports/sites_port.h"
#include "services/orchestrator/ports/target_cloud_port.h"
