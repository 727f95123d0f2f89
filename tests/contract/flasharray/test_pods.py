"""ActiveDR and ActiveCluster pods between two real processes."""
import os

import pytest

from fasim import Refused, until

MIB = 1 << 20


def refused(call, *args, **kwargs):
    with pytest.raises(Refused) as error:
        call(*args, **kwargs)
    return error.value


def link_pods(a, b, name, volumes=("v1", "v2")):
    """A replicating ActiveDR link of pods name -> name-t; gives the serials of the source volumes."""
    a.post("/pods", names=name)
    serials = {}
    for volume in volumes:
        serials[volume] = a.volume(f"{name}::{volume}", 64 * MIB)["serial"]
        a.connect(f"{name}::{volume}")
        a.write(serials[volume], 0, os.urandom(20000))
    b.post("/pods", names=f"{name}-t")
    b.patch("/pods", {"requested_promotion_state": "demoted"}, names=f"{name}-t")
    a.post("/pod-replica-links", local_pod_names=name, remote_pod_names=f"{name}-t", remote_names="array-b")
    until(lambda: link(a, name)["status"] == "replicating" and link(b, f"{name}-t")["status"] == "replicating", what="replicating")
    return serials


def link(array, pod):
    return array.one("/pod-replica-links", local_pod_names=pod)


def pod(array, name):
    return array.one("/pods", names=name)


def promotion(array, name, state):
    until(lambda: pod(array, name)["promotion_status"] == state, what=f"{name} {state}")


def in_step(a, b, name, volumes=("v1", "v2"), source="", target="-t"):
    def same(volume):
        try:
            return a.checksum(f"{name}{source}::{volume}") == b.checksum(f"{name}{target}::{volume}")
        except Refused as refusal:  # a new volume comes with the next transfer
            if refusal.body.get("error") != "no-such-volume":
                raise
            return False
    until(lambda: all(same(volume) for volume in volumes), what="the bytes")


def test_a_link_replicates_continuously_into_read_only_volumes(pair):
    a, b = pair
    serials = link_pods(a, b, "adr1")
    in_step(a, b, "adr1")
    ours, theirs = link(a, "adr1"), link(b, "adr1-t")
    assert ours["id"] == theirs["id"] and (ours["direction"], theirs["direction"]) == ("outbound", "inbound")
    assert ours["recovery_point"] and ours["lag"] < 5000
    target = b.one("/volumes", names="adr1-t::v1")
    assert target["serial"] != serials["v1"] and target["promotion_status"] == "demoted"
    assert (pod(a, "adr1")["link_source_count"], pod(b, "adr1-t")["link_target_count"]) == (1, 1)
    b.connect("adr1-t::v1")
    assert refused(b.write, target["serial"], 0, b"x").body["error"] == "read-only"
    assert refused(b.volume, "adr1-t::new").status == 400
    a.write(serials["v1"], 30000, b"more")
    a.volume("adr1::v3", 4 * MIB)
    in_step(a, b, "adr1", ("v1", "v2", "v3"))
    assert b.one("/volumes", names="adr1-t::v1")["serial"] == target["serial"]


def test_planned_failover_sends_everything_and_the_link_turns(pair):
    a, b = pair
    serials = link_pods(a, b, "adr2")
    a.write(serials["v1"], 50000, b"last write before the demote")
    before = a.checksum("adr2::v1")
    assert refused(a.patch, "/pods", {"requested_promotion_state": "demoted"}, names="adr2").status == 400
    a.patch("/pods", {"requested_promotion_state": "demoted"}, names="adr2", quiesce="true")
    assert refused(a.write, serials["v1"], 0, b"x").body["error"] == "read-only"
    promotion(a, "adr2", "demoted")
    until(lambda: link(a, "adr2")["status"] == "quiesced", what="quiesced")
    b.patch("/pods", {"requested_promotion_state": "promoted"}, names="adr2-t")
    promotion(b, "adr2-t", "promoted")
    assert b.checksum("adr2-t::v1") == before
    until(lambda: link(b, "adr2-t")["direction"] == "outbound" and link(a, "adr2")["direction"] == "inbound", what="the turn")
    b.connect("adr2-t::v1")
    target = b.one("/volumes", names="adr2-t::v1")["serial"]
    b.write(target, 1000, b"on the other side")
    until(lambda: b.checksum("adr2-t::v1") == a.checksum("adr2::v1"), what="replication back")
    assert a.one("/volumes", names="adr2::v1")["serial"] == serials["v1"]
    # And home again.
    b.patch("/pods", {"requested_promotion_state": "demoted"}, names="adr2-t", quiesce="true")
    promotion(b, "adr2-t", "demoted")
    a.patch("/pods", {"requested_promotion_state": "promoted"}, names="adr2")
    promotion(a, "adr2", "promoted")
    assert a.read(serials["v1"], 1000, 17) == b"on the other side"
    until(lambda: link(a, "adr2")["direction"] == "outbound" and link(a, "adr2")["status"] == "replicating", what="the turn back")
    a.write(serials["v2"], 0, b"home")
    in_step(a, b, "adr2")


def test_a_demote_leaves_an_undo_pod(pair):
    a, _ = pair
    a.post("/pods", names="undo")
    serial = a.volume("undo::v", 4 * MIB)["serial"]
    a.connect("undo::v")
    a.write(serial, 0, b"kept")
    a.patch("/pods", {"requested_promotion_state": "demoted"}, names="undo")
    copy = pod(a, "undo.undo-demote")
    assert copy["destroyed"] and copy["time_remaining"] > 0
    assert refused(a.write, serial, 0, b"x").body["error"] == "read-only"
    a.patch("/pods", {"requested_promotion_state": "promoted"}, names="undo", promote_from="undo.undo-demote")
    promotion(a, "undo", "promoted")
    assert a.read(serial, 0, 4) == b"kept"


def test_a_test_failover_keeps_replicating_and_throws_the_drill_away(pair):
    a, b = pair
    serials = link_pods(a, b, "adr3")
    b.patch("/pods", {"requested_promotion_state": "promoted"}, names="adr3-t")
    promotion(b, "adr3-t", "promoted")
    b.connect("adr3-t::v1")
    target = b.one("/volumes", names="adr3-t::v1")["serial"]
    b.write(target, 0, b"drill")
    a.write(serials["v1"], 0, b"production")
    point = link(a, "adr3")["recovery_point"]
    until(lambda: link(b, "adr3-t")["recovery_point"] > point, what="the journal at the target")
    assert b.read(target, 0, 5) == b"drill"
    assert link(a, "adr3")["direction"] == "outbound"
    b.patch("/pods", {"requested_promotion_state": "demoted"}, names="adr3-t")
    promotion(b, "adr3-t", "demoted")
    in_step(a, b, "adr3")
    assert b.bytes_of("adr3-t::v1", 0, 10) == b"production"


def test_unplanned_failover_and_the_return_of_the_source(fresh_pair):
    a, b = fresh_pair
    serials = link_pods(a, b, "p", ("v1",))
    in_step(a, b, "p", ("v1",))
    b.sim("POST", "/sim/link", {"peer": "array-a", "state": "cut"})
    until(lambda: link(a, "p")["status"] == "unhealthy", what="unhealthy")
    a.write(serials["v1"], 0, b"never sent")
    a.kill()
    b.sim("POST", "/sim/link", {"peer": "array-a", "state": "up"})
    until(lambda: link(b, "p-t")["status"] == "unhealthy", what="unhealthy at the target")
    assert link(b, "p-t")["recovery_point"]
    b.patch("/pods", {"requested_promotion_state": "promoted"}, names="p-t")
    promotion(b, "p-t", "promoted")
    b.connect("p-t::v1")
    target = b.one("/volumes", names="p-t::v1")["serial"]
    assert b.read(target, 0, 10) != b"never sent"
    b.write(target, 8192, b"after the disaster")
    a.start()
    # Both promoted now. The old source gives way; what it never sent is in its undo pod only.
    a.patch("/pods", {"requested_promotion_state": "demoted"}, names="p", skip_quiesce="true")
    promotion(a, "p", "demoted")
    until(lambda: link(b, "p-t")["direction"] == "outbound", what="the turn")
    until(lambda: a.checksum("p::v1") == b.checksum("p-t::v1"), what="the bytes")
    assert a.bytes_of("p::v1", 8192, 18) == b"after the disaster"
    assert a.bytes_of("p.undo-demote::v1", 0, 10) == b"never sent"


def test_pause_and_delete_of_a_link(pair):
    a, b = pair
    serials = link_pods(a, b, "adr4", ("v1",))
    in_step(a, b, "adr4", ("v1",))
    a.patch("/pod-replica-links", {"paused": True}, local_pod_names="adr4", remote_pod_names="adr4-t")
    assert link(a, "adr4")["status"] == "paused"
    a.write(serials["v1"], 0, b"while paused")
    until(lambda: link(b, "adr4-t")["status"] == "paused", what="paused at the target")
    assert b.bytes_of("adr4-t::v1", 0, 12) != b"while paused"
    assert refused(a.patch, "/pods", {"destroyed": True}, names="adr4", destroy_contents="true").status == 400
    a.patch("/pod-replica-links", {"paused": False}, local_pod_names="adr4", remote_pod_names="adr4-t")
    in_step(a, b, "adr4", ("v1",))
    a.delete("/pod-replica-links", local_pod_names="adr4", remote_pod_names="adr4-t")
    until(lambda: b.get("/pod-replica-links", local_pod_names="adr4-t") == [], what="the other half gone")
    b.patch("/pods", {"requested_promotion_state": "promoted"}, names="adr4-t")
    promotion(b, "adr4-t", "promoted")
    assert b.checksum("adr4-t::v1") == a.checksum("adr4::v1")


def test_links_refuse_what_cannot_be_linked(pair):
    a, b = pair
    a.post("/pods", names="bad1")
    b.post("/pods", names="bad1-t")
    params = {"local_pod_names": "bad1", "remote_pod_names": "bad1-t", "remote_names": "array-b"}
    assert "demoted" in refused(a.post, "/pod-replica-links", **params).message
    assert "does not exist" in refused(a.post, "/pod-replica-links", **{**params, "remote_pod_names": "none"}).message
    assert "does not exist" in refused(a.post, "/pod-replica-links", **{**params, "local_pod_names": "none"}).message
    assert a.get("/pod-replica-links", local_pod_names="bad1") == []
    assert refused(a.get, "/pod-replica-links", local_pod_names="none").message == "Pod does not exist."


def test_quiescing_can_be_aborted(fresh_pair):
    a, b = fresh_pair
    serials = link_pods(a, b, "q", ("v1",))
    a.sim("POST", "/sim/link", {"peer": "array-b", "state": "cut"})
    a.patch("/pods", {"requested_promotion_state": "demoted"}, names="q", quiesce="true")
    assert pod(a, "q")["promotion_status"] == "demoting"
    a.patch("/pods", {"requested_promotion_state": "promoted"}, names="q", abort_quiesce="true")
    assert pod(a, "q")["promotion_status"] == "promoted"
    a.write(serials["v1"], 0, b"goes on")


# -- ActiveCluster ------------------------------------------------------------------------------------------------------


def statuses(array, name):
    return {one["name"]: one["status"] for one in pod(array, name)["arrays"]}


def stretch(a, b, name):
    a.post("/pods", names=name)
    serial = a.volume(f"{name}::v", 64 * MIB)["serial"]
    for one in (a,):
        one.connect(f"{name}::v")
    a.write(serial, 0, os.urandom(100000))
    a.post("/pods/arrays", group_names=name, member_names="array-b")
    for one in (a, b):
        until(lambda: set(statuses(one, name).values()) == {"online"} and len(statuses(one, name)) == 2, what="both online")
    b.connect(f"{name}::v")
    return serial


def test_a_stretched_pod_is_the_same_on_both_arrays(pair):
    a, b = pair
    serial = stretch(a, b, "ac1")
    ours, theirs = a.one("/volumes", names="ac1::v"), b.one("/volumes", names="ac1::v")
    assert (ours["serial"], ours["id"]) == (theirs["serial"], theirs["id"]) and ours["serial"] == serial
    a.write(serial, 5, b"from a")
    assert b.read(serial, 5, 6) == b"from a"  # at once: it was there before the write was answered
    b.write(serial, 200000, b"from b")
    assert a.read(serial, 200000, 6) == b"from b"
    for number in range(20):
        (a, b)[number % 2].write(serial, 300000 + number * 100, f"turn {number}".encode())
    assert a.checksum("ac1::v") == b.checksum("ac1::v")
    b.volume("ac1::made-on-b", 4 * MIB)
    until(lambda: a.get("/volumes", filter="name='ac1::made-on-b'"), what="the volume made on the other side")
    assert pod(a, "ac1")["array_count"] == 2
    a.delete("/pods/arrays", group_names="ac1", member_names="array-b")
    assert set(statuses(a, "ac1")) == {"array-a"}
    until(lambda: b.get("/pods", filter="name='ac1.restretch'", destroyed="true"), what="the copy that is left")
    assert not b.get("/pods", filter="name='ac1'")


def test_the_survivor_goes_on_and_the_other_is_brought_up_to_date(fresh_pair):
    a, b = fresh_pair
    serial = stretch(a, b, "ac")
    a.kill()
    until(lambda: statuses(b, "ac")["array-a"] == "unknown", what="the loss noticed")
    assert statuses(b, "ac")["array-b"] == "online"
    b.write(serial, 0, b"alone")
    a.start()
    assert statuses(a, "ac")["array-a"] != "online" or a.bytes_of("ac::v", 0, 5) == b"alone"
    for one in (a, b):
        until(lambda: set(statuses(one, "ac").values()) == {"online"}, what="both online again")
    assert a.bytes_of("ac::v", 0, 5) == b"alone"
    a.write(serial, 100, b"together")
    assert b.read(serial, 100, 8) == b"together"


def test_a_cut_link_leaves_exactly_one_side_writable(fresh_pair):
    a, b = fresh_pair
    serial = stretch(a, b, "ac")
    a.sim("POST", "/sim/link", {"peer": "array-b", "state": "cut"})
    a.write(serial, 0, b"goes on")  # the one that made the pod wins
    until(lambda: statuses(b, "ac")["array-b"] == "offline", what="the other side frozen")
    assert refused(b.write, serial, 0, b"split").body["error"] == "read-only"
    frozen = {one["name"]: one["frozen_at"] for one in pod(b, "ac")["arrays"]}
    assert frozen["array-b"]
    a.sim("POST", "/sim/link", {"peer": "array-b", "state": "up"})
    until(lambda: set(statuses(b, "ac").values()) == {"online"} and set(statuses(a, "ac").values()) == {"online"}, what="both online")
    assert b.read(serial, 0, 7) == b"goes on"


def test_a_forced_state_is_shown_until_it_is_taken_away(pair):
    a, b = pair
    stretch(a, b, "ac3")
    a.sim("POST", "/sim/pods/ac3/degrade", {"status": "offline", "array": "array-b", "mediator_status": "unreachable"})
    assert statuses(a, "ac3")["array-b"] == "offline"
    a.sim("POST", "/sim/pods/ac3/degrade", {})
    assert statuses(a, "ac3")["array-b"] == "online"
