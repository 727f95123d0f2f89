"""`protector` itself: formats, exit codes, where credentials come from, help, completion."""

import json
import subprocess

import pytest
import yaml

from protector_lab.cli import Cli
from world import DONE, GROUP, UNREACHABLE, USAGE


@pytest.fixture(scope="module")
def shared(session_world):
    session_world.begin("protected")
    return session_world


def test_formats_hold_the_same_facts(shared):
    cli = shared.a.cli
    table = cli.run("protection-group", "show", GROUP).output
    assert table.startswith("+") and "| Field" in table and "| Value" in table and GROUP in table
    as_json = json.loads(cli.run("protection-group", "show", GROUP, "-f", "json").output)
    as_yaml = yaml.safe_load(cli.run("protection-group", "show", GROUP, "-f", "yaml").output)
    assert as_json["name"] == as_yaml["name"] == GROUP and as_json["status"] == as_yaml["status"]
    value = cli.run("protection-group", "show", GROUP, "-f", "value", "-c", "status", "-c", "name").output
    assert sorted(value.split()) == sorted([as_json["status"], GROUP])


def test_column_selects_columns_of_a_list(shared):
    lines = shared.a.cli.run("site", "list", "-f", "value", "-c", "name").output.split()
    assert sorted(lines) == ["site-a", "site-b"]


def test_help_teaches(shared):
    for arguments in (["--help"], ["protection-group", "--help"], ["protection-group", "failover", "--help"]):
        result = shared.a.cli.run(*arguments)
        assert "failover" in result.output
    text = shared.a.cli.run("protection-group", "failover", "--help").output
    for word in ("--network-mapping", "--flavor-mapping", "--type", "--force", "--wait"):
        assert word in text
    assert "protector protection-group failover" in text, "an example"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_knows_the_commands(shared, shell):
    text = shared.a.cli.run("completion", shell).output
    assert "protection-group" in text and "failback" in text
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0


def test_wrong_usage_exits_2_and_suggests(shared):
    result = shared.a.cli.try_run("protection-group", "failovr", GROUP)
    assert result.code == USAGE and "failover" in result.error, result


def test_unreachable_site_exits_4(shared):
    cli = Cli(shared.a.cli.program, {**shared.a.cli.openrc, "OS_AUTH_URL": "http://127.0.99.98:5000/v3"})
    assert cli.try_run("protection-group", "list").code == UNREACHABLE


def test_credentials_come_from_clouds_yaml(shared, tmp_path):
    rc = shared.a.cli.openrc
    clouds = {"clouds": {"dr-a": {"auth": {"auth_url": rc["OS_AUTH_URL"], "username": "demo", "project_name": "demo",
                                           "user_domain_name": "Default", "project_domain_name": "Default"}, "region_name": "site-a"}}}
    secure = {"clouds": {"dr-a": {"auth": {"password": rc["OS_PASSWORD"]}}}}
    (tmp_path / "clouds.yaml").write_text(yaml.safe_dump(clouds))
    (tmp_path / "secure.yaml").write_text(yaml.safe_dump(secure))
    cli = Cli(shared.a.cli.program, {}, {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"),
                                         "OS_CLIENT_SECURE_FILE": str(tmp_path / "secure.yaml"), "PROTECTOR_TLS_DIR": rc["PROTECTOR_TLS_DIR"]},
              shared.spoken)
    assert cli.json("--os-cloud", "dr-a", "protection-group", "show", GROUP)["name"] == GROUP


def test_version(shared):
    assert shared.a.cli.run("--version").output.strip()


def test_group_by_name_or_id(shared):
    group = shared.group()
    assert shared.group(group["id"])["name"] == GROUP


def test_history_names_every_change(shared):
    text = shared.a.cli.run("protection-group", "history", GROUP).output
    assert "web-1" in text or "member" in text


def test_members_show_what_was_captured(shared):
    members = {member["name"]: member for member in shared.a.cli.json("protection-group", "members", GROUP)}
    assert "m1.large" in str(members["db-1"]) and len(members) == 3


def test_mappings_are_stored_for_both_directions(shared):
    text = shared.a.cli.run("protection-group", "mappings", GROUP).output
    for word in ("net-primary-web", "net-secondary-web", "m1.large", "m2.large"):
        assert word in text


def test_closed_output_is_not_an_error_message(shared):
    process = subprocess.run(f"{shared.a.cli.program} protection-group list | head -c 1", shell=True, env=shared.a.cli.environment,
                             stderr=subprocess.PIPE, check=False, stdout=subprocess.DEVNULL)
    assert b"terminate" not in process.stderr


def test_completed_exit_code(shared):
    assert shared.a.cli.try_run("protection-group", "list").code == DONE
