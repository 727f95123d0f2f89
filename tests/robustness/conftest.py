"""Labs of the robustness tests: one on loopback addresses for crashes and faults, one of network namespaces for partitions."""

import os
import pathlib
import shutil
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "e2e"), str(pathlib.Path(__file__).resolve().parent)]

import netlab  # noqa: E402
from course import RobustWorld  # noqa: E402
from world import World  # noqa: E402

DIRECTORY = ROOT / "build" / "robustness"


def pytest_configure(config):
    config.addinivalue_line("markers", "long: one of many alike; continuous integration takes the others")


def with_long(few, all_of_them):
    """Parameters of a test: all of them, those that are not among `few` marked as long."""
    return [value if value in few else pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.long) for value in all_of_them]


class NetworkedWorld(RobustWorld):
    def __init__(self, directory, network):
        super().__init__(directory, ",".join(netlab.ADDRESSES.values()))
        self.network = network
        self.use(netlab.NetnsLab(self.layout))


@pytest.fixture(scope="session")
def crashing_world():
    shutil.rmtree(DIRECTORY / "crash", ignore_errors=True)
    world = RobustWorld(DIRECTORY / "crash", os.environ.get("PROTECTOR_ROBUSTNESS_IPS", "127.0.53.1,127.0.63.1"))
    yield world
    world.close()


@pytest.fixture(scope="session")
def network():
    made = netlab.Network()
    made.up()
    yield made
    made.down()


@pytest.fixture(scope="session")
def networked_session(network):
    shutil.rmtree(DIRECTORY / "network", ignore_errors=True)
    world = NetworkedWorld(DIRECTORY / "network", network)
    yield world
    world.close()


@pytest.fixture
def networked(networked_session):
    """Two protected sites in namespaces of their own, the network whole."""
    networked_session.network.heal()
    networked_session.begin("protected")
    yield networked_session
    networked_session.network.heal()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    world = next((value for value in getattr(item, "funcargs", {}).values() if isinstance(value, World)), None)
    if report.failed and world is not None:
        report.sections.append(("lab", f"logs and state of the lab are in {world.keep_evidence(item.name)}"))
