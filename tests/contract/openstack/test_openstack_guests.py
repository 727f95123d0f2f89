"""Guests and the ledger: numbering over restarts, clones, detaching, what survives kill -9."""
import concurrent.futures

import pytest

import cloud


def ledger(site, **query):
    return site.sim("GET", "/sim/ledger?" + "&".join(f"{k}={v}" for k, v in query.items())).json


def last(site, server):
    rows = [v for v in ledger(site, server_id=server)["volumes"] if v["last_acknowledged"]]
    return rows[-1]["last_acknowledged"]["sequence"] if rows else 0


def writes(site, server, beyond=0):
    return cloud.until("the guest writes", lambda: last(site, server) > beyond and last(site, server))


def check_readback(site, server):
    rows = site.sim("GET", f"/sim/ledger/read?server_id={server}").json["volumes"]
    for row in rows:
        assert "error" not in row, row
        assert row["gaps"] == [] and row["missing_acknowledged"] == [] and row["foreign_writers"] == [] and row["corrupt"] == 0, row
        assert row["interleaved"] is False
    return rows


def test_numbers_go_on_over_stop_and_start(site, demo):
    s = demo.server("counter")["id"]
    writes(site, s)
    demo.action(s, "os-stop")
    demo.wait_server(s, "SHUTOFF")
    stopped = last(site, s)
    demo.action(s, "os-start")
    demo.wait_server(s, "ACTIVE")
    writes(site, s, stopped)
    rows = ledger(site, server_id=s)["volumes"]
    assert rows[0]["found_at_boot"] is None and rows[1]["found_at_boot"]["sequence"] == stopped
    assert rows[0]["lineage"] == rows[1]["lineage"] and rows[0]["writer"] != rows[1]["writer"]
    assert [r["acknowledged"][0]["first"] for r in rows] == [1, stopped + 1]
    assert rows[1]["writers_on_disk"][0]["writer"] == rows[0]["writer"]
    row = check_readback(site, s)[0]
    assert row["first"] == 1 and len(row["writers"]) == 2


def test_a_clone_carries_the_lineage(site, demo):
    s = demo.server("parent")
    writes(site, s["id"], 5)
    demo.action(s["id"], "os-stop")
    demo.wait_server(s["id"], "SHUTOFF")
    end = last(site, s["id"])
    source = s["os-extended-volumes:volumes_attached"][0]["id"]
    clone = demo.volume("clone", source_volid=source)
    t = demo.server("child", clone["id"])["id"]
    writes(site, t)
    parent, child = ledger(site, server_id=s["id"])["volumes"][0], ledger(site, server_id=t)["volumes"][0]
    assert child["lineage"] == parent["lineage"] and child["serial"] != parent["serial"]
    assert child["found_at_boot"]["sequence"] == end
    lineage = ledger(site, lineage=parent["lineage"], detail=1)["lineages"][parent["lineage"]]
    assert [r[0] for r in lineage["records"]][:end] == list(range(1, end + 1))
    middle = lineage["records"][2]
    assert ledger(site, lineage=parent["lineage"], at_ms=middle[1])["lineages"][parent["lineage"]]["at"]["sequence"] >= middle[0]


def test_two_volumes_each_have_their_own(site, demo):
    boot, data = demo.boot_volume("two-boot"), demo.volume("two-data")
    s = demo.server("two", boot["id"], block_device_mapping_v2=[
        {"boot_index": 0, "uuid": boot["id"], "source_type": "volume", "destination_type": "volume"},
        {"boot_index": -1, "uuid": data["id"], "source_type": "volume", "destination_type": "volume"}])["id"]
    cloud.until("both are written", lambda: len([v for v in ledger(site, server_id=s)["volumes"] if v["last_acknowledged"]]) == 2)
    assert len({v["lineage"] for v in ledger(site, server_id=s)["volumes"]}) == 2
    assert len(check_readback(site, s)) == 2


def test_attach_and_detach_while_running(site, demo):
    s = demo.server("hot")["id"]
    v = demo.volume("hot-extra")["id"]
    demo.nova("POST", f"/servers/{s}/os-volume_attachments", {"volumeAttachment": {"volumeId": v}})
    cloud.until("the new disk is written", lambda: any(r["last_acknowledged"] for r in ledger(site, volume_id=v)["volumes"]))
    demo.nova("DELETE", f"/servers/{s}/os-volume_attachments/{v}")
    demo.wait_volume(v, "available")
    rows = ledger(site, volume_id=v)["volumes"]
    assert rows[0]["io_errors"] == 0
    assert rows == ledger(site, volume_id=v)["volumes"]


def test_pause_and_interval(site, demo):
    s = demo.server("paused")["id"]
    writes(site, s)
    assert site.sim("POST", "/sim/guests", {"server_id": s, "paused": True}).status == 200
    at = last(site, s)
    demo.server("ticks")  # time passes
    assert last(site, s) == at
    site.sim("POST", "/sim/guests", {"server_id": s, "paused": False})
    writes(site, s, at)


def test_kill_minus_nine_keeps_what_was_acknowledged(own_site):
    site = own_site("--array", "none", "--guest-interval-ms", "5")
    demo = site.demo()
    s = demo.server("durable")["id"]
    writes(site, s, 20)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda i: demo.cinder("POST", "/volumes", {"volume": {"name": f"v{i}", "size": 1}}), range(40)))
    before = ledger(site, server_id=s)["volumes"][0]["last_acknowledged"]["sequence"]
    entries = site.sim("GET", "/sim/journal?service=cinder").json["entries"]
    site.kill()
    site.start()
    assert demo.nova("GET", f"/servers/{s}").json["server"]["status"] == "ACTIVE"  # the token too
    for answer in made:
        demo.wait_volume(answer.json["volume"]["id"], "available")
    assert len(demo.cinder("GET", "/volumes?limit=100").json["volumes"]) == 41
    after = ledger(site, server_id=s)["volumes"]
    assert after[0]["last_acknowledged"]["sequence"] >= before
    assert site.sim("GET", "/sim/journal?service=cinder").json["entries"][:len(entries)] == entries
    cloud.until("the guest runs again", lambda: len(ledger(site, server_id=s)["volumes"]) == 2)


def test_kill_in_the_middle_of_everything(own_site):
    site = own_site("--array", "none", "--latency", "nova_build=200:300,cinder_create=200:300,nova_delete=300:300")
    demo = site.demo()
    gone = demo.server("gone")["id"]
    volume = demo.boot_volume("boot")["id"]
    building = demo.server("building", volume, wait=None)["id"]
    creating = demo.volume("creating", wait=None)["id"]
    assert demo.nova("DELETE", f"/servers/{gone}").status == 204
    site.kill()
    site.start()
    demo.wait_server(building, "ACTIVE")
    demo.wait_volume(creating, "available")
    demo.wait_server(gone, None)


def test_torn_tail_of_the_journal_is_dropped(own_site):
    site = own_site("--array", "none")
    demo = site.demo()
    v = demo.volume("kept")["id"]
    site.kill()
    with open(site.directory / "cloud" / "state.jsonl", "ab") as f:
        f.write(b'[["volumes","half",9,{"id"')
    with open(site.directory / "cloud" / "ledger.jsonl", "ab") as f:
        f.write(b'["a",0')
    site.start()
    assert demo.cinder("GET", f"/volumes/{v}").status == 200


@pytest.mark.skipif(not cloud.Array.program.exists(), reason="flasharray-sim is not built")
class TestWithTheArray:
    @pytest.fixture
    def pair(self, tmp_path):
        array = cloud.Array(tmp_path, "127.97.250.%d" % (2 + hash(str(tmp_path)) % 250))
        site = cloud.Site(tmp_path / "site", "--guest-interval-ms", "10", array=array)
        yield site, array
        site.process.end()
        array.process.end()

    def test_names_on_the_array(self, pair):
        site, array = pair
        service = site.protector()
        v = service.boot_volume("v")
        name = f"volume-{v['id']}-cinder"
        assert array.volumes()[name]["provisioned"] == 1 << 30
        service.cinder("POST", f"/volumes/{v['id']}/action", {"os-unmanage": {}})
        service.wait_volume(v["id"], None)
        assert name + "-unmanaged" in array.volumes()
        answer = service.cinder("POST", "/manageable_volumes", {"volume": {
            "host": "cinder-a@pure#array-a", "ref": {"source-name": name + "-unmanaged"}, "volume_type": "replicated-async", "bootable": True}})
        managed = service.wait_volume(answer.json["volume"]["id"], "available")
        assert f"volume-{managed['id']}-cinder" in array.volumes() and managed["size"] == 1
        bad = service.cinder("POST", "/manageable_volumes", {"volume": {"host": "cinder-a@pure#array-a", "ref": {"source-name": "nothing"}}})
        service.wait_volume(bad.json["volume"]["id"], "error")
        assert service.cinder("DELETE", f"/volumes/{managed['id']}").status == 202
        service.wait_volume(managed["id"], None)
        assert array.volumes()[f"volume-{managed['id']}-cinder"]["destroyed"] is True  # never eradicated

    def test_guests_write_real_bytes(self, pair):
        site, array = pair
        demo = site.demo()
        s = demo.server("real")
        writes(site, s["id"], 20)
        check_readback(site, s["id"])
        volume = s["os-extended-volumes:volumes_attached"][0]["id"]
        name = f"volume-{volume}-cinder"
        head = cloud.call(array.ip, 9901, "GET", f"/sim/volumes/{name}/bytes?offset={1 << 20}&length=512")
        assert head.raw[:8] == b"PTGLHDR1"
        state = cloud.call(array.ip, 9901, "GET", "/sim/state").json
        assert len(state["connections"]) == 1 and state["hosts"][0]["iqns"] == ["iqn.2004-10.org.openstack:compute-a"]
        demo.nova("DELETE", f"/servers/{s['id']}")
        demo.wait_server(s["id"], None)
        state = cloud.call(array.ip, 9901, "GET", "/sim/state").json
        assert state["connections"] == [] and state["hosts"] == []

    def test_a_fenced_guest_sees_io_errors(self, pair):
        site, array = pair
        demo = site.demo()
        s = demo.server("fenced")["id"]
        writes(site, s)
        rule = cloud.call(array.ip, 9901, "POST", "/sim/faults", {"match": {"plane": "io"}, "action": "error", "status": 409})
        assert rule.status in (200, 201), rule
        row = cloud.until("errors are counted", lambda: [v for v in ledger(site, server_id=s)["volumes"] if v["io_errors"] > 2])[0]
        assert row["last_io_error"]["text"]
        at = last(site, s)
        cloud.call(array.ip, 9901, "DELETE", "/sim/faults")
        writes(site, s, at)
        check_readback(site, s)

    def test_both_killed_and_back(self, pair):
        site, array = pair
        demo = site.demo()
        s = demo.server("back")["id"]
        writes(site, s, 10)
        site.kill()
        acked = None
        site.start()
        rows = cloud.until("it boots again", lambda: (lambda r: r if len(r) == 2 and r[1]["last_acknowledged"] else None)(ledger(site, server_id=s)["volumes"]))
        acked = rows[0]["last_acknowledged"]["sequence"]
        assert rows[1]["found_at_boot"]["sequence"] >= acked
        check_readback(site, s)
