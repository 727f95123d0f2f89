import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cloud  # noqa: E402


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One site with an array of its own inside; shared by the tests of a file."""
    s = cloud.Site(tmp_path_factory.mktemp("site"), "--array", "none", "--guest-interval-ms", "10")
    yield s
    assert s.process.end() == 0, s.process.log.read_text()


@pytest.fixture
def own_site(tmp_path):
    """Starts sites that one test alone uses."""
    sites = []

    def start(*flags, **more):
        sites.append(cloud.Site(tmp_path / f"site{len(sites)}", *flags, **more))
        return sites[-1]
    yield start
    for s in sites:
        s.process.end()


@pytest.fixture
def heal(site):
    yield
    site.heal()


@pytest.fixture
def demo(site):
    return site.demo()


@pytest.fixture
def admin(site):
    return site.admin()
