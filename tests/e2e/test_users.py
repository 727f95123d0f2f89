"""Keystone's users: who may do what, and that one project knows nothing of another's. What a token and a policy are in detail is in
libs/users/*_test.cc."""

import contextlib
import json
import uuid

import grpc
import pytest
import rpc
from protector_lab import http
from protector_lab.cli import Cli
from protector_lab.cloud import Cloud
from world import DONE, FAILED, GROUP, TOKEN_CACHE_S, UNREACHABLE, USAGE, eventually

SERVICE = "protector.operation.v1.GroupService/"
LIST = (SERVICE + "ListGroups", "protector.operation.v1.ListGroupsRequest", "", "protector.operation.v1.ListGroupsResponse")
START = ("protector.operation.v1.OperationService/StartFailover", "protector.operation.v1.StartFailoverRequest")
OPERATION = "protector.operation.v1.Operation"


class Keystone:
    """The administrator of one site's Keystone."""

    def __init__(self, view):
        self.view = view
        self.admin = Cloud(view.cli.openrc | {"OS_USERNAME": "admin", "OS_PASSWORD": view.site.secrets["admin"], "OS_PROJECT_NAME": "admin"})

    def _named(self, kind, name):
        found = self.admin.request("identity", "GET", self._v3(f"/{kind}"))[kind]
        return next(item["id"] for item in found if item["name"] == name)

    def _v3(self, path):
        return path if self.admin.endpoint("identity").endswith("/v3") else "/v3" + path

    def project(self, name):
        body = {"project": {"name": name, "domain_id": "default"}}
        return self.admin.request("identity", "POST", self._v3("/projects"), body)["project"]["id"]

    def user(self, name, project, *roles):
        """A user with these roles in a project; its openrc."""
        body = {"user": {"name": name, "password": f"pw-of-{name}", "domain_id": "default"}}
        self.admin.request("identity", "POST", self._v3("/users"), body)
        for role in roles:
            self.grant(name, project, role)
        return self.view.cli.openrc | {"OS_USERNAME": name, "OS_PASSWORD": f"pw-of-{name}", "OS_PROJECT_NAME": project}

    def _grant_path(self, user, project, role):
        return self._v3(f"/projects/{self._named('projects', project)}/users/{self._named('users', user)}/roles/{self._named('roles', role)}")

    def grant(self, user, project, role):
        self.admin.request("identity", "PUT", self._grant_path(user, project, role))

    def withdraw(self, user, project, role):
        self.admin.request("identity", "DELETE", self._grant_path(user, project, role))

    def revoke(self, token):
        self.admin.request("identity", "DELETE", self._v3("/auth/tokens"), headers={"X-Subject-Token": token})


def cli_of(world, openrc):
    return Cli(world.layout.program("protector"), openrc, spoken=world.spoken)


def reader_of(world):
    return cli_of(world, Keystone(world.a).user("rita", "demo", "reader"))


def stranger_of(world, mapped=False):
    """Somebody of another project, which is mapped between the sites or not: its command lines at both."""
    openrcs = []
    for view in (world.a, world.b):
        keystone = Keystone(view)
        keystone.project("other")
        keystone.grant("protector", "other", "admin")
        openrcs.append(keystone.user("mallory", "other", "member"))
    if mapped:
        world.a.cli.run("tenant-mapping", "create", "site-a=other", "site-b=other")
    return [cli_of(world, openrc) for openrc in openrcs]


def log_of(view, service):
    return (view.site.directory / "log" / f"{service}.log").read_text()


@contextlib.contextmanager
def refused(code, reason, view=None, service="orchestrator"):
    with pytest.raises(grpc.RpcError) as error:
        yield
    assert rpc.code_of(error.value) == code, error.value
    if view is not None:
        assert reason in log_of(view, service), f"{reason} is not in the log"


def as_user(view, token, what, more=()):
    return rpc.call(view.site, "orchestrator", *what, caller=(view.site, "cli"), token=token, more=more)


# --- tokens


def test_no_token_a_wrong_one_an_expired_and_a_revoked_one(protected):
    a = protected.a
    with refused("UNAUTHENTICATED", "TOKEN_MISSING", a):
        rpc.call(a.site, "orchestrator", *LIST, caller=(a.site, "cli"))
    with refused("UNAUTHENTICATED", "TOKEN_REFUSED", a):
        as_user(a, "gAAAAABnot-a-token", LIST)
    with refused("UNAUTHENTICATED", "TOKEN_REFUSED"):
        as_user(a, "", LIST)
    # What Keystone has forgotten is noticed within the time that its word counts.
    token = Cloud(a.cli.openrc).token
    assert GROUP in as_user(a, token, LIST)
    Keystone(a).revoke(token)
    eventually(lambda: code_with(a, token) == "UNAUTHENTICATED", "the revoked token is refused", TOKEN_CACHE_S + 5)
    token = Cloud(a.cli.openrc).token
    assert code_with(a, token) == "OK"
    http.call("POST", a.site.cloud_control + "/sim/token/expire", {})
    eventually(lambda: code_with(a, token) == "UNAUTHENTICATED", "the expired token is refused", TOKEN_CACHE_S + 5)
    # Nothing that anybody wrote holds a token: world.look_for_secrets() when the lab is wiped.


def code_with(view, token):
    try:
        as_user(view, token, LIST)
    except grpc.RpcError as error:
        return rpc.code_of(error)
    return "OK"


def test_a_token_of_the_other_sites_keystone_is_asked_about_there(protected):
    a, b = protected.a, protected.b
    token = Cloud(b.cli.openrc).token
    with refused("UNAUTHENTICATED", "TOKEN_REFUSED"):  # site-a's Keystone never saw it
        as_user(a, token, LIST)
    assert GROUP in as_user(a, token, LIST, more=(("x-protector-token-site", "site-b"),))
    for site in ("site-c", "site-a", "../x"):  # a site that is none, or not the one that issued it
        with pytest.raises(grpc.RpcError) as error:
            as_user(a, token, LIST, more=(("x-protector-token-site", site), ("x-protector-token-registry", "127.0.0.1:1")))
        assert rpc.code_of(error.value) in ("UNAUTHENTICATED", "UNAVAILABLE"), error.value


def test_without_the_other_site_its_credentials_are_of_no_use_and_its_own_are(protected):
    a, b = protected.a, protected.b
    b_rc = b.cli.openrc | protected.lab.both_sites()
    protected.kill_process(b, "orchestrator")
    there = cli_of(protected, b.cli.openrc).try_run("protection-group", "show", GROUP, "--site", "site-a")
    assert there.code == UNREACHABLE and "KEYSTONE_UNREACHABLE" in there.error and "protector.yaml" in there.error, there
    assert a.cli.json("protection-group", "show", GROUP)["name"] == GROUP
    # An operator with credentials for both sites names them in protector.yaml.
    assert cli_of(protected, b_rc).json("protection-group", "show", GROUP, "--site", "site-a")["name"] == GROUP


def test_a_wrong_password_and_a_keystone_that_is_gone(protected):
    a = protected.a
    wrong = cli_of(protected, a.cli.openrc | {"OS_PASSWORD": "wrong-one"}).try_run("protection-group", "list")
    assert wrong.code == FAILED and "login at" in wrong.error and "wrong-one" not in wrong.error, wrong
    token = Cloud(a.cli.openrc).token
    protected.kill_process(a, "openstack-sim")
    gone = a.cli.try_run("protection-group", "list")
    assert gone.code == UNREACHABLE and "login at" in gone.error, gone
    eventually(lambda: code_with(a, token) == "UNAVAILABLE", "nobody is believed without Keystone", TOKEN_CACHE_S + 5)
    assert "KEYSTONE_UNREACHABLE" in log_of(a, "orchestrator")


# --- roles


def test_a_reader_looks_and_changes_nothing(protected):
    reader = reader_of(protected)
    assert [group["name"] for group in reader.json("protection-group", "list")] == [GROUP]
    for look in (("show", GROUP), ("members", GROUP), ("mappings", GROUP), ("policy-show", GROUP), ("sync-status", GROUP), ("history", GROUP)):
        assert reader.try_run("protection-group", *look).code == DONE, look
    assert reader.try_run("operation", "list").code == DONE
    before = protected.a.cli.json("protection-group", "show", GROUP)
    for change in (("protection-group", "create", "mine", "--replication-type", "async"), ("protection-group", "set", GROUP, "--description", "x"),
                   ("protection-group", "delete", GROUP, "--force"), ("protection-group", "remove-member", GROUP, "web-1"),
                   ("protection-group", "failover", GROUP), ("protection-group", "policy-set", GROUP, "--stop-timeout", "10"),
                   ("site", "list"), ("site", "create", "site-c", "--auth-url", "http://127.0.0.1:5000/v3"), ("site", "validate", "site-a"),
                   ("tenant-mapping", "create", "site-a=demo", "site-b=demo"), ("audit", "list"), ("audit", "verify")):
        tried = reader.try_run(*change)
        assert tried.code in (FAILED, USAGE), (change, tried)
        if tried.code == FAILED:
            assert "NOT_ALLOWED" in tried.error and "remedy: " in tried.error, (change, tried)
    assert {server["status"] for server in protected.a.cloud.servers()} == {"ACTIVE"}
    after = protected.a.cli.json("protection-group", "show", GROUP)
    assert after["version"] == before["version"] and after["status"] == before["status"]


def test_a_role_that_is_withdrawn_ends_what_it_allowed(protected):
    openrc = Keystone(protected.a).user("willi", "demo", "member")
    member = cli_of(protected, openrc)
    member.run("protection-group", "set", GROUP, "--description", "by willi")
    Keystone(protected.a).grant("willi", "demo", "reader")
    Keystone(protected.a).withdraw("willi", "demo", "member")
    tried = member.try_run("protection-group", "set", GROUP, "--description", "again")
    assert tried.code == FAILED and "NOT_ALLOWED" in tried.error, tried
    assert member.json("protection-group", "show", GROUP)["description"] == "by willi"


def test_a_stream_ends_with_its_users_role(protected):
    openrc = Keystone(protected.a).user("willi", "demo", "reader")
    operation = protected.start("failover", view=protected.a)
    protected.b.cli.run("operation", "pause", operation)
    Keystone(protected.b).user("willi", "demo", "reader")
    watch = cli_of(protected, openrc | {"OS_AUTH_URL": protected.b.site.auth_url, "OS_REGION_NAME": "site-b"}).start("operation", "watch", operation)
    try:
        assert watch.stdout.readline(), "the watch ended before its first line"  # with it the stream is open
        Keystone(protected.b).withdraw("willi", "demo", "reader")
        eventually(lambda: watch.poll() is not None, "the watch has ended", TOKEN_CACHE_S + 20)
        assert watch.returncode == FAILED and "remedy: " in watch.stderr.read()
        assert any("WatchOperation" in line and "UNAUTHENTICATED" in line for line in log_of(protected.b, "orchestrator").splitlines())
    finally:
        watch.kill()
        watch.communicate()
    protected.b.cli.run("operation", "resume", operation)
    protected.finished(operation, protected.b)


def test_the_policy_file_is_changed_without_a_restart(protected):
    a = protected.a
    policy = a.site.directory / "policy.yaml"
    policy.write_text("{}\n")
    config = a.site.directory / "orchestrator.yaml"
    config.write_text(config.read_text().replace("users:\n", f'users:\n  policy_file: "{policy}"\n'))
    protected.restart_process(a, "orchestrator")
    a.cli.run("protection-group", "set", GROUP, "--description", "allowed")
    policy.write_text('"protection_group:update": "role:dr_operator"\n')
    tried = a.cli.try_run("protection-group", "set", GROUP, "--description", "not allowed")
    assert tried.code == FAILED and 'The policy wants "role:dr_operator"' in tried.error, tried
    policy.write_text('"protection_group:update": "role:dr_operator or nonsense"\n')
    assert a.cli.try_run("protection-group", "set", GROUP, "--description", "not allowed").code == FAILED
    assert "the policy file has changed and is wrong" in log_of(a, "orchestrator")
    policy.write_text('"protection_group:update": "rule:member"\n')
    a.cli.run("protection-group", "set", GROUP, "--description", "allowed again")


# --- projects


@pytest.mark.parametrize("mapped", [False, True], ids=["unmapped", "mapped"])
def test_another_project_sees_nothing_of_it(protected, mapped):
    operation = protected.failover()
    group = protected.group()
    at_a, at_b = stranger_of(protected, mapped)
    for cli in (at_a, at_b):
        assert cli.json("protection-group", "list") == []
        assert cli.json("operation", "list") == cli.json("operation", "list", "--all-projects") == []
        # What is there and another's is told in the same words as what is not there at all.
        same(cli, ("protection-group", "show"), GROUP, "no-such-group")
        same(cli, ("protection-group", "show"), group["id"], str(uuid.uuid4()))
        same(cli, ("protection-group", "sync-status"), group["id"], str(uuid.uuid4()))
        same(cli, ("protection-group", "history"), GROUP, "no-such-group")
        same(cli, ("protection-group", "delete"), group["id"], str(uuid.uuid4()))
        same(cli, ("protection-group", "failback"), group["id"], str(uuid.uuid4()))
        same(cli, ("operation", "show"), operation["operation_id"], f"op-{uuid.uuid4()}")
        same(cli, ("operation", "cancel"), operation["operation_id"], f"op-{uuid.uuid4()}")
        same(cli, ("operation", "show"), operation["operation_id"][:14], "op-01234567890")
    if mapped:
        # The name is free in a project of its own.
        at_a.run("protection-group", "create", GROUP, "--replication-type", "async")
        assert [shown["name"] for shown in at_b.json("protection-group", "list")] == [GROUP]
        assert at_b.json("protection-group", "show", GROUP)["id"] != group["id"]
        assert protected.group()["id"] == group["id"]
        # An administrator of the cloud sees both.
        admin = cli_of(protected, protected.lab.openrc(protected.a.site, "admin"))
        assert admin.json("protection-group", "show", group["id"])["name"] == GROUP


def same(cli, command, theirs, nobodys):
    """The same answer for an object of another project and for one that does not exist."""
    answers = []
    for name in (theirs, nobodys):
        tried = cli.try_run(*command, name)
        assert tried.code != DONE, tried
        answers.append((tried.code, (tried.output + tried.error).replace(name, "NAME").replace("Did you mean", "").strip()))
    assert answers[0] == answers[1], (command, answers)


def test_a_forged_project_is_refused_whether_there_is_such_a_project_or_not(protected):
    a = protected.a
    at_a, _ = stranger_of(protected, mapped=True)
    token = Cloud(at_a.openrc).token
    demo = Cloud(a.cli.openrc)
    demo.login()
    for project in (f'id: "{demo.project_id}"', 'name: "demo"', f'id: "{uuid.uuid4().hex}"', 'name: "no-such-project"'):
        request = f"project {{ {project} }}"
        with refused("PERMISSION_DENIED", "PROJECT_NOT_YOURS", a):
            as_user(a, token, (*LIST[:2], request, LIST[3]))
        with refused("PERMISSION_DENIED", "PROJECT_NOT_YOURS"):
            as_user(a, token, (*START, f'group: "{GROUP}" project {{ {project} }}', OPERATION))
    # In the metadata, where it was believed before there were tokens, it means nothing.
    assert GROUP not in as_user(a, token, LIST, more=(("x-protector-project-bin", demo.project_id.encode()),))
    # The servers of another project are no servers, although the service's own user could see them.
    at_a.run("protection-group", "create", "mine", "--replication-type", "async")
    server = next(server for server in a.cloud.servers() if server["name"] == "web-1")
    for name in (server["id"], "web-1"):
        tried = at_a.try_run("protection-group", "add-member", "mine", name)
        assert tried.code == FAILED and "SERVER_NOT_FOUND" in tried.error, tried


def test_a_request_id_of_another_project_tells_nothing_of_its_request(protected):
    request_id = str(uuid.uuid4())
    operation = protected.b.cli.json("protection-group", "failover", GROUP, "--request-id", request_id)["operation_id"]
    protected.finished(operation, protected.b)
    _, at_b = stranger_of(protected, mapped=True)
    token = Cloud(at_b.openrc).token
    with pytest.raises(grpc.RpcError) as error:
        as_user(protected.b, token, (*START, f'group: "{GROUP}" request_id: "{request_id}"', OPERATION))
    assert rpc.code_of(error.value) == "PERMISSION_DENIED" and operation not in str(error.value), error.value
    # To its own project the same request is answered with what it began.
    again = protected.b.cli.json("protection-group", "failover", GROUP, "--request-id", request_id)
    assert again["operation_id"] == operation


def test_mappings_of_other_projects_are_an_administrators_to_see(protected):
    at_a, _ = stranger_of(protected)
    assert at_a.json("tenant-mapping", "list") == []
    assert len(protected.a.cli.json("tenant-mapping", "list")) == 1


# --- the service's own right


def test_without_its_role_in_the_project_the_service_stops_and_goes_on_when_it_has_it_again(protected):
    """What runs for hours has no token of a user: it works with the role of the service's user in the project, and stops with it."""
    keystone = Keystone(protected.b)
    keystone.withdraw("protector", "demo", "admin")
    tried = protected.b.cli.try_run("protection-group", "failover", GROUP, "--type", "unplanned", "--wait")
    assert tried.code != DONE, tried
    assert protected.b.cloud.servers() == []
    assert "SERVICE_ROLE_MISSING" in tried.error and "openstack role add --user protector" in tried.error, tried
    keystone.grant("protector", "demo", "admin")
    listed = protected.b.cli.json("operation", "list")
    if listed:
        protected.b.cli.run("operation", "retry", listed[0]["operation_id"])
        protected.finished(listed[0]["operation_id"], protected.b)
    else:
        protected.failover("--type", "unplanned", view=protected.b)
    assert protected.server_names(protected.b) == ["db-1", "web-1", "web-2"], json.dumps(listed)


def test_a_role_that_is_withdrawn_in_the_middle_of_a_move_stops_it_there(protected):
    operation = protected.start("failover", view=protected.b)
    eventually(lambda: "presync_snapshot" in protected.operation(operation, protected.b)["steps_completed"], "it has begun", interval=0.02)
    protected.b.cli.run("operation", "pause", operation)
    eventually(lambda: protected.operation(operation, protected.b)["status"] == "paused", "it is paused")
    keystone = Keystone(protected.b)
    keystone.withdraw("protector", "demo", "admin")
    before = protected.b.cloud_sim.journal()
    protected.b.cli.run("operation", "resume", operation)
    stopped = protected.finished(operation, protected.b, expect=None)
    assert stopped["status"] in ("rolled_back", "failed", "completed_with_errors"), stopped["status"]
    assert "SERVICE_ROLE_MISSING" in json.dumps(stopped), stopped["problems"]
    made = [entry for entry in protected.b.cloud_sim.journal(before[-1]["n"]) if entry["user"] == "protector" and entry["method"] == "POST"
            and entry["status"] < 300 and "/auth/tokens" not in entry["path"]]
    assert made == [], made
    keystone.grant("protector", "demo", "admin")
    if stopped["status"] == "rolled_back":
        assert {server["status"] for server in protected.a.cloud.servers()} == {"ACTIVE"}
        protected.failover(view=protected.b)
    else:
        protected.b.cli.run("operation", "retry", operation)
        protected.finished(operation, protected.b)
    assert protected.server_names(protected.b) == ["db-1", "web-1", "web-2"]
