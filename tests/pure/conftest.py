"""flasharray-sim as the array vendor's own client sees it. Every answer that the client gets is checked against the schema of REST
2.26 and for the exact set of properties; what the client made of it is what the tests look at."""

import itertools
import json
import pathlib
import sys
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "contract" / "flasharray"))

from fasim import TOKEN, Array, start_pair, until  # noqa: E402
from pypureclient import flasharray  # noqa: E402
from pypureclient._transport import rest  # noqa: E402
from shapes import SCHEMA, check_answer  # noqa: E402

_numbers = itertools.count(1)
SEEN = []  # (method, path, status) of every request that the client made


def top_level(cell):
    """{name: first version} of a cell of operations.inc, without what is nested in braces."""
    found, depth, word = {}, 0, ""
    for letter in cell + ",":
        if letter in "{}":
            depth += 1 if letter == "{" else -1
        elif letter == "," and depth == 0:
            name, _, since = word.partition("@")
            found[name.removesuffix("[]")] = int(since or 0)
            word = ""
        elif depth == 0:
            word += letter
    return found


def operations():
    """(method, path) -> properties of an item in REST 2.26, from the table derived from the vendor's specifications."""
    text = (ROOT / "simulators" / "flasharray" / "spec" / "operations.inc").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith(("GET ", "POST ", "PATCH ", "PUT ", "DELETE "))]
    return {tuple(row[0].split()[:2]): {name for name, since in top_level(row[3]).items() if since <= 26} for row in rows}


OPERATIONS = operations()


def check(method, path, body):
    if f"{method} {path}" in SCHEMA["responses"]:
        return check_answer(method, path, body)
    for item in body.get("items", []):  # paths that the schema leaves out
        assert set(item) == OPERATIONS[method, path], f"{method} {path}: {sorted(set(item) ^ OPERATIONS[method, path])}"
    return None


def watch(original):
    def request(self, method, url, *arguments, **options):
        answer = original(self, method, url, *arguments, **options)
        path = urllib.parse.urlsplit(url).path
        version, _, endpoint = path.removeprefix("/api/").partition("/")
        SEEN.append((method, "/" + endpoint, answer.status))
        data = getattr(answer, "data", None)
        if answer.status == 200 and data and version == "2.26" and endpoint not in ("login", "logout"):
            check(method, "/" + endpoint, json.loads(data))
        return answer
    return request


rest.RESTClientObject.request = watch(rest.RESTClientObject.request)


def connect(array, token=TOKEN, **options):
    return flasharray.Client(f"{array.ip}:{array.rest_port}", api_token=token, verify_ssl=False, **options)


def items(answer):
    assert answer.status_code == 200, getattr(answer, "errors", answer)
    return list(answer.items)


def one(answer):
    found = items(answer)
    assert len(found) == 1, found
    return found[0]


@pytest.fixture
def array(tmp_path):
    simulator = Array("array-a", f"127.0.94.{next(_numbers)}", tmp_path / "state")
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def client(array):
    return connect(array)


@pytest.fixture
def pair(tmp_path):
    a, b = start_pair(tmp_path)
    yield a, b
    a.stop()
    b.stop()
