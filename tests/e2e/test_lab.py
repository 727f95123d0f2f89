"""The lab itself: idempotent, exact about what it kills, and faithful about state."""

import json
import subprocess

from protector_lab.process import Process, start_time
from world import GROUP


def test_up_is_idempotent_and_status_tells(world):
    before = [row[2] for row in world.lab.status()]
    world.lab.up()
    rows = world.lab.status()
    assert [row[2] for row in rows] == before and {row[3] for row in rows} == {"healthy"}


def test_kill_takes_exactly_one_site_away_and_revive_brings_it_back_as_it_was(protected):
    before = sorted(server["id"] for server in protected.a.cloud.servers())
    protected.lab.kill(protected.a.site)
    states = {(row[0], row[3]) for row in protected.lab.status()}
    assert states == {("site-a", "down"), ("site-b", "healthy")}
    protected.lab.revive(protected.a.site)
    assert sorted(server["id"] for server in protected.a.cloud.servers()) == before
    assert protected.group()["name"] == GROUP


def test_a_recycled_pid_is_never_killed(tmp_path):
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        process = Process("service", tmp_path)
        process.record_path.parent.mkdir(parents=True)
        process.record_path.write_text(json.dumps({"name": "service", "pid": bystander.pid,
                                                   "start_time": start_time(bystander.pid) - 1, "boot_id": ""}))
        process.kill()
        process.stop()
        assert bystander.poll() is None, "the lab killed a process that is not its own"
    finally:
        bystander.kill()
        bystander.wait()


def test_secret_files_are_for_their_owner_only(world):
    for site in world.layout.sites:
        for path in (site.directory / "secrets").iterdir():
            assert path.stat().st_mode & 0o077 == 0, path
