"""One pair of arrays for each module that wants them; every answer of the REST face is checked against the schema."""
import itertools
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fasim import Array, start_pair  # noqa: E402
from shapes import check_answer  # noqa: E402

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    a, b = start_pair(tmp_path_factory.mktemp("arrays"))
    yield a, b
    a.stop()
    b.stop()


@pytest.fixture
def fresh_pair(tmp_path_factory):
    a, b = start_pair(tmp_path_factory.mktemp("arrays"))
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
