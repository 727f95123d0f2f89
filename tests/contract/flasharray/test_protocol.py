"""Versions, sessions, strictness, paging, sorting, filters: what every client meets first."""
import ssl

import pytest

from fasim import TOKEN, Array, Refused
from shapes import SCHEMA, exact

SERVED = [
    "/admins", "/admins/api-tokens", "/alerts", "/array-connections", "/array-connections/connection-key",
    "/array-connections/path", "/arrays", "/arrays/performance", "/arrays/space", "/connections",
    "/container-default-protections", "/controllers", "/hardware", "/host-groups", "/host-groups/hosts", "/hosts",
    "/hosts/host-groups", "/network-interfaces", "/offloads", "/pod-replica-links", "/pod-replica-links/lag",
    "/pod-replica-links/performance/replication", "/pods", "/pods/arrays", "/pods/performance/replication",
    "/pods/performance", "/ports", "/ports/initiators", "/protection-group-snapshots",
    "/protection-group-snapshots/transfer", "/protection-groups", "/protection-groups/host-groups",
    "/protection-groups/hosts", "/protection-groups/targets", "/protection-groups/volumes", "/remote-pods",
    "/remote-protection-group-snapshots", "/remote-protection-group-snapshots/transfer",
    "/remote-protection-groups", "/remote-volume-snapshots", "/remote-volume-snapshots/transfer", "/sessions",
    "/volume-groups", "/volume-snapshots", "/volume-snapshots/transfer", "/volumes", "/volumes/performance",
    "/volumes/protection-groups", "/volumes/space", "/volumes/tags",
]


@pytest.fixture(scope="module")
def filled(pair):
    """Something of everything, so that the shape checks have items to look at."""
    a, b = pair
    a.volume("shape-v1")
    a.volume("shape-v2")
    a.connect("shape-v1")
    a.post("/host-groups", names="shape-hg")
    a.post("/hosts", names="shape-h2")
    a.post("/host-groups/hosts", group_names="shape-hg", member_names="shape-h2")
    a.post("/connections", host_group_names="shape-hg", volume_names="shape-v2")
    a.post("/volume-snapshots", {"suffix": "one"}, source_names="shape-v1")
    a.post("/volume-groups", names="shape-vg")
    a.post("/protection-groups", names="shape-pg")
    a.post("/protection-groups/volumes", group_names="shape-pg", member_names="shape-v1")
    a.post("/protection-groups/targets", group_names="shape-pg", member_names="array-b")
    a.post("/protection-groups", names="shape-pgh")
    a.post("/protection-groups/hosts", group_names="shape-pgh", member_names="shape-h2")
    a.post("/protection-group-snapshots", {"suffix": "one"}, source_names="shape-pg")
    a.post("/pods", names="shape-pod")
    a.call("PUT", "/volumes/tags/batch", {"resource_names": "shape-v1"},
           [{"key": "k", "value": "v", "namespace": "default", "copyable": True}])
    return a


@pytest.mark.parametrize("path", SERVED)
def test_every_served_listing_has_exactly_the_schemas_properties(filled, path):
    # The check itself is in Array.check: schema and property set of every answer.
    assert "GET " + path in SCHEMA["responses"]
    filled.page(path)
    if path != "/array-connections/connection-key":  # takes no parameters
        filled.page(path, limit=1, total_item_count="true")


def test_versions_ascend_numerically_and_leave_out_the_unpublished(array):
    status, _, body = array.raw("GET", "/api/api_version")
    assert status == 200
    minors = [int(v.split(".")[1]) for v in body["version"]]
    assert minors == sorted(minors) and minors[0] == 0 and minors[-1] == 26
    assert 12 not in minors and 18 not in minors


def test_login_gives_a_token_and_logout_ends_it(array):
    assert array.login() == {"items": [{"username": "pureuser"}]}
    token = array.token
    assert array.raw("GET", "/arrays", headers={"x-auth-token": token})[0] == 200
    assert array.raw("POST", "/logout", headers={"x-auth-token": token})[0] == 200
    status, _, body = array.raw("GET", "/arrays", headers={"x-auth-token": token})
    assert (status, body["errors"][0]["message"]) == (401, "Invalid session.")
    array.token = None


def test_a_wrong_api_token_is_400(array):
    status, _, body = array.raw("POST", "/login", headers={"api-token": "wrong"})
    assert status == 400
    assert body == {"errors": [{"context": None, "message": "Unable to list user for API token."}]}


def test_a_session_ends_after_its_idle_time(fresh_array):
    fresh_array.get("/arrays")
    fresh_array.sim("POST", "/sim/advance", {"ms": 29 * 60 * 1000})
    fresh_array.get("/arrays")  # slides
    fresh_array.sim("POST", "/sim/advance", {"ms": 31 * 60 * 1000})
    with pytest.raises(Refused) as refused:
        fresh_array.get("/arrays")
    assert refused.value.status == 401


def test_request_ids_come_back(array):
    _, headers, _ = array.raw("GET", "/api/api_version", headers={"X-Request-ID": "abc-123"})
    assert headers["X-Request-ID"] == "abc-123"


def test_unknown_paths_and_versions_are_404(array):
    array.login()
    head = {"x-auth-token": array.token}
    assert array.raw("GET", "/nothing", headers=head)[0] == 404
    assert array.raw("GET", "/volumes", headers=head, version="2.12")[0] == 404
    assert array.raw("GET", "/volumes", headers=head, version="2.40")[0] == 404


def test_a_readonly_user_may_not_change_anything(tmp_path):
    one = Array("array-a", "127.0.93.200", extra=("--api-token", "viewer:readonly=view-token"))
    one.start()
    try:
        _, headers, _ = one.raw("POST", "/login", headers={"api-token": "view-token"})
        head = {"x-auth-token": headers["x-auth-token"]}
        assert one.raw("GET", "/volumes", headers=head)[0] == 200
        assert one.raw("POST", "/volumes", {"names": "v"}, {"provisioned": 1 << 30}, head)[0] == 403
    finally:
        one.stop()


def test_the_certificate_names_the_address(array):
    context = ssl.create_default_context(cafile=str(array.state_dir / "cert.pem"))
    import socket
    with socket.create_connection((array.ip, array.rest_port)) as plain:
        with context.wrap_socket(plain, server_hostname=array.ip) as secured:
            names = dict((kind, value) for kind, value in secured.getpeercert()["subjectAltName"])
            assert names["IP Address"] == array.ip


@pytest.mark.parametrize("params,body,text", [
    ({"names": "strict-1", "bogus": "1"}, {"provisioned": 1 << 20}, "bogus"),
    ({"names": "strict-1"}, {"provisioned": 1 << 20, "bogus": 1}, "bogus"),
    ({"names": "strict-1"}, {"provisioned": 1 << 20, "serial": "X"}, "serial"),
    ({"names": "strict-1"}, {"provisioned": "big"}, "provisioned"),
    ({"names": "strict-1"}, {"provisioned": 1 << 20, "source": {"bogus": 1}}, "bogus"),
])
def test_unknown_and_read_only_input_is_refused_and_changes_nothing(array, params, body, text):
    with pytest.raises(Refused) as refused:
        array.call("POST", "/volumes", params, body)
    assert refused.value.status == 400 and text in refused.value.message
    assert not array.get("/volumes", filter="name='strict-1'")


def test_input_of_a_later_version_is_refused_in_an_earlier_one(array):
    with pytest.raises(Refused) as refused:
        array.call("POST", "/volumes", {"names": "v215", "with_default_protection": "false"}, {"provisioned": 1 << 20}, version="2.15")
    assert "with_default_protection" in refused.value.message


def test_properties_follow_the_version_in_the_url(array):
    array.check, keep = None, array.check
    try:
        array.volume("versioned")
        old = array.get("/volumes", version="2.0", names="versioned")[0]
        new = array.get("/volumes", version="2.26", names="versioned")[0]
    finally:
        array.check = keep
    assert "priority" in new and "priority" not in old
    assert "promotion_status" in new and "promotion_status" not in old
    assert set(old) < set(new)


def test_old_versions_do_not_know_later_operations(array):
    array.login()
    assert array.raw("GET", "/array-connections", headers={"x-auth-token": array.token}, version="2.3")[0] in (404, 405)


def test_lenient_mode_ignores_what_it_does_not_know():
    one = Array("array-a", "127.0.93.201", extra=("--lenient",))
    one.start()
    try:
        one.call("POST", "/volumes", {"names": "v", "bogus": "1"}, {"provisioned": 1 << 20, "bogus": 2})
    finally:
        one.stop()


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    one = Array("array-a", "127.0.93.202")
    one.start()
    for begin in range(0, 2100, 300):
        one.post("/volumes", {"provisioned": (begin // 300 + 1) << 20}, names=",".join(f"many-{i:04}" for i in range(begin, begin + 300)))
    yield one
    one.stop()


def test_a_page_is_never_longer_than_a_thousand(many):
    page = many.page("/volumes")
    assert len(page["items"]) == 1000 and page["more_items_remaining"] and page["continuation_token"]
    assert page["total_item_count"] is None
    assert many.page("/volumes", limit=5000)["more_items_remaining"]


def test_tokens_walk_over_everything_once(many):
    seen, token = [], None
    while True:
        page = many.page("/volumes", limit=700, **({"continuation_token": token} if token else {}))
        seen += [item["name"] for item in page["items"]]
        token = page["continuation_token"]
        if not page["more_items_remaining"]:
            assert token is None
            break
    assert len(seen) == 2100 and len(set(seen)) == 2100


def test_a_sorted_page_has_no_token_and_offset_walks_on(many):
    page = many.page("/volumes", sort="name-", limit=2)
    assert [item["name"] for item in page["items"]] == ["many-2099", "many-2098"]
    assert page["continuation_token"] is None and page["more_items_remaining"]
    assert many.get("/volumes", sort="-name", limit=1, offset=2)[0]["name"] == "many-2097"
    assert many.get("/volumes", sort="provisioned-,name", limit=1)[0]["name"] == "many-1800"


def test_counting_without_items(many):
    page = many.page("/volumes", limit=0, total_item_count="true")
    assert page["items"] == [] and page["total_item_count"] == 2100
    page = many.page("/volumes", total_only="true", filter="name='many-000*'")
    assert page["items"] == [] and page["total"][0]["provisioned"] == 10 << 20 and page["total"][0]["name"] is None


@pytest.mark.parametrize("text,count", [
    ("name='many-0001'", 1), ("name='MANY-0001'", 1), ("name='many-00*'", 100), ("name!='many-00*'", 1000),
    ("provisioned>6291456", 300), ("provisioned>='6291456'", 600), ("not name='many-1*'", 1000),
    ("name='many-0001' or name='many-0002'", 2), ("name='many-000*' and provisioned=1048576", 10),
    ("(name='many-0001' or name='many-0500') and not provisioned=1048576", 1), ("contains(name,'ny-209')", 10),
    ("destroyed", 0), ("not destroyed", 1000), ("pod.name='none'", 0), ("name=\"many-0007\"", 1), ("name='zzz'", 0),
])
def test_filters(many, text, count):
    assert len(many.get("/volumes", filter=text)) == count


@pytest.mark.parametrize("text", ["name=", "name='x", "(name='x'", "and", "nofunction(a,'b')", "name='x' name='y'", "("*500])
def test_broken_filters_are_400(many, text):
    with pytest.raises(Refused) as refused:
        many.get("/volumes", filter=text)
    assert refused.value.status == 400 and "filter" in refused.value.message


def test_every_missing_name_is_an_error_of_its_own(array):
    array.volume("present")
    with pytest.raises(Refused) as refused:
        array.get("/volumes", names="present,gone-1,gone-2")
    assert refused.value.status == 400
    assert refused.value.errors == [{"context": "gone-1", "message": "Volume does not exist."},
                                    {"context": "gone-2", "message": "Volume does not exist."}]


def test_names_and_ids_exclude_each_other(array):
    one = array.volume("both-ways")
    assert array.one("/volumes", ids=one["id"])["name"] == "both-ways"
    with pytest.raises(Refused) as refused:
        array.get("/volumes", ids=one["id"], names="both-ways")
    assert refused.value.message == "Invalid combination of parameters specified."


def test_exactness_is_checked_by_the_checker_itself():
    with pytest.raises(AssertionError):
        exact({"items": [{"username": "x", "more": 1}]}, SCHEMA["responses"]["POST /login"])
    with pytest.raises(AssertionError):
        exact({"items": [{}]}, SCHEMA["responses"]["POST /login"])


def test_the_token_is_nowhere_in_what_the_control_plane_shows(array):
    array.get("/volumes")
    for path in ("/sim/state", "/sim/journal"):
        assert TOKEN.encode() not in array.sim_raw("GET", path)[1]
