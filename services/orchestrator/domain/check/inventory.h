#pragma once
// What a site's cloud has, as far as bringing members up there depends on it: the input of the readiness check.
// Collected by adapters/openstack/inventory; plain values, so that the check is a pure function and its tests need no
// cloud.
//
// Threads: values. Failure: none.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace protector::orchestrator {

struct SubnetFacts {
  std::string id;
  std::string cidr;
  int ip_version = 4;
};

struct NetworkInventory {
  std::string id;
  std::string name;
  std::vector<SubnetFacts> subnets;
};

struct FlavorFacts {
  std::string id;
  std::string name;
  int64_t vcpus = 0;
  int64_t ram_mib = 0;
  int64_t disk_gib = 0;
  bool disabled = false;
};

struct NamedObject {
  std::string id;
  std::string name;
};

struct KeyPairFacts {
  std::string name;
  std::string public_key;
};

struct ServerGroupFacts {
  std::string id;
  std::string name;
  std::string policy;
};

struct VolumeTypeFacts {
  std::string id;
  std::string name;
  bool replicated = false;
  std::string replication_type;  // "async", "sync", "trisync" or empty
};

// A port that is there already and holds an address or MAC that a member may want.
struct PortFacts {
  std::string id;
  std::string network_id;
  std::string project_id;
  std::string mac_address;
  std::vector<std::string> addresses;
  std::string device_id;    // empty: nobody uses it
  std::string description;  // this product's mark, on ports that it made
};

struct QuotaFacts {
  int64_t limit = -1;  // -1: none
  int64_t used = 0;
};

struct Inventory {
  std::string site;
  std::string project_id;
  std::vector<NetworkInventory> networks;
  std::vector<FlavorFacts> flavors;
  std::vector<NamedObject> security_groups;
  std::vector<KeyPairFacts> key_pairs;  // of the user that makes the servers
  std::vector<std::string> availability_zones;
  std::vector<ServerGroupFacts> server_groups;
  std::vector<VolumeTypeFacts> volume_types;
  std::vector<PortFacts> ports;
  // "instances", "cores", "ram", "volumes", "gigabytes", "ports"
  std::map<std::string, QuotaFacts> quotas;
};

}  // namespace protector::orchestrator
