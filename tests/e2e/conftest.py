"""One lab for the whole session, on addresses of its own, so that a lab somebody works with is never touched."""

import os
import pathlib
import shutil
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(pathlib.Path(__file__).resolve().parent)]

from world import World  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "promise(name): the promise of the design that the test keeps watch over")


def pytest_collection_modifyitems(items):
    # What judges the whole run comes last.
    items.sort(key=lambda item: "test_after_the_run" in str(item.path))


@pytest.fixture(scope="session")
def session_world():
    directory = pathlib.Path(os.environ.get("PROTECTOR_E2E_DIR", ROOT / "build" / "e2e"))
    shutil.rmtree(directory / "failed", ignore_errors=True)
    world = World(directory / "lab", os.environ.get("PROTECTOR_E2E_IPS", "127.0.31.1,127.0.41.1"), directory / "failed")
    yield world
    world.close()


@pytest.fixture
def world(session_world):
    """Two registered sites without groups."""
    session_world.begin("registered")
    yield session_world


@pytest.fixture
def protected(session_world):
    """The same with `prod-web-app`: three running servers on site-a, mappings stored, a complete recovery point on site-b."""
    session_world.begin("protected")
    yield session_world


@pytest.fixture
def moved(session_world):
    """The same, moved to site-b by a planned failover, reverse replication up, everything clean."""
    session_world.begin("moved")
    yield session_world


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    world = item.funcargs.get("session_world") if hasattr(item, "funcargs") else None
    world = world or next((value for value in getattr(item, "funcargs", {}).values() if isinstance(value, World)), None)
    if report.failed and world is not None:
        kept = world.keep_evidence(item.name)
        report.sections.append(("lab", f"logs and state of the lab are in {kept}"))
