"""Nobody in who does not belong: the certificates between the programs. What the certificates prove in detail, dates and other CAs among it, is
in libs/grpc/security_test.cc."""

import json
import shutil
import socket
import ssl
import subprocess
import urllib.request

import grpc
import pytest
import rpc
from protector_lab import pki
from protector_lab.cli import Cli
from protector_lab.cloud import Cloud
from test_users import stranger_of
from world import GROUP, UNREACHABLE, USAGE, eventually

STANDING = ("protector.peer.v1.PeerService/GetStanding", "protector.peer.v1.GetStandingRequest", "", "protector.peer.v1.GetStandingResponse")
STOP = ("protector.peer.v1.PeerService/StopServer", "protector.peer.v1.StopServerRequest",
        'authority { group_id: "g" epoch: 1 operation_id: "op-forged" } server_id: "s" hard: true', "protector.peer.v1.ChangeResponse")


def cli_with(view, directory, spoken):
    environment = {**view.cli.openrc, "PROTECTOR_TLS_DIR": str(directory)}
    return Cli(view.cli.program, environment, spoken=spoken)


def test_a_program_calls_what_it_was_made_for_and_nothing_else(protected):
    a, b = protected.a.site, protected.b.site
    rpc.call(a, "orchestrator", *STANDING, caller=(b, "orchestrator"))
    for caller in ((a, "orchestrator"), (b, "site-registry"), (b, "metadata-sync"), (b, "storage-pure"), (b, "cli"), (a, "cli")):
        with pytest.raises(grpc.RpcError) as refused:
            rpc.call(a, "orchestrator", *STOP, caller=caller)
        assert rpc.code_of(refused.value) == "PERMISSION_DENIED", (caller[0].name, caller[1], refused.value)
        log = (a.directory / "log" / "orchestrator.log").read_text()
        assert f'"caller":"{caller[0].name}/{caller[1]}"' in log and "CALLER_NOT_ALLOWED" in log, "the refusal is not in the log"
    assert {server["status"] for server in protected.a.cloud.servers()} == {"ACTIVE"}


def test_nobody_gets_in_without_a_certificate(protected):
    address = protected.a.site.address("site-registry")
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/protector.site.v1.SiteRegistryService/ListSites")(b"", timeout=5)
    assert rpc.code_of(refused.value) == "UNAVAILABLE", refused.value
    trusted = (pki.directory(protected.a.site) / "ca.pem").read_bytes()
    with grpc.secure_channel(address, grpc.ssl_channel_credentials(trusted), (("grpc.ssl_target_name_override", "site-registry.site-a.protector"),)) as channel, \
            pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/protector.site.v1.SiteRegistryService/ListSites")(b"", timeout=5)
    assert rpc.code_of(refused.value) == "UNAVAILABLE", refused.value
    log = protected.a.site.directory / "log" / "site-registry.log"
    eventually(lambda: any('"gRPC"' in line and "andshake failed" in line for line in log.read_text().splitlines()), "the refusal is in the log")


def test_a_client_that_floods_or_stalls_stops_nobody_else(protected):
    a = protected.a
    stalled = [socket.create_connection((a.site.address("orchestrator").rsplit(":", 1)[0], int(a.site.address("orchestrator").rsplit(":", 1)[1]))) for _ in range(200)]
    token = Cloud(stranger_of(protected)[0].openrc).token
    with rpc.channel(a.site, "orchestrator", (a.site, "cli")) as channel:
        list_groups = channel.unary_unary("/protector.operation.v1.GroupService/ListGroups")
        # Another project's user, and tokens that are none; each call is refused or answered, and none of them is in the way of this one's.
        flood = [list_groups.future(b"", timeout=60, metadata=(("x-protector-token", token if i % 2 else f"none-{i}"),)) for i in range(3000)]
        try:
            assert a.cli.json("protection-group", "show", GROUP)["name"] == GROUP  # within the command's own 30 s
        finally:
            codes = {call.code().name for call in flood}
            for connection in stalled:
                connection.close()
    assert codes <= {"OK", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED"}, codes


def test_a_message_that_is_too_large_is_refused_before_it_is_read(protected):
    with rpc.channel(protected.a.site, "site-registry", (protected.a.site, "cli")) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/protector.site.v1.SiteRegistryService/ListSites")(b"\x12" + b"\x80\x80\x80\x22" + b"x" * (68 << 20), timeout=30)
    assert rpc.code_of(refused.value) == "RESOURCE_EXHAUSTED", refused.value


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "two\nlines", "bell\x07", "\x1b[31mred", "%2e%2e", "x" * 300],
                         ids=["path", "slash", "newline", "bell", "escape", "percent", "long"])
def test_names_that_are_paths_or_control_characters_are_refused(protected, name):
    made = protected.a.cli.try_run("protection-group", "create", name, "--replication-type", "async")
    assert made.code == USAGE and "remedy: " in made.error, made
    assert all(byte >= 0x20 or byte == 0x0A for byte in made.error.encode()), made.error
    # What never goes through the command line's own checks.
    request = f'name: {json.dumps(name)} replication_type: ASYNC primary_site: "site-a" secondary_site: "site-b"'
    with pytest.raises(grpc.RpcError) as refused:
        rpc.call(protected.a.site, "orchestrator", "protector.operation.v1.GroupService/CreateGroup", "protector.operation.v1.CreateGroupRequest", request,
                 "protector.operation.v1.Group", caller=(protected.a.site, "cli"), token=Cloud(protected.a.cli.openrc).token)
    assert rpc.code_of(refused.value) == "INVALID_ARGUMENT", refused.value
    assert [group["name"] for group in protected.a.cli.json("protection-group", "list")] == [GROUP]


def test_the_command_line_says_what_is_wrong_with_its_certificate(protected, tmp_path):
    none = cli_with(protected.a, tmp_path / "nowhere", protected.spoken).try_run("site", "list")
    assert none.code == USAGE and "ca.pem" in none.error and "protector-pki issue" in none.error, none
    pki.run("ca", tmp_path / "ca")
    pki.run("issue", tmp_path / "ca", "site-a", "cli", "--out", tmp_path / "strange")
    strange = cli_with(protected.a, tmp_path / "strange", protected.spoken).try_run("site", "list")
    assert strange.code == UNREACHABLE and "SERVICE_NOT_TRUSTED" in strange.error and "protector-pki show" in strange.error, strange
    # Trusting the right CA does not make it trusted.
    shutil.copy(pki.directory(protected.a.site) / "ca.pem", tmp_path / "strange" / "ca.pem")
    refused = cli_with(protected.a, tmp_path / "strange", protected.spoken).try_run("site", "list")
    assert refused.code == UNREACHABLE, refused
    # A certificate of the right CA for another program.
    (tmp_path / "other").mkdir()
    for suffix in ("pem", "key"):
        shutil.copy(pki.directory(protected.a.site) / f"storage-pure.{suffix}", tmp_path / "other" / f"cli.{suffix}")
    shutil.copy(pki.directory(protected.a.site) / "ca.pem", tmp_path / "other" / "ca.pem")
    other = cli_with(protected.a, tmp_path / "other", protected.spoken).try_run("site", "list")
    assert other.code != 0 and "CALLER_NOT_ALLOWED" in other.error, other


def test_a_service_with_another_programs_certificate_does_not_start(protected):
    site = protected.a.site
    protected.kill_process(protected.a, "storage-pure")
    for suffix in ("pem", "key"):
        shutil.copy(pki.directory(site) / f"site-registry.{suffix}", pki.directory(site) / f"storage-pure.{suffix}")
    done = subprocess.run([protected.layout.program("storage-pure"), "--config", site.directory / "storage-pure.yaml"], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode != 0 and "the certificate is for site-registry of site-a" in done.stderr and "Remedy" in done.stderr, done


def test_certificates_are_replaced_while_everything_runs(protected):
    before = {(site.name, name): protected.lab.process(site, name).pid() for site in protected.layout.sites for name in protected.lab.names()}
    for site in protected.layout.sites:
        for program in pki.PROGRAMS:
            pki.issue(protected.layout, site, program)
    for site in protected.layout.sites:
        for service in ("site-registry", "metadata-sync", "storage-pure", "orchestrator"):
            eventually(lambda site=site, service=service: served_certificate(site, service) == (pki.directory(site) / f"{service}.pem").read_text().strip(),
                       f"{service} of {site.name} shows the new certificate", 20)
    operation = protected.failover(wait=True)
    assert operation["status"] == "completed", operation
    assert before == {(site.name, name): protected.lab.process(site, name).pid() for site in protected.layout.sites for name in protected.lab.names()}


def served_certificate(site, service):
    """PEM of the certificate that the service shows."""
    keys = pki.directory(site)
    done = subprocess.run(["openssl", "s_client", "-connect", site.address(service), "-cert", keys / "cli.pem", "-key", keys / "cli.key", "-alpn", "h2"],
                          input="", capture_output=True, text=True, errors="replace", timeout=10, check=False)  # HTTP/2 is no text
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return begin + done.stdout.split(begin, 1)[1].split(end, 1)[0] + end if begin in done.stdout else ""


def test_plain_text_is_only_spoken_where_the_configuration_says_so_and_then_with_a_warning(protected):
    site = protected.a.site
    protected.kill_process(protected.a, "site-registry")
    path = site.directory / "site-registry.yaml"
    text = path.read_text()
    path.write_text(text + "insecure: true\n")
    try:
        protected.lab.start_process(site, "site-registry")
        log = site.directory / "log" / "site-registry.log"
        eventually(lambda: "insecure: calls are neither encrypted" in log.read_text(), "the warning is in the log")

        def answers():
            with grpc.insecure_channel(site.address("site-registry")) as channel:
                try:
                    channel.unary_unary("/protector.site.v1.SiteRegistryService/ListSites")(b"", timeout=5)
                except grpc.RpcError:
                    return False
            return True
        eventually(answers, "it answers in plain text")
        # The others do not talk to it: they want to know who it is.
        result = protected.a.cli.try_run("site", "list")
        assert result.code == UNREACHABLE, result
    finally:
        protected.kill_process(protected.a, "site-registry")
        path.write_text(text)


def array_call(site, method, path, body=None, **headers):
    """A call of the array's REST API; its answer's headers and body."""
    trusted = ssl.create_default_context(cafile=str(site.directory / "state" / "flasharray-sim" / "cert.pem"))
    trusted.check_hostname = False
    request = urllib.request.Request(f"{site.array_url}/api/2.26{path}", method=method, data=json.dumps(body or {}).encode(),
                                     headers={"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:
        return answer.headers, json.loads(answer.read() or b"{}")


def test_secrets_are_rotated_while_everything_runs(protected):
    a, site = protected.a, protected.a.site
    pids = {name: protected.lab.process(site, name).pid() for name in protected.lab.names()}
    files = {name: site.directory / "secrets" / name for name in ("protector", "array")}
    old = {name: file.read_text() for name, file in files.items()}
    user = a.admin.request("identity", "GET", "/users?name=protector")["users"][0]["id"]
    since = max(entry["n"] for entry in a.cloud_sim.journal())
    try:
        files["protector"].write_text("another password\n")
        a.admin.request("identity", "PATCH", f"/users/{user}", {"user": {"password": "another password"}})
        session = {"x-auth-token": array_call(site, "POST", "/login", **{"api-token": old["array"].strip()})[0]["x-auth-token"]}
        # Another user's, because Cinder of this lab shares the old one, and nobody tells it.
        array_call(site, "POST", "/admins?names=rotated", {"role": {"name": "storage_admin"}}, **session)
        files["array"].write_text(array_call(site, "POST", "/admins/api-tokens?names=rotated", **session)[1]["items"][0]["api_token"]["token"])
        # Sessions that were opened with the old ones end, as they do in time.
        for service in ("nova", "cinder", "neutron"):
            a.cloud_sim.add_fault(service=service, action="error", status=401, nth=1, count=1)
        a.array_sim.add_fault(match={"nth": 1, "count": 1}, action="error", status=401)
        status = protected.failover(wait=True)["status"]
        assert status == "completed"
        assert "rotated" in {entry["user"] for entry in a.array_sim.journal() if entry["method"] != "GET"}
        logins = [entry["status"] for entry in a.cloud_sim.journal(since) if (entry["method"], entry["path"]) == ("POST", "/v3/auth/tokens")]
        assert 201 in logins, logins
        assert pids == {name: protected.lab.process(site, name).pid() for name in protected.lab.names()}
    finally:
        for name, file in files.items():
            file.write_text(old[name])
        a.admin.request("identity", "PATCH", f"/users/{user}", {"user": {"password": old["protector"].strip()}})
