#include "libs/openstack/nova_codec.h"

namespace protector::openstack {
namespace {

using json::Value;

// Old answers have numbers as text ("swap": "").
int64_t Number(const Value& object, const std::string& key) {
  if (const auto number = object.GetInt(key)) return *number;
  return std::strtoll(object.GetStringOr(key, "0").c_str(), nullptr, 10);
}

std::vector<ServerAddress> DecodeAddresses(const Value& server) {
  std::vector<ServerAddress> addresses;
  const Value* networks = server.Find("addresses");
  if (networks == nullptr) return addresses;
  for (const auto& [network, entries] : networks->members()) {
    for (const Value& entry : entries.items()) {
      addresses.push_back({network, entry.GetStringOr("addr", ""), static_cast<int>(entry.GetIntOr("version", 4)),
                           entry.GetStringOr("OS-EXT-IPS-MAC:mac_addr", ""),
                           entry.GetStringOr("OS-EXT-IPS:type", "fixed") == "floating"});
    }
  }
  return addresses;
}

Value EncodeDevice(const BlockDevice& device) {
  Value value = Value::Object({{"uuid", device.volume_id},
                               {"source_type", "volume"},
                               {"destination_type", "volume"},
                               {"boot_index", device.boot_index.value_or(-1)},
                               {"delete_on_termination", device.delete_on_termination}});
  value.SetIf(!device.device_name.empty(), "device_name", device.device_name);
  value.SetIf(!device.disk_bus.empty(), "disk_bus", device.disk_bus);
  value.SetIf(!device.tag.empty(), "tag", device.tag);
  return value;
}

}  // namespace

Flavor DecodeFlavor(const Value& flavor) {
  Flavor decoded;
  decoded.id = flavor.GetStringOr("id", "");
  decoded.name = flavor.GetStringOr("name", flavor.GetStringOr("original_name", ""));
  decoded.vcpus = Number(flavor, "vcpus");
  decoded.ram_mb = Number(flavor, "ram");
  decoded.disk_gb = Number(flavor, "disk");
  decoded.ephemeral_gb =
      flavor.Has("ephemeral") ? Number(flavor, "ephemeral") : Number(flavor, "OS-FLV-EXT-DATA:ephemeral");
  decoded.swap_mb = Number(flavor, "swap");
  decoded.is_public = flavor.GetBoolOr("os-flavor-access:is_public", true);
  decoded.disabled = flavor.GetBoolOr("OS-FLV-DISABLED:disabled", false);
  decoded.extra_specs = flavor.GetStringMap("extra_specs");
  return decoded;
}

AttachedVolume DecodeAttachment(const Value& attachment) {
  AttachedVolume volume;
  volume.volume_id = attachment.GetStringOr("volumeId", attachment.GetStringOr("id", ""));
  volume.delete_on_termination = attachment.GetBoolOr("delete_on_termination", false);
  volume.device = attachment.GetStringOr("device", "");
  volume.attachment_id = attachment.GetStringOr("attachment_id", "");
  volume.tag = attachment.GetStringOr("tag", "");
  return volume;
}

Server DecodeServer(const Value& server) {
  Server decoded;
  decoded.id = server.GetStringOr("id", "");
  decoded.name = server.GetStringOr("name", "");
  decoded.status = server.GetStringOr("status", "");
  decoded.task_state = server.GetStringOr("OS-EXT-STS:task_state", "");
  decoded.vm_state = server.GetStringOr("OS-EXT-STS:vm_state", "");
  decoded.power_state = static_cast<int>(server.GetIntOr("OS-EXT-STS:power_state", 0));
  decoded.fault = server.GetStringOr("fault.message", "");
  decoded.description = server.GetStringOr("description", "");
  if (const Value* flavor = server.Find("flavor")) decoded.flavor = DecodeFlavor(*flavor);
  decoded.image_id = server.GetStringOr("image.id", "");
  decoded.key_name = server.GetStringOr("key_name", "");
  decoded.availability_zone = server.GetStringOr("OS-EXT-AZ:availability_zone", "");
  decoded.host = server.GetStringOr("OS-EXT-SRV-ATTR:host", "");
  decoded.hostname = server.GetStringOr("OS-EXT-SRV-ATTR:hostname", "");
  decoded.root_device_name = server.GetStringOr("OS-EXT-SRV-ATTR:root_device_name", "");
  decoded.user_data = server.GetStringOr("OS-EXT-SRV-ATTR:user_data", "");
  decoded.metadata = server.GetStringMap("metadata");
  decoded.tags = server.GetStrings("tags");
  decoded.server_groups = server.GetStrings("server_groups");
  for (const Value& group : server.GetItems("security_groups")) {
    decoded.security_groups.push_back(group.GetStringOr("name", ""));
  }
  decoded.addresses = DecodeAddresses(server);
  for (const Value& volume : server.GetItems("os-extended-volumes:volumes_attached")) {
    decoded.volumes.push_back(DecodeAttachment(volume));
  }
  const std::string config_drive = server.GetStringOr("config_drive", "");
  decoded.config_drive = server.GetBoolOr("config_drive", false) || (!config_drive.empty() && config_drive != "False");
  decoded.locked = server.GetBoolOr("locked", false);
  decoded.locked_reason = server.GetStringOr("locked_reason", "");
  decoded.project_id = server.GetStringOr("tenant_id", "");
  decoded.user_id = server.GetStringOr("user_id", "");
  decoded.created = server.GetStringOr("created", "");
  decoded.updated = server.GetStringOr("updated", "");
  return decoded;
}

Quota DecodeQuota(const Value* quota) {
  if (quota == nullptr) return {};
  return {quota->GetIntOr("limit", -1), quota->GetIntOr("in_use", quota->GetIntOr("used", 0)),
          quota->GetIntOr("reserved", 0)};
}

Value EncodeServer(const CreateServer& server) {
  Value body = Value::Object({{"name", server.name}, {"flavorRef", server.flavor_id}});
  body.SetIf(!server.description.empty(), "description", server.description);
  Value networks = Value::Array();
  for (const std::string& port : server.port_ids) networks.Append(Value::Object({{"port", port}}));
  body.Set("networks", server.port_ids.empty() ? Value("none") : networks);
  Value devices = Value::Array();
  for (const BlockDevice& device : server.block_devices) devices.Append(EncodeDevice(device));
  body.SetIf(!server.block_devices.empty(), "block_device_mapping_v2", devices);
  body.SetIf(!server.key_name.empty(), "key_name", server.key_name);
  body.SetIf(!server.availability_zone.empty(), "availability_zone", server.availability_zone);
  body.SetIf(!server.metadata.empty(), "metadata", server.metadata);
  body.SetIf(!server.tags.empty(), "tags", server.tags);
  if (server.config_drive.has_value()) body.Set("config_drive", *server.config_drive);
  body.SetIf(!server.user_data.empty(), "user_data", server.user_data);
  body.SetIf(!server.hostname.empty(), "hostname", server.hostname);
  Value request = Value::Object({{"server", body}});
  if (!server.server_group_id.empty()) {
    request.Set("os:scheduler_hints", Value::Object({{"group", server.server_group_id}}));
  }
  return request;
}

}  // namespace protector::openstack
