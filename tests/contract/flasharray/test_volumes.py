"""Volumes, snapshots, tags, hosts, connections and the data plane of one array."""
import os

import pytest

from fasim import INITIATOR, Refused

GIB = 1 << 30


def refused(call, *args, **kwargs):
    with pytest.raises(Refused) as error:
        call(*args, **kwargs)
    return error.value


def test_serials_carry_the_arrays_id_and_rise(array):
    first, second = array.volume("serial-1"), array.volume("serial-2")
    prefix = array.id.replace("-", "")[:16].upper()
    for one in (first, second):
        assert len(one["serial"]) == 24 and one["serial"].startswith(prefix) and one["serial"] == one["serial"].upper()
    assert int(second["serial"][16:], 16) == int(first["serial"][16:], 16) + 1


@pytest.mark.parametrize("name", ["a.b", "-a", "a-", "1234", "a" * 64, "a b", "ä"])
def test_bad_names_are_refused_with_the_vendors_text(array, name):
    error = refused(array.volume, name)
    assert error.status == 400 and error.message.startswith("Volume name must be between 1 and 63 characters (alphanumeric, _ and -)")


@pytest.mark.parametrize("size", [1000, 0, 1 << 60])
def test_bad_sizes_are_refused(array, size):
    assert refused(array.volume, "bad-size", size).status == 400


def test_a_batch_is_all_or_nothing(array):
    array.volume("batch-2")
    assert refused(array.post, "/volumes", {"provisioned": GIB}, names="batch-1,batch-2").errors[0]["context"] == "batch-2"
    assert not array.get("/volumes", filter="name='batch-1'")


def test_names_are_taken_whatever_their_case(array):
    array.volume("CaseTest")
    assert refused(array.volume, "casetest").message == "Volume already exists."
    assert array.one("/volumes", names="casetest")["name"] == "CaseTest"


def test_life_and_death_of_a_volume(array):
    made = array.volume("mortal")
    assert refused(array.delete, "/volumes", names="mortal").status == 400
    gone = array.patch("/volumes", {"destroyed": True}, names="mortal")[0]
    assert gone["destroyed"] and 0 < gone["time_remaining"] <= 86400000
    assert "already exists" in refused(array.volume, "mortal").message
    assert refused(array.patch, "/volumes", {"destroyed": True}, names="mortal").message == "Volume has been destroyed."
    assert not array.get("/volumes", filter="name='mortal'", destroyed="false")
    assert array.get("/volumes", filter="name='mortal'", destroyed="true")
    assert array.patch("/volumes", {"destroyed": False}, names="mortal")[0]["id"] == made["id"]
    array.patch("/volumes", {"destroyed": True}, names="mortal")
    array.delete("/volumes", names="mortal")
    assert refused(array.get, "/volumes", names="mortal").message == "Volume does not exist."


def test_rename_keeps_id_and_serial_and_takes_the_snapshots_along(array):
    made = array.volume("before")
    array.post("/volume-snapshots", {"suffix": "snap"}, source_names="before")
    after = array.patch("/volumes", {"name": "after"}, names="before")[0]
    assert (after["id"], after["serial"], after["name"]) == (made["id"], made["serial"], "after")
    assert array.one("/volume-snapshots", names="after.snap")["source"]["name"] == "after"
    error = refused(array.patch, "/volumes", {"name": "x", "destroyed": True}, names="after")
    assert error.message == "Invalid combination of parameters specified."
    assert refused(array.patch, "/volumes", {}, names="after").message == "No attribute specified."


def test_growing_and_shrinking(array):
    array.volume("sized", 4 * GIB)
    array.connect("sized")
    serial = array.one("/volumes", names="sized")["serial"]
    array.write(serial, 3 * GIB, b"tail")
    assert refused(array.patch, "/volumes", {"provisioned": GIB}, names="sized").status == 400
    array.patch("/volumes", {"provisioned": GIB}, names="sized", truncate="true")
    assert refused(array.write, serial, GIB, b"x").body["error"] == "out-of-range"
    array.patch("/volumes", {"provisioned": 4 * GIB}, names="sized")
    assert array.read(serial, 3 * GIB, 4) == bytes(4)
    undo = array.get("/volume-snapshots", source_names="sized", destroyed="true")
    assert array.bytes_of(undo[0]["name"], 3 * GIB, 4) == b"tail"


def test_clone_snapshot_overwrite_hold_the_right_bytes(array):
    array.volume("origin")
    array.connect("origin")
    serial = array.one("/volumes", names="origin")["serial"]
    array.write(serial, 0, b"first")
    array.post("/volume-snapshots", {"suffix": "s1"}, source_names="origin")
    array.write(serial, 0, b"SECON")
    clone = array.post("/volumes", {"source": {"name": "origin.s1"}}, names="from-snap")[0]
    array.post("/volumes", {"source": {"name": "origin"}}, names="from-vol")
    assert clone["serial"] != serial and clone["source"]["name"] == "origin.s1"
    assert array.bytes_of("from-snap", 0, 5) == b"first" and array.bytes_of("from-vol", 0, 5) == b"SECON"
    back = array.post("/volumes", {"source": {"name": "origin.s1"}}, names="origin", overwrite="true",
                      with_default_protection="false")[0]
    assert back["serial"] == serial and array.read(serial, 0, 5) == b"first"
    undo = array.get("/volume-snapshots", source_names="origin", destroyed="true")
    assert len(undo) == 1 and array.bytes_of(undo[0]["name"], 0, 5) == b"SECON"
    assert array.bytes_of("from-vol", 0, 5) == b"SECON"


def test_snapshot_rules(array):
    array.volume("snapped")
    first = array.post("/volume-snapshots", source_names="snapped")[0]
    second = array.post("/volume-snapshots", source_names="snapped")[0]
    assert int(second["suffix"]) == int(first["suffix"]) + 1
    assert refused(array.post, "/volume-snapshots", {"suffix": "123"}, source_names="snapped").message.startswith("Snapshot suffix must be")
    array.post("/volume-snapshots", {"suffix": "a-1"}, source_names="snapped")
    assert "already exists" in refused(array.post, "/volume-snapshots", {"suffix": "a-1"}, source_names="snapped").message
    assert array.patch("/volume-snapshots", {"name": "snapped.a-2"}, names="snapped.a-1")[0]["suffix"] == "a-2"
    assert array.patch("/volume-snapshots", {"name": "a-3"}, names="snapped.a-2")[0]["name"] == "snapped.a-3"
    array.patch("/volume-snapshots", {"destroyed": True}, names="snapped.a-3")
    assert "destroyed" in refused(array.post, "/volumes", {"source": {"name": "snapped.a-3"}}, names="nope").message
    assert "No such volume or snapshot" in refused(array.post, "/volumes", {"source": {"name": "snapped.zz"}}, names="nope").message


def test_tags_come_and_go(array):
    array.volume("tagged")
    for value in ("one", "two"):
        array.call("PUT", "/volumes/tags/batch", {"resource_names": "tagged"},
                   [{"key": "owner", "value": value, "namespace": "test.example", "copyable": True}])
    tags = array.get("/volumes/tags", resource_names="tagged", namespaces="test.example")
    assert [(t["key"], t["value"]) for t in tags] == [("owner", "two")]
    assert array.get("/volumes/tags", resource_names="tagged") == []
    array.post("/volumes", {"source": {"name": "tagged"}}, names="tagged-copy")
    assert array.get("/volumes/tags", resource_names="tagged-copy", namespaces="*")
    assert [v["name"] for v in array.get("/volumes", filter="tags('owner','two') and name='tagged'")] == ["tagged"]
    array.delete("/volumes/tags", resource_names="tagged", namespaces="test.example", keys="owner")
    assert array.get("/volumes/tags", resource_names="tagged", namespaces="*") == []


def test_hosts_own_their_initiators(array):
    array.post("/hosts", {"iqns": ["iqn.x:1"]}, names="own-1")
    error = refused(array.post, "/hosts", {"iqns": ["iqn.x:1"]}, names="own-2")
    assert "already in use" in error.message and error.errors[0]["context"] == "own-2"
    assert "already exists" in refused(array.post, "/hosts", names="own-1").message
    assert [h["name"] for h in array.get("/hosts", filter="iqns='iqn.x:1' and is_local")] == ["own-1"]
    array.patch("/hosts", {"add_iqns": ["iqn.x:2"], "remove_iqns": ["iqn.x:1"]}, names="own-1")
    assert array.one("/hosts", names="own-1")["iqns"] == ["iqn.x:2"]
    array.post("/hosts", {"iqns": ["iqn.x:1"]}, names="own-2")


def test_luns_of_hosts_and_groups(array):
    array.post("/hosts", names="lun-h")
    for i in range(3):
        array.volume(f"lun-{i}")
    assert [array.post("/connections", host_names="lun-h", volume_names=f"lun-{i}")[0]["lun"] for i in range(3)] == [1, 2, 3]
    array.delete("/connections", host_names="lun-h", volume_names="lun-1")
    assert array.post("/connections", host_names="lun-h", volume_names="lun-1")[0]["lun"] == 2
    error = refused(array.post, "/connections", host_names="lun-h", volume_names="lun-1")
    assert error.errors == [{"context": "lun-1", "message": "Connection already exists."}]
    assert "existing connections" in refused(array.delete, "/hosts", names="lun-h").message
    assert "existing connections" in refused(array.patch, "/volumes", {"destroyed": True}, names="lun-1").message
    assert refused(array.delete, "/connections", host_names="own-1", volume_names="lun-1").message == "Connection does not exist."
    array.post("/host-groups", names="lun-hg")
    array.volume("lun-s")
    assert array.post("/connections", host_group_names="lun-hg", volume_names="lun-s")[0] == {
        "host": {"name": None}, "host_group": {"name": "lun-hg"}, "lun": 254, "protocol_endpoint": {"id": None, "name": None},
        "volume": {"id": array.one("/volumes", names="lun-s")["id"], "name": "lun-s"}}
    array.post("/hosts", names="lun-g1")
    array.post("/hosts", names="lun-g2")
    array.post("/host-groups/hosts", group_names="lun-hg", member_names="lun-g1,lun-g2")
    rows = array.get("/connections", volume_names="lun-s")
    assert [(r["host"]["name"], r["host_group"]["name"], r["lun"]) for r in rows] == [("lun-g1", "lun-hg", 254), ("lun-g2", "lun-hg", 254)]
    assert array.one("/volumes", names="lun-s")["connection_count"] == 2


def test_the_data_plane_lets_in_only_connected_initiators(array):
    made = array.volume("guarded")
    assert refused(array.write, made["serial"], 0, b"x").body["error"] == "not-connected"
    assert refused(array.write, "0" * 24, 0, b"x").body["error"] == "no-such-volume"
    array.connect("guarded")
    assert array.write(made["serial"], 0, b"x") == {"written": 1}
    assert refused(array.write, made["serial"], 0, b"x", initiator="iqn.other:1").body["error"] == "not-connected"
    array.delete("/connections", host_names="host1", volume_names="guarded")
    assert refused(array.write, made["serial"], 0, b"x").body["error"] == "not-connected"
    assert refused(array.read, made["serial"], 0, 1).body["error"] == "not-connected"


def test_writev_answers_for_each_item(array):
    one = array.volume("batch-io")
    array.connect("batch-io")
    items = [(one["serial"], 0, b"aaaa"), ("F" * 24, 0, b"bb"), (one["serial"], GIB - 1, b"zz"), (one["serial"], 2, b"CC")]
    body = b"".join(b'{"initiator":"%s","serial":"%s","offset":%d,"length":%d}\n' % (INITIATOR.encode(), s.encode(), o, len(d)) + d
                    for s, o, d in items)
    results = array.sim("POST", "/sim/io/writev", body)["results"]
    assert [(r["status"], r.get("error")) for r in results] == [(200, None), (409, "no-such-volume"), (409, "out-of-range"), (200, None)]
    assert array.read(one["serial"], 0, 4) == b"aaCC"
    assert array.sim_raw("POST", "/sim/io/writev", body[:-1])[0] == 400
    assert array.sim_raw("POST", "/sim/io/writev", b"garbage")[0] == 400


def test_a_petabyte_costs_nothing_until_it_is_written(array):
    made = array.volume("huge", 1 << 50)
    array.connect("huge")
    before = array.sim("GET", "/sim/state")["blocks_in_use"]
    array.write(made["serial"], (1 << 50) - 10, b"x" * 10)
    assert array.sim("GET", "/sim/state")["blocks_in_use"] == before + 1
    assert array.read(made["serial"], (1 << 50) - 20, 20) == bytes(10) + b"x" * 10
    array.write(made["serial"], (1 << 50) - 10, bytes(10))
    assert array.sim("GET", "/sim/state")["blocks_in_use"] == before


def test_random_writes_read_back(array):
    import random
    rng = random.Random(7)
    made = array.volume("random", 1 << 20)
    array.connect("random")
    mirror = bytearray(1 << 20)
    for _ in range(60):
        offset = rng.randrange(0, (1 << 20) - 1)
        data = os.urandom(min(rng.randrange(1, 20000), (1 << 20) - offset))
        array.write(made["serial"], offset, data)
        mirror[offset:offset + len(data)] = data
    assert array.bytes_of("random", 0, 1 << 20) == bytes(mirror)


def test_volume_groups_and_pods_are_part_of_the_name(array):
    array.post("/volume-groups", names="vg1")
    array.volume("vg1/inside")
    array.post("/pods", names="pod1")
    array.volume("pod1::inside")
    assert array.one("/volumes", names="vg1/inside")["volume_group"]["name"] == "vg1"
    assert array.one("/volumes", names="pod1::inside")["pod"]["name"] == "pod1"
    assert "Pod does not exist" in refused(array.volume, "nopod::x").message
    array.volume("mover")
    array.patch("/volumes", {"pod": {"name": "pod1"}}, names="mover")
    array.patch("/volumes", {"pod": {"name": ""}}, names="pod1::mover")
    assert array.one("/volumes", names="mover")["pod"] == {"id": None, "name": None}
    assert "not empty" in refused(array.patch, "/pods", {"destroyed": True}, names="pod1").message
    array.patch("/pods", {"destroyed": True}, names="pod1", destroy_contents="true")
    assert array.one("/volumes", names="pod1::inside")["destroyed"]


def test_destroyed_things_go_after_a_day(fresh_array):
    fresh_array.volume("short-lived")
    fresh_array.patch("/volumes", {"destroyed": True}, names="short-lived")
    fresh_array.sim("POST", "/sim/advance", {"ms": 86400001})
    fresh_array.token = None
    from fasim import until
    until(lambda: not fresh_array.get("/volumes"), what="eradication")


def test_performance_lists_are_never_empty(array):
    assert array.get("/arrays/performance", start_time=1, end_time=60000, resolution=30000)
    assert array.get("/arrays/performance")


def test_default_protection_takes_new_volumes_unless_told_not_to(fresh_array):
    a = fresh_array
    a.post("/protection-groups", names="default-pg")
    a.patch("/container-default-protections", {"default_protections": [{"name": "default-pg", "type": "protection_group"}]}, names="")
    a.volume("protected")
    a.volume("drill", with_default_protection="false")
    assert [m["member"]["name"] for m in a.get("/protection-groups/volumes", group_names="default-pg")] == ["protected"]
