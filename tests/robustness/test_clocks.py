"""A clock that is set, hours forwards or backwards, in the middle of a failover: of one site or of both. Nothing is given up early, nothing
waits for the hours to pass, no token and no recovery point is taken for what it is not."""

import os
import pathlib
import shutil

import flows
import invariants
import pytest
from conftest import DIRECTORY, with_long
from course import RobustWorld
from failpoints import FailpointLab
from flows import at_rest, cleaned
from protector_lab import layout
from world import eventually

MEMBERS = ("web-1", "web-2", "db-1")
LIBRARY = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
C_LIBRARY = pathlib.Path("/lib/x86_64-linux-gnu/libc.so.6")


class ClockLab(FailpointLab):
    """Services whose time of day is the system's plus what a file of their site says; their monotonic clock is untouched, as in life."""

    def clock(self, site):
        return self.layout.directory.with_name(f"clock-{site.name}")

    def set(self, site, offset):
        temporary = self.clock(site).with_suffix(".new")
        temporary.write_text(f"{offset}\n")
        os.replace(temporary, self.clock(site))

    def plain_malloc(self):
        """A directory in which jemalloc's name stands for the C library: jemalloc asks for the time before libfaketime can tell it, and
        both wait for each other."""
        directory = self.layout.directory.with_name("plain-malloc")
        directory.mkdir(exist_ok=True)
        name = directory / "libjemalloc.so.2"
        if not name.is_symlink():
            name.symlink_to(C_LIBRARY)
        return directory

    def environment(self, site, name):
        if name not in layout.SERVICES:
            return {}
        if not self.clock(site).exists():
            self.set(site, "+0")
        return {**super().environment(site, name), "LD_PRELOAD": str(LIBRARY), "LD_LIBRARY_PATH": str(self.plain_malloc()),
                "FAKETIME_TIMESTAMP_FILE": str(self.clock(site)), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class ClockWorld(RobustWorld):
    def __init__(self, directory, addresses):
        super().__init__(directory, addresses)
        self.use(ClockLab(self.layout))


@pytest.fixture(scope="module")
def clock_world():
    shutil.rmtree(DIRECTORY / "clock", ignore_errors=True)
    DIRECTORY.joinpath("clock").mkdir(parents=True)
    world = ClockWorld(DIRECTORY / "clock", "127.0.57.1,127.0.67.1")
    yield world
    world.close()


@pytest.fixture
def protected(clock_world):
    for site in clock_world.layout.sites:
        clock_world.lab.set(site, "+0")
    clock_world.begin("protected")
    yield clock_world
    for site in clock_world.layout.sites:
        clock_world.lab.set(site, "+0")


def test_the_services_live_in_a_time_of_their_own(protected):
    """The test's tool works: what the services write bears their time."""
    protected.lab.set(protected.a.site, "+20h")
    protected.a.cli.run("protection-group", "set", "prod-web-app", "--description", "changed")
    history = protected.a.cli.json("protection-group", "history", "prod-web-app")
    times = sorted(str(entry["committed_at"]) for entry in history)
    assert times[-1][:13] > times[0][:13], history


@pytest.mark.parametrize("sites, jump, step", with_long(
    (("b", "+20h", "presync_snapshot"), ("a", "-20h", "trigger_final_snapshot")),
    [(sites, jump, step) for sites in ("a", "b", "ab") for jump in ("+20h", "-20h") for step in ("presync_snapshot", "trigger_final_snapshot")]))
def test_a_clock_is_set_during_a_failover(protected, sites, jump, step):
    operation = protected.start("failover")
    eventually(lambda: step in (shown(protected, operation) or {}).get("steps_completed", ()), f"{step} is done", 60, 0.01)
    for site in sites:
        protected.lab.set(protected.on(site).site, jump)
    final = eventually(lambda: flows.ended(protected.a, operation), f"{operation} has ended", 120)
    assert final["status"] == "completed", final
    cleaned(protected, protected.a, final)
    at_rest(protected, protected.b)
    invariants.a_group_at_rest_is_whole(protected, MEMBERS)


def shown(world, operation):
    found = world.a.cli.try_run("operation", "show", operation, "-f", "json")
    return found.json if found.code == 0 else None


def test_a_clock_that_comes_right_again_leaves_nothing_behind(protected):
    """Wrong by hours when the move begins, right again before it goes home."""
    protected.lab.set(protected.b.site, "-20h")
    done = protected.failover(expect="completed")
    cleaned(protected, protected.a, done)
    protected.lab.set(protected.b.site, "+0")
    at_rest(protected, protected.b)
    home = protected.failback(expect="completed")
    cleaned(protected, protected.b, home)
    at_rest(protected, protected.a)
    invariants.a_group_at_rest_is_whole(protected, MEMBERS)
