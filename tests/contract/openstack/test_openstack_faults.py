"""The control plane: faults of the transport and of behaviour, journal, latency, quotas."""
import concurrent.futures
import http.client
import time

import pytest

import cloud

pytestmark = pytest.mark.usefixtures("heal")


def names(demo):
    return [v["name"] for v in demo.cinder("GET", "/volumes").json["volumes"]]


def make(demo, name):
    return demo.cinder("POST", "/volumes", {"volume": {"name": name, "size": 1}})


def test_error_then_none(site, demo):
    site.fault(service="cinder", method="POST", path="/v3/*/volumes", action="error", status=503, headers={"Retry-After": "1"}, count=1)
    answer = make(demo, "error")
    assert answer.status == 503 and answer.json["serviceUnavailable"]["code"] == 503 and answer.headers["Retry-After"] == "1"
    assert "error" not in names(demo)
    assert make(demo, "error").status == 202


def test_nth(site, demo):
    site.fault(service="nova", method="GET", path="*/flavors", action="error", status=500, nth=2, count=1)
    assert [demo.nova("GET", "/flavors").status for _ in range(3)] == [200, 500, 200]


def test_a_401_looks_like_an_ended_token(site, demo):
    site.fault(service="nova", action="error", status=401, count=1)
    assert demo.nova("GET", "/servers").json["error"]["title"] == "Unauthorized"


def test_cut_before_does_nothing(site, demo):
    site.fault(service="cinder", method="POST", action="cut_before", count=1)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        make(demo, "cut-before")
    assert "cut-before" not in names(demo)


def test_execute_then_cut_has_done_it(site, demo):
    site.fault(service="cinder", method="POST", body='"name": "cut-after"', action="execute_then_cut", count=1)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        make(demo, "cut-after")
    assert names(demo).count("cut-after") == 1
    entry = [e for e in site.sim("GET", "/sim/journal?service=cinder").json["entries"] if e.get("fault") == "execute_then_cut"][-1]
    assert entry["status"] == 202 and entry["body"]["volume"]["name"] == "cut-after"


def test_black_hole_until_removed(site, demo):
    rule = site.fault(service="cinder", method="POST", action="black_hole")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        held = pool.submit(make, demo, "hole")
        cloud.until("the request is held", lambda: site.sim("GET", "/sim/faults").json["faults"][0]["fired"] == 1)
        assert not held.done()
        assert demo.cinder("GET", "/volumes").status == 200  # others go on
        assert site.sim("DELETE", f"/sim/faults/{rule}").status == 204
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            held.result(10)
    assert "hole" not in names(demo)


def test_delay(site, demo):
    site.fault(service="nova", action="delay", delay_ms=300, count=1)
    started = time.monotonic()
    assert demo.nova("GET", "/flavors").status == 200
    assert time.monotonic() - started >= 0.3


def test_bad_rules_are_refused(site):
    for rule in ({"action": "explode"}, {"behaviour": "sulk"}, {"action": "error", "colour": 1}, [1]):
        assert site.sim("POST", "/sim/faults", rule).status == 400


def test_build_error(site, demo):
    site.fault(behaviour="server_build_error", match={"name": "bad-*"}, count=1)
    s = demo.server("bad-one", wait="ERROR")
    assert s["fault"]["code"] == 500 and "Exceeded maximum number of retries" in s["fault"]["message"]
    assert demo.nova("DELETE", f"/servers/{s['id']}").status == 204
    demo.wait_server(s["id"], None)
    demo.server("bad-two")


def test_build_stuck_until_removed(site, demo):
    rule = site.fault(behaviour="server_build_stuck", match={"name": "slow"})
    s = demo.server("slow", wait=None)
    cloud.until("it was tried", lambda: site.sim("GET", "/sim/faults").json["faults"][0]["fired"] == 1)
    assert demo.nova("GET", f"/servers/{s['id']}").json["server"]["status"] == "BUILD"
    assert demo.action(s["id"], "os-stop").status == 409
    site.sim("DELETE", f"/sim/faults/{rule}")
    demo.wait_server(s["id"], "ACTIVE")


def test_guest_that_ignores_the_stop_goes_on_writing(site, demo):
    s = demo.server("deaf")
    rule = site.fault(behaviour="ignore_graceful_stop", match={"name": "deaf"})

    def written():
        v = site.sim("GET", f"/sim/ledger?server_id={s['id']}").json["volumes"]
        return v[0]["last_acknowledged"]["sequence"] if v and v[0]["last_acknowledged"] else 0
    cloud.until("it writes", written)
    assert demo.action(s["id"], "os-stop").status == 202
    at = written()
    cloud.until("it goes on writing", lambda: written() > at + 5)
    assert demo.nova("GET", f"/servers/{s['id']}").json["server"]["OS-EXT-STS:task_state"] == "powering-off"
    site.sim("DELETE", f"/sim/faults/{rule}")
    demo.wait_server(s["id"], "SHUTOFF")
    end = written()
    assert not [g for g in site.sim("GET", "/sim/guests").json["guests"] if g["server_id"] == s["id"]]
    assert written() == end


@pytest.mark.parametrize("behaviour,begin,status", [
    ("manage_error", "manage", "error"), ("volume_create_error", "create", "error"), ("volume_delete_error", "delete", "error_deleting"),
    ("unmanage_error", "unmanage", "error_unmanaging")])
def test_volume_behaviours(site, demo, behaviour, begin, status):
    service = site.protector()
    if begin == "manage":
        site.fault(behaviour=behaviour, match={"name": "m"})
        v = service.cinder("POST", "/manageable_volumes", {"volume": {"host": cloud.manage_host(site), "ref": {"name": "x"}, "name": "m"}}).json["volume"]["id"]
    elif begin == "create":
        site.fault(behaviour=behaviour)
        v = service.volume("c", wait=None)["id"]
    else:
        v = service.volume("d")["id"]
        site.fault(behaviour=behaviour, match={"id": v}, count=1)
        if begin == "delete":
            assert service.cinder("DELETE", f"/volumes/{v}").status == 202
        else:
            assert service.cinder("POST", f"/volumes/{v}/action", {"os-unmanage": {}}).status == 202
    service.wait_volume(v, status)


def test_attach_error_ends_the_build(site, demo):
    v = demo.boot_volume("unattachable")
    site.fault(behaviour="attach_error", match={"name": "unattachable"}, count=1)
    s = demo.server("unattached", v["id"], wait="ERROR")
    assert "could not be attached" in s["fault"]["message"]
    demo.wait_volume(v["id"], "available")


def test_journal_counts_changes_without_secrets(site):
    since = site.sim("GET", "/sim/journal").json["next"]
    demo = site.demo()
    demo.nova("GET", "/servers")
    demo.volume("journalled")
    entries = site.sim("GET", f"/sim/journal?since={since}").json["entries"]
    assert [(e["service"], e["method"]) for e in entries] == [("keystone", "POST"), ("cinder", "POST")]
    assert "lab-demo-site-a" not in str(entries)
    assert entries[1]["user"] == "demo" and entries[1]["project_id"] == demo.project and entries[1]["request_id"].startswith("req-")


def test_quotas(own_site):
    site = own_site("--array", "none")
    demo, network = site.demo(), site.demo().network()["id"]
    site.sim("POST", "/sim/quota", {"project": "demo", "nova": {"instances": 1}, "cinder": {"volumes": 2, "gigabytes": 5}, "neutron": {"port": 4}})
    demo.server("one")
    v = demo.boot_volume("second")["id"]
    answer = demo.nova("POST", "/servers", {"server": {"name": "two", "flavorRef": "a-small", "networks": [{"uuid": network}], "block_device_mapping_v2": [
        {"boot_index": 0, "uuid": v, "source_type": "volume", "destination_type": "volume"}]}})
    assert answer.status == 403
    assert answer.json["forbidden"]["message"] == "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances"
    answer = make(demo, "third")
    assert answer.status == 413 and answer.headers["Retry-After"] == "0"
    assert answer.json["overLimit"]["message"] == "VolumeLimitExceeded: Maximum number of volumes allowed (2) exceeded for quota 'volumes'."
    answer = site.protector().cinder("POST", "/manageable_volumes", {"volume": {"host": cloud.manage_host(site), "ref": {"name": "x"}}})
    assert answer.status == 413
    assert demo.neutron("POST", "/ports", {"port": {"network_id": network}}).status == 201
    answer = demo.neutron("POST", "/ports", {"port": {"network_id": network}})
    assert answer.status == 409
    assert answer.json["NeutronError"] == {"type": "OverQuota", "message": "Quota exceeded for resources: ['port'].", "detail": ""}
    shown = demo.nova("GET", f"/os-quota-sets/{demo.project}/detail").json["quota_set"]["instances"]
    assert shown == {"limit": 1, "in_use": 1, "reserved": 0}
    assert demo.cinder("GET", "/limits").json["limits"]["absolute"]["totalVolumesUsed"] == 2


def test_latency_profile(own_site):
    site = own_site("--array", "none", "--latency", "nova_build=400:500,keystone=100:120")
    started = time.monotonic()
    demo = site.demo()
    assert time.monotonic() - started >= 0.1
    volume = demo.boot_volume("b")["id"]
    started = time.monotonic()
    demo.server("slow", volume)
    assert 0.4 <= time.monotonic() - started < 3
    assert site.sim("POST", "/sim/latency", {"profile": "no-such=1:2"}).status == 400
