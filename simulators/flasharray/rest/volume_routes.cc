// /volumes, /volumes/space, /volumes/performance, /volumes/tags, /volumes/diff
#include "simulators/flasharray/model/group_ops.h"
#include "simulators/flasharray/model/volume_ops.h"
#include "simulators/flasharray/rest/dispatcher.h"
#include "simulators/flasharray/rest/items.h"
#include "simulators/flasharray/rest/performance.h"
#include "simulators/flasharray/rest/pick.h"

namespace protector::fasim {
namespace {

const PickRules kVolumes{"Volume"};
constexpr std::uint64_t kMaxBandwidth = 549755813888, kMaxIops = 100000000;

Table<Volume>::Rows Listed(Tx& tx, const Call& call) {
  auto rows = Candidates(call, tx.tables().volumes, kVolumes);
  NarrowDestroyed(call, &rows);
  return rows;
}

Answer List(Tx& tx, const Call& call) {
  return ListRows(call,
                  ToRows<Volume>(Listed(tx, call), [&tx](const Volume& volume) { return VolumeItem(tx, volume); }));
}

Answer Space(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<Volume>(Listed(tx, call), [&tx](const Volume& volume) {
                    return Json{{"id", volume.id},
                                {"name", volume.name},
                                {"space", SpaceOf(tx.images().AllocatedBytes(volume.image), 0, volume.provisioned)},
                                {"time", tx.now()}};
                  }));
}

Answer Performance(Tx& tx, const Call& call) {
  return ListRows(call, ToRows<Volume>(Listed(tx, call), [&tx](const Volume& volume) {
                    Json item = QuietPerformance(tx.now());
                    item["id"] = volume.id;
                    item["name"] = volume.name;
                    return item;
                  }));
}

// The limits of a qos object; the largest values mean "no limit", as real clients send them.
void ReadQos(const Json& body, std::uint64_t* bandwidth, std::uint64_t* iops) {
  if (!body.is_object() || !body.contains("qos")) return;
  if (const auto value = IntegerAt(body["qos"], "bandwidth_limit")) {
    *bandwidth = static_cast<std::uint64_t>(*value) >= kMaxBandwidth ? 0 : static_cast<std::uint64_t>(*value);
  }
  if (const auto value = IntegerAt(body["qos"], "iops_limit")) {
    *iops = static_cast<std::uint64_t>(*value) >= kMaxIops ? 0 : static_cast<std::uint64_t>(*value);
  }
}

void AddToGroups(Tx& tx, const Call& call, const Volume& volume) {
  const PickRules rules{"Protection group", "add_to_protection_group_names", "add_to_protection_group_ids", false};
  const auto groups = PickNamed(call, tx.tables().groups, rules);
  if (!groups) return;
  for (const auto& group : *groups) AddMember(tx, group, MemberKind::kVolume, volume.id, volume.name);
}

void RemoveFromGroups(Tx& tx, const Call& call, const Volume& volume) {
  const PickRules rules{"Protection group", "remove_from_protection_group_names", "remove_from_protection_group_ids",
                        false};
  const auto groups = PickNamed(call, tx.tables().groups, rules);
  if (!groups) return;
  for (const auto& group : *groups) RemoveMember(tx, group, MemberKind::kVolume, volume.id, volume.name);
}

Answer Create(Tx& tx, const Call& call) {
  const bool overwrite = call.Flag("overwrite");
  NewVolume request;
  request.default_protection = call.minor >= 16 && call.Bool("with_default_protection").value_or(true);
  if (overwrite && (call.Has("add_to_protection_group_names") || call.Has("add_to_protection_group_ids") ||
                    call.Bool("with_default_protection").value_or(false))) {
    throw ApiError("Invalid combination of parameters specified.");
  }
  if (call.BodyHas("source")) {
    const Json& source = call.body["source"];
    request.source = FindSource(tx, TextAt(source, "name").value_or(""), TextAt(source, "id").value_or(""));
  } else if (overwrite) {
    throw ApiError("A source is required to overwrite a volume.");
  }
  if (const auto size = call.BodyInteger("provisioned")) {
    if (*size == 0) throw ApiError("Volume size must be between 1M and 4P.");
    request.provisioned = static_cast<std::uint64_t>(*size);
  }
  request.subtype = call.BodyText("subtype").value_or("regular");
  ReadQos(call.body, &request.bandwidth_limit, &request.iops_limit);
  Answer answer;
  for (const std::string& name : NewNames(call)) {
    request.name = name;
    const auto existing = tx.tables().volumes.ByName(name);
    const Volume volume =
        overwrite && existing ? OverwriteVolume(tx, existing, *request.source) : CreateVolume(tx, request);
    if (!overwrite) AddToGroups(tx, call, volume);
    answer.items.push_back(VolumeItem(tx, volume));
  }
  return answer;
}

Volume ChangeAttributes(Tx& tx, const Call& call, const VolumePtr& row) {
  Volume volume = *row;
  ReadQos(call.body, &volume.bandwidth_limit, &volume.iops_limit);
  if (call.BodyHas("priority_adjustment")) {
    const Json& adjustment = call.body["priority_adjustment"];
    volume.priority_operator = TextAt(adjustment, "priority_adjustment_operator").value_or(volume.priority_operator);
    volume.priority_value =
        static_cast<int>(IntegerAt(adjustment, "priority_adjustment_value").value_or(volume.priority_value));
  }
  PutVolume(tx, volume);
  return volume;
}

void ChangeOne(Tx& tx, const Call& call, const std::string& id) {
  const auto now = [&] { return tx.tables().volumes.Find(id); };
  const auto destroyed = call.BodyBool("destroyed");
  if (destroyed && call.body.size() > 1) throw ApiError("Invalid combination of parameters specified.");
  if (destroyed) {
    // Asking again for the state it is in changes nothing; the array refuses it all the same.
    *destroyed ? DestroyVolume(tx, now()) : RecoverVolume(tx, now());
    return;
  }
  if (now()->destroyed) throw ApiError(now()->name, "Volume has been destroyed.");
  if (const auto name = call.BodyText("name")) RenameVolume(tx, now(), *name);
  if (call.BodyHas("pod")) MoveToPod(tx, now(), TextAt(call.body["pod"], "name").value_or(""));
  if (call.BodyHas("volume_group"))
    MoveToVolumeGroup(tx, now(), TextAt(call.body["volume_group"], "name").value_or(""));
  if (const auto size = call.BodyInteger("provisioned")) {
    ResizeVolume(tx, now(), static_cast<std::uint64_t>(*size), call.Flag("truncate"));
  }
  if (call.BodyHas("qos") || call.BodyHas("priority_adjustment")) ChangeAttributes(tx, call, now());
  AddToGroups(tx, call, *now());
  RemoveFromGroups(tx, call, *now());
}

Answer Change(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().volumes, kVolumes);
  CheckAnyAttribute(call, {"add_to_protection_group_names", "remove_from_protection_group_names",
                           "add_to_protection_group_ids", "remove_from_protection_group_ids"});
  if (rows.size() > 1 && call.BodyHas("name")) throw ApiError("Invalid combination of parameters specified.");
  Answer answer;
  for (const auto& row : rows) {
    ChangeOne(tx, call, row->id);
    answer.items.push_back(VolumeItem(tx, *tx.tables().volumes.Find(row->id)));
  }
  return answer;
}

Answer Eradicate(Tx& tx, const Call& call) {
  for (const auto& row : NeedNamed(call, tx.tables().volumes, kVolumes)) EradicateVolume(tx, row);
  Answer answer;
  answer.no_body = true;
  return answer;
}

Answer Diff(Tx& tx, const Call& call) {
  const auto rows = NeedNamed(call, tx.tables().volumes, kVolumes);
  ImageId base = 0;
  if (call.Has("base_name") || call.Has("base_id"))
    base = FindSource(tx, call.Text("base_name"), call.Text("base_id")).image;
  const auto size = static_cast<std::uint64_t>(call.Integer("block_size").value_or(kBlockSize));
  if (size == 0 || size % kBlockSize != 0) throw ApiError("Invalid value for parameter block_size.");
  const std::uint64_t per_block = size / kBlockSize;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;  // in units of `size`
  for (const auto& block : tx.images().Diff(base, rows.front()->image, 0, std::size_t{1} << 22)) {
    const std::uint64_t at = block.index / per_block;
    if (!extents.empty() && at < extents.back().first + extents.back().second) continue;
    if (!extents.empty() && at == extents.back().first + extents.back().second) {
      ++extents.back().second;
    } else {
      extents.emplace_back(at, 1);
    }
  }
  std::vector<Row> listed;
  for (const auto& [at, count] : extents) {
    listed.push_back({fmt::format("{:020}", at), [at = at, count = count, size] {
                        return Json{{"offset", at * size}, {"length", count * size}};
                      }});
  }
  return ListRows(call, std::move(listed));
}

}  // namespace

void AddVolumeRoutes(Dispatcher* dispatcher) {
  dispatcher->Route("GET", "/volumes", List);
  dispatcher->Route("POST", "/volumes", Create);
  dispatcher->Route("PATCH", "/volumes", Change);
  dispatcher->Route("DELETE", "/volumes", Eradicate);
  dispatcher->Route("GET", "/volumes/space", Space);
  dispatcher->Route("GET", "/volumes/performance", Performance);
  dispatcher->Route("GET", "/volumes/diff", Diff);
}

}  // namespace protector::fasim
