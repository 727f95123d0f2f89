"""protector-pki: what it makes, what it refuses, and that nothing half made is left."""

import datetime
import subprocess

import pytest
from protector_lab import pki


def refused(*arguments):
    with pytest.raises(RuntimeError) as error:
        pki.run(*arguments)
    return str(error.value)


@pytest.fixture
def authority(tmp_path):
    pki.run("ca", tmp_path / "ca", "--name", "a CA")
    return tmp_path / "ca"


def test_a_certificate_names_its_program_and_is_valid_for_a_machine_whose_clock_is_a_day_behind(authority):
    pki.run("issue", authority, "site-a", "orchestrator", "--days", "3", "--host", "10.0.0.5", "--host", "dr.example.org")
    certificate = authority / "site-a" / "orchestrator.pem"
    shown = pki.run("show", certificate)
    for name in ("URI:spiffe://protector/site-a/orchestrator", "IP Address:10.0.0.5", "DNS:dr.example.org", "DNS:orchestrator.site-a.protector"):
        assert name in shown
    dates = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-dates"], capture_output=True, text=True, check=True).stdout
    begins, ends = (datetime.datetime.strptime(line.split("=", 1)[1].strip(), "%b %d %H:%M:%S %Y %Z") for line in dates.splitlines())
    now = datetime.datetime.utcnow()
    assert now - begins >= datetime.timedelta(hours=23, minutes=59) and datetime.timedelta(days=2) < ends - now <= datetime.timedelta(days=3)
    subprocess.run(["openssl", "verify", "-CAfile", authority / "ca.pem", certificate], check=True, capture_output=True)


def test_keys_are_for_their_owner_only_and_nothing_else_is_left(authority):
    pki.run("issue", authority, "site-a", "cli")
    assert sorted(path.name for path in authority.iterdir()) == ["ca.key", "ca.pem", "site-a"]
    assert sorted(path.name for path in (authority / "site-a").iterdir()) == ["ca.pem", "cli.key", "cli.pem"]
    for key in (authority / "ca.key", authority / "site-a" / "cli.key"):
        assert key.stat().st_mode & 0o077 == 0


def test_a_ca_is_never_replaced_and_a_bundle_of_cas_stays(authority):
    before = (authority / "ca.key").read_bytes()
    assert "has a CA already" in refused("ca", authority)
    assert (authority / "ca.key").read_bytes() == before
    out = authority.parent / "out"
    out.mkdir()
    (out / "ca.pem").write_text("two CAs")
    pki.run("issue", authority, "site-b", "cli", "--out", out)
    assert (out / "ca.pem").read_text() == "two CAs"


@pytest.mark.parametrize("arguments", [("si/te", "cli"), ("site-a", "nova"), ("site-a", "cli", "--days", "soon"), ("site-a", "cli", "--host", "a b,URI:x"),
                                       ("", "cli"), ("site-a\nx", "cli"), ("site-a",), ("site-a", "cli", "--what"), ("site-a", "cli", "--days"), ("site-a", "cli", "--host", "")])
def test_wrong_arguments_are_refused_and_make_nothing(authority, arguments):
    assert "Remedy" in refused("issue", authority, *arguments) or len(arguments) == 1
    assert sorted(path.name for path in authority.iterdir()) == ["ca.key", "ca.pem"]


def test_without_a_ca_nothing_is_issued(tmp_path):
    assert "protector-pki ca" in refused("issue", tmp_path, "site-a", "cli")
