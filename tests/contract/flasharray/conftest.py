"""One pair of arrays for each module that wants them; every answer of the REST face is checked against the schema."""
import itertools
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fasim import Array, until  # noqa: E402
from shapes import check_answer  # noqa: E402

_numbers = itertools.count(1)


def _pair(tmp_path_factory, extra=()):
    number = next(_numbers)
    base = tmp_path_factory.mktemp("arrays")
    a = Array("array-a", f"127.0.91.{number}", base / "a", extra=extra)
    b = Array("array-b", f"127.0.92.{number}", base / "b", extra=extra)
    # The peers must know each other's control port before either runs.
    a.control_port = b.control_port = 19901
    a.peers, b.peers = [("array-b", b.control)], [("array-a", a.control)]
    for array in (a, b):
        array.check = check_answer
        array.start()
    until(lambda: a.get("/array-connections") and b.get("/array-connections"), what="the preconnected arrays")
    until(lambda: all(x.get("/array-connections")[0]["status"] == "connected" for x in (a, b)), what="connected")
    return a, b


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    a, b = _pair(tmp_path_factory)
    yield a, b
    a.stop()
    b.stop()


@pytest.fixture
def fresh_pair(tmp_path_factory):
    a, b = _pair(tmp_path_factory)
    yield a, b
    a.stop()
    b.stop()


@pytest.fixture(scope="module")
def array(tmp_path_factory):
    one = Array("array-a", f"127.0.93.{next(_numbers)}", tmp_path_factory.mktemp("array"))
    one.check = check_answer
    one.start()
    yield one
    one.stop()


@pytest.fixture
def fresh_array(tmp_path):
    one = Array("array-a", f"127.0.93.{next(_numbers)}", tmp_path / "state")
    one.check = check_answer
    one.start()
    yield one
    one.stop()
