"""The record of changes and decisions: complete, in order, and whatever is done to its file is found."""

import sqlite3

import pytest
from world import DONE, FAILED, GROUP, eventually
from test_users import Keystone, cli_of, reader_of


def records(cli, *arguments):
    return cli.json("audit", "list", "--limit", "1000", *arguments)


def test_every_change_and_decision_is_on_record(protected):
    a, b = protected.a, protected.b
    operation = protected.failover()
    reader = reader_of(protected)
    assert reader.try_run("protection-group", "set", GROUP, "--description", "x").code == FAILED
    at_a = records(a.cli)
    begun = [record for record in at_a if record["kind"] == "begun"]
    assert {record["what"] for record in begun} >= {"CreateSite", "CreateTenantMapping", "CreateGroup", "SetMappings", "AddMembers"}
    for record in begun:
        # Who, project, what, from where, request id, outcome, evidence.
        assert record["user"] == "demo" and record["user_id"] and record["project"] == "demo" and "member" in record["roles"], record
        assert record["from"].startswith("ipv4:") and record["caller"] == "cli of site-a" and record["request_id"] and record["request"], record
        ended = [other for other in at_a if other["kind"] == "ended" and other["begun"] == record["number"] and other["service"] == record["service"]]
        assert len(ended) == 1 and ended[0]["request_id"] == record["request_id"], (record, ended)
        assert ended[0]["outcome"] == "OK" and (ended[0]["evidence"] or record["what"].startswith("Delete")), ended
    # The group is on site-b by now: it is the one that refused.
    denied = [record for record in records(b.cli) if record["kind"] == "refused"]
    assert [(record["user"], record["what"], record["outcome"]) for record in denied] == [("rita", "UpdateGroup", "NOT_ALLOWED")], denied
    # The move, on the site that ran it: who asked, and what the service decided.
    at_b = records(b.cli)
    assert [record["evidence"] for record in at_b if record["what"] == "StartFailover" and record["kind"] == "ended"] == [f"id={operation['operation_id']}"]
    decided = [record["what"] for record in reversed(at_b) if record["kind"] == "decision" and operation["operation_id"] in record["evidence"]]
    assert decided == ["operation accepted", "point of no return passed", "operation ended"], decided
    times = [record["time"] for record in at_b]
    assert times == sorted(times, reverse=True)
    # What is asked for is found.
    one = begun[0]
    assert {record["number"] for record in records(a.cli, "--of-request", one["request_id"], "--service", one["service"])} >= {one["number"]}
    assert records(a.cli, "--user", "nobody") == [] and records(a.cli, "--since", "2999-01-01T00:00:00Z") == []
    for cli in (a.cli, b.cli):
        verified = cli.json("audit", "verify")
        assert all(row["intact"] for row in verified) and {row["service"] for row in verified} == {"site-registry", "metadata-sync", "orchestrator"}


def test_a_rollback_and_a_quarantine_are_decisions(protected):
    a, b = protected.a, protected.b
    operation = protected.start("failover", view=b)
    b.cli.run("operation", "cancel", operation, "--reason", "a drill")
    protected.finished(operation, b, expect=None)
    at_b = records(b.cli)
    assert any(record["what"] == "CancelOperation" and "a drill" in record["request"] for record in at_b)
    protected.kill_site(a)
    protected.failover("--type", "unplanned", view=b)
    protected.revive_site(a)
    quarantined = eventually(lambda: [record for record in records(a.cli) if record["what"] == "quarantine"], "the quarantine is on record", 60, 0.3)
    assert GROUP in quarantined[0]["request"] and quarantined[0]["evidence"].startswith("servers "), quarantined


@pytest.fixture
def witnessed(protected):
    """The same, with the other site knowing how far the orchestrator's record has come."""
    eventually(lambda: row_of(protected.a)["witnessed"] == row_of(protected.a)["records"] > 0, "the other site has noted it", 30, 0.3)
    return protected


def row_of(view, *arguments):
    tried = view.cli.try_run("audit", "verify", "--service", "orchestrator", "-f", "json", *arguments)
    return tried.json[0] | {"code": tried.code, "error": tried.error}


def with_the_file(world, view, change):
    """What somebody does who owns the machine: the service is stopped, its file altered, the service started again."""
    world.kill_process(view, "orchestrator")
    path = view.site.directory / "state" / "orchestrator" / "audit.db"
    with sqlite3.connect(path) as database:
        change(database)
    database.close()
    world.start_process(view, "orchestrator")




def alter(database):
    """Without a thought for the store's own checksum of each record."""
    database.execute("UPDATE records SET value = ? WHERE bucket = 'audit' AND key = ?", altered(database))


def rewrite(database):
    database.execute("UPDATE records SET value = ?, sum = NULL WHERE bucket = 'audit' AND key = ?", altered(database))


def altered(database):
    key, value = database.execute("SELECT key, value FROM records WHERE bucket = 'audit' ORDER BY key LIMIT 1 OFFSET 2").fetchone()
    assert b"demo" in value
    return value.replace(b"demo", b"evil"), key


def remove(database):
    database.execute("DELETE FROM records WHERE bucket = 'audit' AND key = (SELECT key FROM records WHERE bucket = 'audit' ORDER BY key LIMIT 1 OFFSET 1)")


def cut(database):
    """The last records are removed, and what says where the end is with them: the chain that is left is whole."""
    keys = [row[0] for row in database.execute("SELECT key FROM records WHERE bucket = 'audit' ORDER BY key")]
    last = keys[-3]
    value = database.execute("SELECT value FROM records WHERE bucket = 'audit' AND key = ?", (last,)).fetchone()[0]
    for key in keys[-2:]:
        database.execute("DELETE FROM records WHERE bucket = 'audit' AND key = ?", (key,))
    text = last if isinstance(last, str) else last.decode()
    database.execute("UPDATE records SET value = ?, sum = NULL WHERE bucket = 'audit-heads' AND key = 'end'", (f"{int(text)}\n".encode() + value[:64],))


@pytest.mark.parametrize("change", [alter, rewrite, remove, cut], ids=lambda change: change.__name__)
def test_whatever_is_done_to_the_file_is_found(witnessed, change):
    before = row_of(witnessed.a)
    assert before["code"] == DONE and before["intact"], before
    with_the_file(witnessed, witnessed.a, change)
    after = row_of(witnessed.a)
    assert after["code"] == FAILED and not after["intact"] and after["problem"] and "AUDIT_BROKEN" in after["error"], after


def test_a_record_that_was_written_anew_as_a_whole_is_found_by_the_other_site_and_by_the_log(witnessed):
    a = witnessed.a
    known = row_of(a)
    witnessed.kill_process(a, "orchestrator")
    state = a.site.directory / "state" / "orchestrator"
    for path in state.glob("audit.db*"):
        path.unlink()
    witnessed.start_process(a, "orchestrator")
    for text in range(known["records"] + 1):  # a chain of its own, longer than the first one
        a.cli.run("protection-group", "set", GROUP, "--description", f"forged {text}")
    found = row_of(a)
    assert found["code"] == FAILED and "was replaced by this one" in found["problem"] and known["head"] in found["error"], found
    # On purpose, as after an incident: said so, it is no failure.
    assert row_of(a, "--accept", known["head"])["code"] == DONE
    witnessed.kill_process(witnessed.b, "orchestrator")
    alone = row_of(a, "--known", f"orchestrator:{known['records']}:{known['head']}")
    assert alone["code"] == FAILED and not alone["intact"] and "what the other site noted could not be asked" in alone["error"], alone


def test_a_change_that_cannot_be_put_on_record_is_not_made(protected):
    a = protected.a
    before = protected.group()
    protected.kill_process(a, "orchestrator")
    path = a.site.directory / "state" / "orchestrator" / "audit.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TRIGGER refuse BEFORE INSERT ON records BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    database.commit()
    database.close()
    protected.start_process(a, "orchestrator")
    tried = a.cli.try_run("protection-group", "set", GROUP, "--description", "unrecorded")
    assert tried.code != DONE and "the change cannot be put on record, so it is not made" in tried.error, tried
    assert protected.group()["version"] == before["version"]


def test_only_administrators_read_it(protected):
    member = cli_of(protected, Keystone(protected.a).user("melly", "demo", "member"))
    for verb in ("list", "verify"):
        tried = member.try_run("audit", verb)
        assert tried.code == FAILED and "NOT_ALLOWED" in tried.error, tried
