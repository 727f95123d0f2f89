"""Asynchronous protection groups between two real processes: bytes at the target, partial transfers, peers that die."""
import os

import pytest

from fasim import Refused, start_pair, until

MIB = 1 << 20


def refused(call, *args, **kwargs):
    with pytest.raises(Refused) as error:
        call(*args, **kwargs)
    return error.value


def protect(a, b, group, volumes, allow=True):
    a.post("/protection-groups", names=group)
    a.post("/protection-groups/volumes", group_names=group, member_names=",".join(volumes))
    a.post("/protection-groups/targets", group_names=group, member_names=b.name)
    face = f"{a.name}:{group}"
    until(lambda: b.get("/protection-groups", filter=f"name='{face}'"), what="the face of the group")
    if allow:
        b.patch("/protection-groups/targets", {"allowed": True}, group_names=face)
        until(lambda: a.one("/protection-groups/targets", group_names=group)["allowed"], what="the allowance")
    return face


def fill(array, name, size=64 * MIB, blocks=8):
    made = array.volume(name, size)
    array.connect(name)
    for i in range(blocks):
        array.write(made["serial"], i * 5 * MIB % size, os.urandom(6000))
    return made["serial"]


def snapshot(array, group, suffix):
    return array.post("/protection-group-snapshots", {"suffix": suffix}, source_names=group, replicate_now="true",
                      apply_retention="true")[0]


def transfer(array, group, name):
    found = [t for t in array.get("/protection-group-snapshots/transfer", names=group) if t["name"] == name]
    return found[0] if found else None


def completed(array, group, name, seconds=20):
    return until(lambda: (lambda t: t if t and t["completed"] else None)(transfer(array, group, name)), seconds,
                 f"the transfer of {name}")


def test_a_snapshot_arrives_with_its_bytes_and_a_new_serial(pair):
    a, b = pair
    serial = fill(a, "r1-v1")
    fill(a, "r1-v2")
    face = protect(a, b, "r1", ["r1-v1", "r1-v2"])
    assert not b.one("/protection-groups", names=face)["is_local"]
    made = snapshot(a, "r1", "op-1")
    a.write(serial, 0, b"after the snapshot")
    done = completed(b, face, f"{face}.op-1")
    assert done["progress"] == 1.0 and done["data_transferred"] > 0
    assert completed(a, "r1", "r1.op-1")["progress"] == 1.0
    assert b.one("/protection-group-snapshots", names=f"{face}.op-1")["created"] == made["created"]
    names = [s["name"] for s in b.get("/volume-snapshots", filter=f"name='{face}.op-1.*'", destroyed="false")]
    assert names == [f"{face}.op-1.r1-v1", f"{face}.op-1.r1-v2"]
    for volume in ("r1-v1", "r1-v2"):
        clone = b.post("/volumes", {"source": {"name": f"{face}.op-1.{volume}"}}, names=f"{volume}-dr", with_default_protection="false")[0]
        assert clone["serial"].startswith(b.id.replace("-", "")[:16].upper())
        assert clone["source"]["name"] == f"{face}.op-1.{volume}"
        assert b.checksum(f"{volume}-dr") == a.checksum(f"r1.op-1.{volume}")
    assert b.checksum("r1-v1-dr") != a.checksum("r1-v1")


def test_the_second_transfer_sends_only_what_changed(pair):
    a, b = pair
    serial = fill(a, "r2-v", blocks=12)
    face = protect(a, b, "r2", ["r2-v"])
    snapshot(a, "r2", "full")
    full = completed(b, face, f"{face}.full")
    a.write(serial, 12345, b"one change")
    snapshot(a, "r2", "delta")
    delta = completed(b, face, f"{face}.delta")
    assert 0 < delta["data_transferred"] <= 8192 < full["data_transferred"]
    b.post("/volumes", {"source": {"name": f"{face}.delta.r2-v"}}, names="r2-dr")
    assert b.checksum("r2-dr") == a.checksum("r2-v")


def test_nothing_is_sent_until_it_is_allowed_and_the_repeat_is_refused(pair):
    a, b = pair
    fill(a, "r3-v")
    face = protect(a, b, "r3", ["r3-v"], allow=False)
    snapshot(a, "r3", "early")
    assert a.get("/protection-group-snapshots/transfer", names="r3") == []
    b.patch("/protection-groups/targets", {"allowed": True}, group_names=face)
    assert "already allowed on" in refused(b.patch, "/protection-groups/targets", {"allowed": True}, group_names=face).message
    until(lambda: a.one("/protection-groups/targets", group_names="r3")["allowed"])
    error = refused(snapshot, a, "r3", "early")
    assert "already exists" in error.message and error.errors[0]["context"] == "r3.early"
    snapshot(a, "r3", "late")
    completed(b, face, f"{face}.late")
    assert not b.get("/protection-group-snapshots", filter=f"name='{face}.early'")


def test_refusals_of_groups(pair):
    a, b = pair
    a.volume("r4-v")
    a.post("/protection-groups", names="r4")
    assert "already exists" in refused(a.post, "/protection-groups", names="r4").message
    a.post("/protection-groups/volumes", group_names="r4", member_names="r4-v")
    assert "already includes" in refused(a.post, "/protection-groups/volumes", group_names="r4", member_names="r4-v").message
    assert "does not exist" in refused(a.post, "/protection-groups/targets", group_names="r4", member_names="nowhere").message
    error = refused(a.post, "/protection-group-snapshots", {"suffix": "a-1"}, source_names="r4", replicate="true", replicate_now="true")
    assert error.message == "Invalid combination of parameters specified."
    assert a.get("/protection-groups/volumes", member_names="r4-v")
    a.volume("r4-alone")
    assert a.get("/protection-groups/volumes", member_names="r4-alone") == []
    assert refused(b.get, "/protection-group-snapshots/transfer", names="array-a:nothing").status == 400
    assert "ratcheted" == a.patch("/protection-groups", {"retention_lock": "ratcheted"}, names="r4")[0]["retention_lock"]
    assert refused(a.patch, "/protection-groups", {"retention_lock": "unlocked"}, names="r4").status == 400
    assert refused(a.patch, "/volumes", {"destroyed": True}, names="r4-v").status == 400


def test_a_partial_transfer_shows_its_progress_and_cannot_be_used(fresh_pair):
    a, b = fresh_pair
    fill(a, "v", 256 * MIB, blocks=1)
    serial = a.one("/volumes", names="v")["serial"]
    for i in range(24):
        a.write(serial, i * MIB, os.urandom(MIB))
    face = protect(a, b, "pg", ["v"])
    a.sim("POST", "/sim/settings", {"bandwidth_mbps": 40})  # about five seconds
    snapshot(a, "pg", "op-1")
    shown = until(lambda: (lambda t: t if t and 0 < t["progress"] < 1 else None)(transfer(b, face, f"{face}.op-1")), what="progress")
    assert shown["completed"] is None
    assert transfer(a, "pg", "pg.op-1")["completed"] is None
    assert refused(b.post, "/volumes", {"source": {"name": f"{face}.op-1.v"}}, names="too-early").status == 400
    assert b.get("/protection-group-snapshots/transfer", names=face, filter='progress="1.0"') == []
    # The target dies in the middle, comes back, and the transfer goes on where it was.
    before = transfer(b, face, f"{face}.op-1")["data_transferred"]
    b.kill()
    a.sim("POST", "/sim/settings", {"bandwidth_mbps": 0})
    until(lambda: a.get("/array-connections")[0]["status"] == "connecting", what="connecting")
    b.start()
    done = completed(b, face, f"{face}.op-1")
    assert done["data_transferred"] >= before and done["physical_bytes_written"] <= 40 * MIB
    b.post("/volumes", {"source": {"name": f"{face}.op-1.v"}}, names="dr")
    assert b.checksum("dr") == a.checksum("v")


def test_the_source_dies_in_the_middle_and_the_target_keeps_its_last_complete_point(fresh_pair):
    a, b = fresh_pair
    serial = fill(a, "v", 64 * MIB)
    face = protect(a, b, "pg", ["v"])
    snapshot(a, "pg", "good")
    completed(b, face, f"{face}.good")
    good = a.checksum("v")
    for i in range(16):
        a.write(serial, i * MIB, os.urandom(MIB))
    a.sim("POST", "/sim/settings", {"bandwidth_mbps": 30})
    snapshot(a, "pg", "partial")
    until(lambda: (transfer(b, face, f"{face}.partial") or {"progress": 0})["progress"] > 0, what="the partial transfer")
    a.kill()
    newest = b.get("/protection-group-snapshots/transfer", names=face, destroyed="false", filter='progress="1.0"', sort="started-")
    assert newest[0]["name"] == f"{face}.good" and newest[0]["completed"]
    assert refused(b.post, "/volumes", {"source": {"name": f"{face}.partial.v"}}, names="x").status == 400
    b.post("/volumes", {"source": {"name": f"{face}.good.v"}}, names="dr")
    assert b.checksum("dr") == good
    until(lambda: b.get("/array-connections")[0]["status"] == "connecting", what="connecting")
    # The decision is made: a returning source must not push on.
    b.patch("/protection-groups/targets", {"allowed": False}, group_names=face)
    assert not b.get("/protection-group-snapshots", filter=f"name='{face}.partial'")
    a.start()
    until(lambda: not a.one("/protection-groups/targets", group_names="pg")["allowed"], what="the withdrawal at the source")
    until(lambda: a.get("/protection-group-snapshots/transfer", names="pg.partial") == [], what="the transfer given up")
    assert not b.get("/protection-group-snapshots", filter=f"name='{face}.partial'")


def test_a_cut_link_stops_transfers_and_they_go_on_when_it_is_back(fresh_pair):
    a, b = fresh_pair
    fill(a, "v")
    face = protect(a, b, "pg", ["v"])
    a.sim("POST", "/sim/link", {"peer": "array-b", "state": "cut"})
    assert a.get("/array-connections")[0]["status"] == "connecting"
    until(lambda: b.get("/array-connections")[0]["status"] == "connecting", what="connecting at the other side")
    snapshot(a, "pg", "op-1")
    assert transfer(a, "pg", "pg.op-1")["completed"] is None
    assert not b.get("/protection-group-snapshots", filter=f"name='{face}.op-1'")
    a.sim("POST", "/sim/link", {"peer": "array-b", "state": "up"})
    completed(b, face, f"{face}.op-1")


def test_the_schedule_runs_by_the_scaled_clock_and_retention_thins_out(tmp_path_factory):
    a, b = start_pair(tmp_path_factory.mktemp("scaled"), extra=("--time-scale", "600"))
    try:
        fill(a, "v")
        face = protect(a, b, "pg", ["v"])
        a.patch("/protection-groups", {"replication_schedule": {"frequency": 300000},
                                       "source_retention": {"all_for_sec": 900, "days": 0, "per_day": 0},
                                       "target_retention": {"all_for_sec": 900, "days": 0, "per_day": 0}}, names="pg")
        a.patch("/protection-groups", {"replication_schedule": {"enabled": True}}, names="pg")
        until(lambda: len(b.get("/protection-group-snapshots", filter=f"name='{face}.*'")) >= 2, what="scheduled snapshots")
        until(lambda: b.get("/protection-group-snapshots", filter=f"name='{face}.*'", destroyed="true"), what="retention at the target")
        a.patch("/protection-groups", {"replication_schedule": {"enabled": False}}, names="pg")
        assert b.get("/protection-group-snapshots", filter=f"name='{face}.*'", destroyed="false")
    finally:
        a.stop()
        b.stop()


def test_failback_over_the_kept_volume_keeps_its_serial(pair):
    a, b = pair
    serial = fill(a, "fb-v")
    face = protect(a, b, "fb", ["fb-v"])
    snapshot(a, "fb", "out")
    completed(b, face, f"{face}.out")
    clone = b.post("/volumes", {"source": {"name": f"{face}.out.fb-v"}}, names="fb-dr")[0]
    b.connect("fb-dr")
    b.write(clone["serial"], 100, b"written while away")
    back = protect(b, a, "fb-r", ["fb-dr"])
    snapshot(b, "fb-r", "home")
    completed(a, back, f"{back}.home")
    over = a.post("/volumes", {"source": {"name": f"{back}.home.fb-dr"}}, names="fb-v", overwrite="true", with_default_protection="false")[0]
    assert over["serial"] == serial and a.checksum("fb-v") == b.checksum("fb-dr")
    assert a.read(serial, 100, 18) == b"written while away"


def test_a_whole_group_can_be_copied_at_the_target(pair):
    a, b = pair
    fill(a, "cp-1")
    fill(a, "cp-2")
    face = protect(a, b, "cp", ["cp-1", "cp-2"])
    snapshot(a, "cp", "all")
    completed(b, face, f"{face}.all")
    b.post("/protection-groups", names="cp-local", source_names=f"{face}.all")
    assert [m["member"]["name"] for m in b.get("/protection-groups/volumes", group_names="cp-local")] == ["cp-1", "cp-2"]
    assert b.checksum("cp-1") == a.checksum("cp-1")
    assert "already exists" in refused(b.post, "/protection-groups", names="cp-again", source_names=face).message


def test_arrays_are_connected_by_key(tmp_path_factory):
    from fasim import Array
    from shapes import check_answer
    base = tmp_path_factory.mktemp("keys")
    a = Array("array-a", "127.0.94.1", base / "a", extra=("--no-preconnect",))
    b = Array("array-b", "127.0.94.2", base / "b", extra=("--no-preconnect",))
    a.control_port = b.control_port = 19901
    a.peers, b.peers = [("array-b", b.control)], [("array-a", a.control)]
    a.check = b.check = check_answer
    a.start()
    b.start()
    try:
        key = b.get("/array-connections/connection-key")[0]["connection_key"]
        body = {"management_address": "127.0.94.2", "connection_key": key, "type": "async-replication", "replication_transport": "ip"}
        assert "not valid" in refused(a.post, "/array-connections", {**body, "connection_key": "wrong"}).message
        assert refused(a.post, "/array-connections", {**body, "replication_transport": "x"}).message == "Given Transport Type is invalid"
        assert refused(a.post, "/array-connections", {**body, "management_address": "127.0.94.9"}).status == 400
        assert a.get("/array-connections") == []
        assert a.post("/array-connections", body)[0]["name"] == "array-b"
        for one, other in ((a, "array-b"), (b, "array-a")):
            until(lambda: [c["status"] for c in one.get("/array-connections") if c["name"] == other] == ["connected"], what="connected")
        a.volume("v")
        a.post("/protection-groups", names="pg")
        a.post("/protection-groups/targets", group_names="pg", member_names="array-b")
        assert "in use" in refused(a.delete, "/array-connections", names="array-b").message
        a.delete("/protection-groups/targets", group_names="pg", member_names="array-b")
        a.delete("/array-connections", names="array-b")
        until(lambda: b.get("/array-connections") == [], what="the other half gone")
    finally:
        a.stop()
        b.stop()
