"""Bad input gets a clear error and changes nothing."""

import pytest

from protector_lab import application
from world import DONE, GROUP, REFUSED, USAGE

HUGE = "x" * 5000
NETWORKS = ["--network-mapping", "net-primary-web=net-secondary-web", "net-primary-db=net-secondary-db"]


@pytest.mark.parametrize("arguments, said", [
    (["protection-group", "show", "no-such-group"], "no-such-group"),
    (["protection-group", "failover", "no-such-group", *NETWORKS], "no-such-group"),
    (["protection-group", "add-member", GROUP, "no-such-server"], "no-such-server"),
    (["protection-group", "remove-member", GROUP, "no-such-member"], "no-such-member"),
    (["operation", "show", "op-00000000-0000-0000-0000-000000000000"], "op-00000000"),
    (["operation", "cancel", "op-00000000-0000-0000-0000-000000000000"], "op-00000000"),
    (["site", "show", "no-such-site"], "no-such-site"),
    (["site", "validate", "no-such-site"], "no-such-site"),
    (["site", "create", "site-a", "--auth-url", "http://127.0.10.1:5000/v3"], "site-a"),
    (["protection-group", "create", GROUP, "--replication-type", "async"], GROUP),
    (["protection-group", "create", "bad name!", "--replication-type", "async"], "bad name!"),
    (["protection-group", "create", HUGE, "--replication-type", "async"], "63"),
    (["protection-group", "create", "", "--replication-type", "async"], "name"),
    (["protection-group", "create", "../../etc/passwd", "--replication-type", "async"], "name"),
    (["protection-group", "create", "new-group", "--replication-type", "sometimes"], "sometimes"),
    (["protection-group", "policy-set", GROUP, "--replication-interval", "-5"], "interval"),
    (["protection-group", "policy-set", GROUP, "--rpo-minutes", "many"], "many"),
    (["protection-group", "failover", GROUP, "--type", "sideways"], "sideways"),
    (["protection-group", "failover", GROUP, "--network-mapping", "no-equals-sign"], "no-equals-sign"),
    (["protection-group", "failover", GROUP, "--network-mapping", "=net-secondary-web"], "mapping"),
    (["protection-group", "failover", GROUP, "--network-mapping", "net-primary-web="], "mapping"),
    (["protection-group", "failover", GROUP, "--network-mapping", "net-primary-web=net-secondary-web",
      "net-primary-web=net-secondary-db"], "net-primary-web"),
    (["protection-group", "failover", GROUP, "--flavor-mapping", "m1.large=" + HUGE], "flavor"),
    (["protection-group", "delete", GROUP], "member"),
    (["protection-group", "frobnicate", GROUP], "frobnicate"),
    (["--no-such-option"], "no-such-option"),
], ids=lambda value: "-".join(value[:2]) if isinstance(value, list) else value[:20])
def test_bad_input_is_refused_and_changes_nothing(shared, arguments, said):
    before = snapshot(shared)
    result = shared.a.cli.try_run(*arguments)
    assert result.code != DONE, result
    assert said in result.error, result
    assert len(result.error) < 4000, "an error is to be read by a person"
    assert snapshot(shared) == before


@pytest.fixture(scope="module")
def shared(session_world):
    """These tests change nothing, and say so themselves: one lab is enough for all of them."""
    session_world.begin("protected")
    return session_world


def snapshot(world):
    return (world.sync_status()["local_version"], world.sync_status(view=world.b)["local_version"],
            len(world.a.cli.json("protection-group", "list")), len(world.a.cli.json("operation", "list")),
            len(world.a.cli.json("site", "list")), world.a.listing(), world.b.listing(), len(world.changes(world.a)),
            len(world.changes(world.b)))


@pytest.mark.parametrize("name", [b"\xff\xfe\xfd", b"prod-\xc3\x28", b"\xe2\x80\xae-evil", b"tab\tand\x1b[31mred"],
                         ids=["not-utf8", "cut-utf8", "right-to-left", "escape"])
def test_names_that_are_not_text_are_refused(shared, name):
    before = snapshot(shared)
    for arguments in (("protection-group", "create", name, "--replication-type", "async"), ("protection-group", "show", name),
                      ("protection-group", "add-member", GROUP, name)):
        result = shared.a.cli.try_run(*arguments)
        assert result.code != DONE, result
        assert "\x1b[31m" not in result.error, "control characters of the input must not reach the terminal"
    assert snapshot(shared) == before


def test_a_member_twice_is_refused(shared):
    before = snapshot(shared)
    again = shared.a.cli.try_run("protection-group", "add-member", GROUP, "web-1")
    assert again.code == REFUSED and "web-1" in again.error, again
    assert snapshot(shared) == before


def test_the_same_server_twice_in_one_command_is_refused(world):
    application.deploy(world.a.cloud, vms=application.WEB_APP[:1])
    world.create_group()
    result = world.a.cli.try_run("protection-group", "add-member", GROUP, "web-1", "web-1")
    assert result.code in (USAGE, REFUSED) and "web-1" in result.error, result
    assert world.a.cli.json("protection-group", "members", GROUP) == []


def test_unreplicated_volume_and_wrong_type_are_refused_and_none_is_added(world):
    application.deploy(world.a.cloud, vms=application.WEB_APP[:1])
    application.deploy(world.a.cloud, vms=application.WEB_APP[:1], volume_type="standard", prefix="plain-")
    application.deploy(world.a.cloud, vms=application.WEB_APP[:1], volume_type=application.TYPE_SYNC, prefix="sync-")
    world.create_group()
    for server in ("plain-web-1", "sync-web-1"):
        result = world.a.cli.try_run("protection-group", "add-member", GROUP, "web-1", server)
        assert result.code == REFUSED, result
        assert server in result.error and "volume" in result.error and "type" in result.error, result
        assert world.a.cli.json("protection-group", "members", GROUP) == [], "all or none"
    world.add_members("web-1")


def test_wrong_credentials_are_said_and_never_shown(shared):
    import copy
    cli = copy.copy(shared.a.cli)
    cli.environment = {**cli.environment, "OS_AUTH_URL": "http://127.0.99.99:5000/v3"}
    result = cli.try_run("protection-group", "list")
    assert result.code != DONE and "127.0.99.99" in result.error, result
    assert cli.environment["OS_PASSWORD"] not in result.error + result.output
    cli.environment = {key: value for key, value in cli.environment.items() if not key.startswith("OS_")}
    result = cli.try_run("protection-group", "list")
    assert result.code != DONE and "OS_AUTH_URL" in result.error, result
