"""kill -9, restarts, faults: what was acknowledged is there, what was cut may be either, nothing is damaged."""
import http.client
import os
import random
import threading

import pytest

from fasim import Array, Refused, until


def test_everything_survives_a_kill(fresh_array):
    a = fresh_array
    made = a.volume("kept")
    a.connect("kept")
    a.write(made["serial"], 4000, b"across two blocks" * 20)
    a.post("/volume-snapshots", {"suffix": "s1"}, source_names="kept")
    a.write(made["serial"], 4000, b"ACROSS")
    a.post("/protection-groups", names="pg")
    a.post("/protection-groups/volumes", group_names="pg", member_names="kept")
    a.post("/pods", names="pod")
    a.volume("pod::v")
    key = a.get("/array-connections/connection-key")
    before = a.sim("GET", "/sim/state")
    journal = a.sim("GET", "/sim/journal")["entries"]
    sums = a.checksum("kept"), a.checksum("kept.s1")
    identity = a.id, (a.state_dir / "cert.pem").read_bytes()
    for _ in range(2):
        a.kill()
        a.start()
        after = a.sim("GET", "/sim/state")
        for kind in before:
            if kind not in ("clock", "array_connections"):
                assert after[kind] == before[kind], kind
        assert (a.checksum("kept"), a.checksum("kept.s1")) == sums
        assert (a.id, (a.state_dir / "cert.pem").read_bytes()) == identity
        assert a.get("/array-connections/connection-key") == key
        assert a.sim("GET", "/sim/journal")["entries"] == journal
        a.sim("POST", "/sim/checkpoint")
    assert a.volume("next")["serial"] > made["serial"]


def test_a_kill_under_load_loses_no_acknowledged_write(fresh_array):
    a = fresh_array
    made = a.volume("loaded", 64 << 20)
    a.connect("loaded")
    rng = random.Random(3)
    for round_number in range(4):
        acknowledged, stop = {}, threading.Event()

        def write(lane):
            number = 0
            while not stop.is_set():
                offset = (lane * 100 + number % 100) * 5000
                data = f"{round_number}/{lane}/{number}".encode().ljust(64, b".")
                try:
                    a.write(made["serial"], offset, data)
                except (OSError, http.client.HTTPException):
                    acknowledged[offset] = (acknowledged.get(offset), data)  # unknown: the old or the new
                    return
                acknowledged[offset] = data
                number += 1

        lanes = [threading.Thread(target=write, args=(lane,)) for lane in range(4)]
        for lane in lanes:
            lane.start()
        until(lambda: len(acknowledged) > 60 + rng.randrange(60), what="some writes")
        a.kill()
        stop.set()
        for lane in lanes:
            lane.join()
        if round_number == 2:  # a torn tail, as a process killed while writing leaves it
            log = sorted(a.state_dir.glob("journal-*.log"))[-1]
            with open(log, "ab") as stream:
                stream.write(os.urandom(37))
        a.start()
        for offset, data in acknowledged.items():
            allowed = data if isinstance(data, tuple) else (data,)
            flat = [x for item in allowed for x in (item if isinstance(item, tuple) else (item,))]
            found = a.bytes_of("loaded", offset, 64)
            assert found in flat or (None in flat), (offset, found)


def test_two_processes_do_not_share_a_directory(fresh_array):
    second = Array("array-a", "127.0.93.210", fresh_array.state_dir)
    with pytest.raises(AssertionError):
        second.start()
    assert second.process.wait(timeout=10) == 1


def test_faults_hit_what_they_match_and_nothing_else(fresh_array):
    a = fresh_array
    a.fault("error", {"method": "POST", "path": "/volumes", "param": {"names": "bad-*"}}, status=503, message="Busy.")
    a.volume("good-1")
    with pytest.raises(Refused) as error:
        a.volume("bad-1")
    assert (error.value.status, error.value.message) == (503, "Busy.")
    assert a.sim("GET", "/sim/faults")["faults"][0]["hits"] == 1
    a.sim("DELETE", "/sim/faults")
    a.volume("bad-1")


def test_the_nth_match_only(fresh_array):
    a = fresh_array
    a.fault("error", {"method": "POST", "path": "/api/2.26/volumes", "nth": 2}, status=500)
    a.volume("n-1")
    with pytest.raises(Refused):
        a.volume("n-2")
    a.volume("n-3")


@pytest.mark.parametrize("action,executed", [("cut_before", False), ("execute_then_cut", True)])
def test_a_cut_gives_no_answer(fresh_array, action, executed):
    a = fresh_array
    a.login()
    a.fault(action, {"method": "POST", "path": "/volumes"}, count=1)
    with pytest.raises((http.client.HTTPException, OSError)):
        a.volume("cut")
    assert bool(a.get("/volumes", filter="name='cut'")) is executed
    last = a.sim("GET", "/sim/journal")["entries"][-1]
    assert last["fault"] == action and last["status"] == (200 if executed else None)
    a.kill()
    a.start()
    assert bool(a.get("/volumes", filter="name='cut'")) is executed


def test_a_write_may_be_executed_and_its_answer_lost(fresh_array):
    a = fresh_array
    made = a.volume("io")
    a.connect("io")
    a.fault("execute_then_cut", {"plane": "io", "path": "/sim/io/write"}, count=1)
    with pytest.raises((http.client.HTTPException, OSError)):
        a.write(made["serial"], 0, b"lost answer")
    assert a.read(made["serial"], 0, 11) == b"lost answer"


def test_too_many_requests_carry_both_headers(fresh_array):
    a = fresh_array
    a.login()
    a.fault("error", {"path": "/volumes"}, status=429, message="Too many requests.")
    status, headers, _ = a.raw("GET", "/volumes", headers={"x-auth-token": a.token})
    assert status == 429 and headers["X-RateLimit-Limit-minute"] and headers["X-RateLimit-Remaining-minute"] == "0"


def test_a_black_hole_swallows_until_the_fault_goes(fresh_array):
    a = fresh_array
    a.login()
    fault = a.fault("black_hole", {"path": "/volumes"})
    result = []

    def ask():
        try:
            a.get("/volumes")
        except (http.client.HTTPException, OSError):
            result.append("cut")

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: a.sim("GET", "/sim/faults")["faults"][0]["hits"] == 1, what="the hit")
    assert not result
    a.sim("DELETE", f"/sim/faults?id={fault}")
    asking.join(10)
    assert result == ["cut"]


def test_a_malformed_fault_is_refused(fresh_array):
    for wrong in ({"action": "explode"}, {"match": {"path": "regex:("}, "action": "error"}, [], {"match": 3}):
        with pytest.raises(Refused) as error:
            fresh_array.sim("POST", "/sim/faults", wrong)
        assert error.value.status == 400
    assert fresh_array.sim("GET", "/sim/faults")["faults"] == []


def test_power_off_and_on(fresh_array):
    a = fresh_array
    made = a.volume("v")
    a.connect("v")
    a.sim("POST", "/sim/power", {"state": "off"})
    with pytest.raises((http.client.HTTPException, OSError)):
        a.get("/volumes")
    with pytest.raises((http.client.HTTPException, OSError)):
        a.write(made["serial"], 0, b"x")
    a.sim("POST", "/sim/power", {"state": "on"})
    with pytest.raises(Refused) as error:
        a.get("/volumes")
    assert error.value.status == 401  # sessions are gone, as after any restart
    a.token = None
    assert a.get("/volumes")


def test_the_journal_tells_what_a_request_did(fresh_array):
    a = fresh_array
    a.volume("told")
    with pytest.raises(Refused):
        a.volume("told")
    first, second = a.sim("GET", "/sim/journal")["entries"]
    assert first["method"] == "POST" and first["params"] == {"names": "told"} and first["status"] == 200
    assert [(e["op"], e["kind"], e["name"]) for e in first["effect"]] == [("put", "volumes", "told")]
    assert second["status"] == 400 and second["effect"] == []
    assert [e["seq"] for e in a.sim("GET", f"/sim/journal?since={first['seq']}")["entries"]] == [second["seq"]]
