#include "simulators/flasharray/replication/transfer_receiver.h"

#include "simulators/flasharray/model/group_ops.h"

namespace protector::fasim {
namespace {

constexpr std::uint64_t kEnd = ~std::uint64_t{0};

PeerReply Refuse(const std::string& error) {
  return {409, {{"error", error}}};
}

std::string LocalSnapshotId(Tx& tx, const std::string& remote_id) {
  return UuidFrom("replica/" + remote_id + "/" + tx.array().array_id);
}

// Makes the partial snapshot of one volume, or empties it again when it was begun as a difference to something else.
Snapshot PrepareMember(Tx& tx, const GroupSnapshot& snapshot, const ProtectionGroup& face, const Json& told) {
  const std::string volume_id = told.at("volume_id").get<std::string>();
  const std::string base_uid = told.at("base_uid").get<std::string>();
  const auto base = tx.tables().baselines.Find(BaselineId(face.source_group_id, face.source_array_id, volume_id));
  const bool base_ok = base && !base_uid.empty() && base->uid == base_uid;
  Snapshot member;
  member.id = UuidFrom("replica/" + told.at("snapshot_id").get<std::string>() + "/" + snapshot.id);
  const auto known = tx.tables().snapshots.Find(member.id);
  if (known && known->base_uid == (base_ok ? base_uid : "")) return *known;
  if (known) {
    member = *known;
    tx.images().Drop(known->image);
  } else {
    member.serial = tx.NextSerial();
  }
  member.suffix = snapshot.suffix;
  member.name = snapshot.name + "." + told.at("name").get<std::string>();
  member.source_name = face.source_array_name + ":" + told.at("name").get<std::string>();
  member.group_snapshot_id = snapshot.id;
  member.remote_array_id = face.source_array_id;
  member.remote_volume_id = volume_id;
  member.remote_snapshot_id = told.at("snapshot_id").get<std::string>();
  member.created = snapshot.created;
  member.provisioned = told.at("provisioned").get<std::uint64_t>();
  member.complete = false;
  member.base_uid = base_ok ? base_uid : "";
  member.received_to = 0;
  member.image = base_ok ? tx.images().Clone(base->image) : tx.images().Create();
  tx.Put(member);
  return member;
}

void Complete(Tx& tx, const Transfer& inbound, const ProtectionGroup& face) {
  for (const auto& row : tx.tables().snapshots.Where("group_snapshot:" + inbound.group_snapshot_id)) {
    Snapshot member = *row;
    member.complete = true;
    tx.Put(member);
    Baseline base;
    base.id = BaselineId(face.source_group_id, face.source_array_id, member.remote_volume_id);
    if (const auto old = tx.tables().baselines.Find(base.id)) tx.images().Drop(old->image);
    base.uid = member.remote_snapshot_id;
    base.image = tx.images().Clone(member.image);
    tx.Put(base);
  }
}

}  // namespace

PeerReply TransferReceiver::Begin(const Json& head) {
  Tx tx(context_.db);
  const auto faces = tx.tables().groups.Where("face:" + head.at("group_id").get<std::string>());
  if (faces.empty()) return Refuse("unknown-group");
  const ProtectionGroup face = *faces.front();
  if (face.destroyed || face.targets.empty() || !face.targets.front().allowed) return Refuse("not-allowed");
  GroupSnapshot snapshot;
  snapshot.id = LocalSnapshotId(tx, head.at("snapshot_id").get<std::string>());
  if (const auto known = tx.tables().group_snapshots.Find(snapshot.id)) {
    if (IsComplete(tx, *known)) return {200, {{"completed", true}}};
    snapshot = *known;
  } else {
    snapshot.suffix = head.at("suffix").get<std::string>();
    snapshot.name = face.source_array_name + ":" + head.at("group_name").get<std::string>() + "." + snapshot.suffix;
    if (tx.tables().group_snapshots.ByName(snapshot.name)) return Refuse("name-in-use");
    snapshot.group_id = face.id;
    snapshot.source_name = face.name;
    snapshot.created = head.at("created").get<Millis>();
    snapshot.apply_retention = head.at("apply_retention").get<bool>();
    snapshot.remote = true;
    tx.Put(snapshot);
  }
  Transfer inbound;
  inbound.id = "in/" + snapshot.id;
  if (const auto known = tx.tables().transfers.Find(inbound.id)) inbound = *known;
  inbound.outbound = false;
  inbound.group_snapshot_id = snapshot.id;
  inbound.group_id = face.id;
  inbound.state = "active";
  if (inbound.started == 0) inbound.started = head.at("started").get<Millis>();
  tx.Put(inbound);
  Json members = Json::object();
  for (const Json& told : head.at("members")) {
    const Snapshot member = PrepareMember(tx, snapshot, face, told);
    members[told.at("volume_id").get<std::string>()] = {{"next", member.received_to},
                                                        {"base_ok", !member.base_uid.empty()}};
  }
  tx.Commit();
  return {200, {{"members", members}}};
}

PeerReply TransferReceiver::Data(const Json& head, const std::string& bytes) {
  Tx tx(context_.db);
  const std::string snapshot_id = LocalSnapshotId(tx, head.at("snapshot_id").get<std::string>());
  const auto row = tx.tables().transfers.Find("in/" + snapshot_id);
  const auto face = row ? tx.tables().groups.Find(row->group_id) : nullptr;
  if (!row || !face || face->targets.empty() || !face->targets.front().allowed) return Refuse("not-allowed");
  if (row->state == "completed") return {200, {{"completed", true}}};
  // Everything is looked at before anything is applied.
  std::size_t wanted = 0;
  for (const Json& part : head.at("parts")) {
    for (const Json& block : part.at("blocks")) wanted += block.at(1).get<int>() != 0 ? kBlockSize : 0;
  }
  if (wanted != bytes.size()) return Refuse("size");
  std::size_t at = 0;
  const std::string zeros(kBlockSize, '\0');
  for (const Json& part : head.at("parts")) {
    const std::string volume_id = part.at("volume_id").get<std::string>();
    for (const auto& member_row : tx.tables().snapshots.Where("group_snapshot:" + snapshot_id)) {
      if (member_row->remote_volume_id != volume_id) continue;
      for (const Json& block : part.at("blocks")) {
        const bool present = block.at(1).get<int>() != 0;
        tx.images().Write(member_row->image, block.at(0).get<std::uint64_t>() * kBlockSize,
                          present ? bytes.data() + at : zeros.data(), kBlockSize);
        at += present ? kBlockSize : 0;
      }
      Snapshot member = *member_row;
      member.received_to = part.at("next").get<std::uint64_t>();
      tx.Put(member);
    }
  }
  Transfer inbound = *row;
  inbound.done_blocks = head.at("done").get<std::uint64_t>();
  inbound.total_blocks = head.at("total").get<std::uint64_t>();
  inbound.wire_bytes = head.at("wire").get<std::uint64_t>();
  if (head.at("last").get<bool>()) {
    for (const auto& member : tx.tables().snapshots.Where("group_snapshot:" + snapshot_id)) {
      if (member->received_to != kEnd) return Refuse("incomplete");
    }
    inbound.state = "completed";
    inbound.completed = tx.now();
    Complete(tx, inbound, *face);
  }
  tx.Put(inbound);
  tx.Commit();
  return {200, Json::object()};
}

}  // namespace protector::fasim
