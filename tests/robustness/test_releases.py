"""What earlier releases left on disk is what this one goes on from: their histories, their journals, an operation that they did not end."""

import json
import shutil

import flows
import invariants
import pytest
import releases
from conftest import DIRECTORY
from course import RobustWorld
from flows import at_rest, cleaned
from world import eventually

MEMBERS = ("web-1", "web-2", "db-1")
VERSIONS = sorted(path.name for path in releases.KEPT.iterdir())


@pytest.fixture(scope="module")
def world():
    shutil.rmtree(DIRECTORY / "release", ignore_errors=True)
    made = RobustWorld(DIRECTORY / "release", releases.ADDRESSES)
    yield made
    made.close()


def kept(world, version, name):
    releases.put_back(world, releases.KEPT / version / f"{name}.tar.xz")
    return json.loads((releases.KEPT / version / f"{name}.json").read_text())


def holds(world, view):
    at_rest(world, view)
    invariants.a_group_at_rest_is_whole(world, MEMBERS, invariants.left_behind(world, world.a, world.b))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_state_of_an_earlier_release_is_read_and_gone_on_from(world, version):
    says = kept(world, version, "at-rest")
    assert json.loads(json.dumps(releases.told(world))) == says
    holds(world, world.b)
    done = world.failback(expect="completed")
    cleaned(world, world.b, done)
    at_rest(world, world.a)
    history = [[entry["version"], entry["hash"], entry["reason"]] for entry in world.a.cli.json("protection-group", "history", "prod-web-app")]
    assert all(entry in history for entry in says["history"])


@pytest.mark.parametrize("version", VERSIONS)
def test_an_operation_that_an_earlier_release_did_not_end_is_ended(world, version):
    operation = kept(world, version, "cut-off")["operation"]
    final = eventually(lambda: flows.ended(world.b, operation), f"{operation} has ended", 120)
    assert final["status"] == "completed", final
    cleaned(world, world.b, final)
    at_rest(world, world.b)
    invariants.a_group_at_rest_is_whole(world, MEMBERS)
