import json
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from real import ROOT, RealWorld  # noqa: E402


@pytest.fixture(scope="session")
def real():
    """Two real sites, registered; with OPENSTACK_LAB_KEEP those of an earlier run, which are not torn down at the end."""
    world = RealWorld(ROOT / "build" / "openstack" / "protector")
    if not os.environ.get("OPENSTACK_LAB_KEEP") or not world.lab.exists():
        world.begin_afresh()
    yield world
    (ROOT / "build" / "openstack" / "figures.json").write_text(json.dumps(world.figures, indent=1) + "\n")
    if not os.environ.get("OPENSTACK_LAB_KEEP"):
        world.close()


def pytest_sessionstart(session):
    session.stopped_story = None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    stopped = item.session.stopped_story
    if stopped and item.module.__name__ == "test_two_real_sites":
        pytest.fail(f"not tried: {stopped} failed before it, and the story goes on where it ended")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed and item.module.__name__ == "test_two_real_sites" and not item.session.stopped_story:
        item.session.stopped_story = item.name
