"""libs/cloudconfig and openstacksdk's loader read the same directories and environments and must come to the same cloud.

Needs Debian's python3-openstacksdk; skipped without it.
"""

import importlib.util
import itertools
import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
DUMP = pathlib.Path(os.environ.get("PROTECTOR_BIN", ROOT / "build" / "bin")) / "protector-cloudconfig-dump"

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("openstack") is None, reason="python3-openstacksdk is not installed"),
    pytest.mark.skipif(not DUMP.exists(), reason=f"{DUMP} is not built"),
]

# Settings that the SDK has for itself and the product has no use for.
SDK_ONLY = {
    "baremetal_status_code_retries", "baremetal_introspection_status_code_retries", "image_status_code_retries",
    "floating_ip_source", "image_api_use_tasks", "image_format", "message", "secgroup_source", "status", "networks",
}

TWO = """
clouds:
  site-a:
    auth: {auth_url: "http://a:5000/v3", username: demo, password: pw-a, project_name: demo, user_domain_name: Default}
    region_name: site-a
  site-b:
    auth: {auth_url: "http://b:5000/v3", username: demo, project_name: demo}
    regions:
      - one
      - {name: two, values: {interface: internal, auth: {username: two-user}}}
"""
ONE = """
clouds:
  only:
    auth: {auth_url: "http://o:5000", username: u, password: p, project_name: x, domain_name: D}
"""
ENV = {"OS_AUTH_URL": "http://e:5000/v3", "OS_USERNAME": "eu", "OS_PASSWORD": "ep", "OS_PROJECT_NAME": "eproj",
       "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_ID": "default"}
CWD, HOME, ETC = "cwd", "home/.config/openstack", "etc/openstack"


def clouds(settings):
    return "clouds:\n  c:\n" + "".join(f"    {line}\n" for line in settings.strip().splitlines())


# name -> (files, environment, options)
CASES = {
    "nothing": ({}, {}, {}),
    "only cloud of the file": ({f"{CWD}/clouds.yaml": ONE}, {}, {}),
    "two clouds, none chosen": ({f"{CWD}/clouds.yaml": TWO}, {}, {}),
    "OS_CLOUD": ({f"{CWD}/clouds.yaml": TWO}, {"OS_CLOUD": "site-a"}, {}),
    "OS_CLOUD of no cloud": ({f"{CWD}/clouds.yaml": TWO}, {"OS_CLOUD": "site-x"}, {}),
    "OS_CLOUD without any file": ({}, {"OS_CLOUD": "site-x"}, {}),
    "option cloud": ({f"{CWD}/clouds.yaml": TWO}, {"OS_CLOUD": "site-a"}, {"os-cloud": "site-b"}),
    "environment": ({}, ENV, {}),
    "environment over the file": ({f"{CWD}/clouds.yaml": TWO}, ENV, {}),
    "OS_CLOUD over the environment": ({f"{CWD}/clouds.yaml": TWO}, {**ENV, "OS_CLOUD": "site-a"}, {}),
    "environment named": ({f"{CWD}/clouds.yaml": TWO}, {**ENV, "OS_CLOUD_NAME": "mine"}, {}),
    "environment's name taken": ({f"{CWD}/clouds.yaml": TWO}, {"OS_CLOUD_NAME": "site-a"}, {}),
    "file cloud called envvars": ({f"{CWD}/clouds.yaml": "clouds: {envvars: {}}"}, {}, {}),
    "only selectors": ({f"{CWD}/clouds.yaml": ONE}, {"OS_REGION_NAME": "R", "OS_CLOUD": "only"}, {}),
    "environment region": ({}, {**ENV, "OS_REGION_NAME": "R"}, {}),
    "environment region list": ({}, {**ENV, "OS_REGION_NAME": "R,S"}, {}),
    "ignored variables": ({}, {"OS_TEST_X": "1", "OS_STDOUT": "1", "OS_LOG": "1"}, {}),
    "environment tenant": ({}, {**{k: v for k, v in ENV.items() if "PROJECT" not in k}, "OS_TENANT_NAME": "t"}, {}),
    "environment insecure": ({}, {**ENV, "OS_INSECURE": "True", "OS_CACERT": "/ca"}, {}),
    "environment endpoint type": ({}, {**ENV, "OS_ENDPOINT_TYPE": "internalURL"}, {}),
    "environment interface": ({}, {**ENV, "OS_INTERFACE": "internal", "OS_IDENTITY_API_VERSION": "3"}, {}),
    "environment application credential": ({}, {"OS_AUTH_URL": "http://e", "OS_AUTH_TYPE": "v3applicationcredential",
                                                "OS_APPLICATION_CREDENTIAL_ID": "i", "OS_APPLICATION_CREDENTIAL_SECRET": "s"}, {}),
    "environment token": ({}, {"OS_AUTH_URL": "http://e", "OS_AUTH_TYPE": "v3token", "OS_TOKEN": "tok", "OS_PROJECT_ID": "p"}, {}),
    "environment auth token": ({}, {"OS_AUTH_URL": "http://e", "OS_AUTH_TYPE": "token", "OS_AUTH_TOKEN": "tok"}, {}),
    "environment system scope": ({}, {"OS_AUTH_URL": "http://e", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_SYSTEM_SCOPE": "all"}, {}),
    "environment domain scope": ({}, {"OS_AUTH_URL": "http://e", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_DOMAIN_NAME": "D"}, {}),
    "environment empty password": ({}, {**ENV, "OS_PASSWORD": ""}, {}),
    "environment passes braces in the password": ({}, {**ENV, "OS_PASSWORD": "a{b}c"}, {}),
    "prefer ipv6 off": ({}, {**ENV, "OS_PREFER_IPV6": "false"}, {}),
    "force ipv4": ({}, {**ENV, "OS_FORCE_IPV4": "true"}, {}),
    "cwd before home": ({f"{CWD}/clouds.yaml": ONE, f"{HOME}/clouds.yaml": TWO}, {}, {}),
    "yaml before json": ({f"{CWD}/clouds.json": '{"clouds": {"j": {}}}', f"{CWD}/clouds.yml": "clouds: {y: {}}"}, {}, {}),
    "json": ({f"{HOME}/clouds.json": '{"clouds": {"j": {"auth": {"auth_url": "http://j", "password": 12}, "identity_api_version": 3.0}}}'}, {}, {}),
    "site directory": ({f"{ETC}/clouds.yaml": ONE}, {}, {}),
    "several site directories": ({f"{ETC}/clouds.yaml": ONE}, {"XDG_CONFIG_DIRS": "{tmp}/etc:{tmp}/other"}, {}),
    "XDG home": ({"xdg/openstack/clouds.yaml": ONE}, {"XDG_CONFIG_HOME": "{tmp}/xdg"}, {}),
    "snap home": ({"snap/.config/openstack/clouds.yaml": ONE}, {"SNAP_REAL_HOME": "{tmp}/snap"}, {}),
    "named file": ({"named.yaml": ONE, f"{CWD}/clouds.yaml": TWO}, {"OS_CLIENT_CONFIG_FILE": "{tmp}/named.yaml"}, {}),
    "named file that is not there": ({f"{CWD}/clouds.yaml": ONE}, {"OS_CLIENT_CONFIG_FILE": "{tmp}/nothing.yaml"}, {}),
    "secure": ({f"{CWD}/clouds.yaml": TWO, f"{HOME}/secure.yaml": "clouds: {site-b: {auth: {password: pw-b}}}"}, {"OS_CLOUD": "site-b"}, {}),
    "named secure": ({f"{CWD}/clouds.yaml": TWO, "sec": "clouds: {site-b: {auth: {password: other, username: su}}}"},
                     {"OS_CLOUD": "site-b", "OS_CLIENT_SECURE_FILE": "{tmp}/sec"}, {}),
    "secure without clouds": ({f"{HOME}/secure.yaml": "clouds: {s: {auth: {auth_url: 'http://s'}}}"}, {}, {}),
    "region by option": ({f"{CWD}/clouds.yaml": TWO}, {}, {"os-cloud": "site-b", "os-region-name": "two"}),
    "unknown region": ({f"{CWD}/clouds.yaml": TWO}, {}, {"os-cloud": "site-b", "os-region-name": "TWO"}),
    "region of a cloud with one": ({f"{CWD}/clouds.yaml": TWO}, {}, {"os-cloud": "site-a", "os-region-name": "site-b"}),
    "region for a cloud without": ({f"{CWD}/clouds.yaml": ONE}, {}, {"os-region-name": "R"}),
    "regions of one": ({f"{CWD}/clouds.yaml": clouds("auth: {auth_url: x}\nregions: [r1]\nregion_name: r2")}, {}, {}),
    "bad region entry": ({f"{CWD}/clouds.yaml": clouds("auth: {auth_url: x}\nregions: [{name: r, values: {}, more: 1}]")}, {}, {}),
    "profile of clouds-public": ({f"{CWD}/clouds.yaml": clouds("profile: corp\nauth: {username: u}"),
                                  f"{HOME}/clouds-public.yaml": "public-clouds: {corp: {auth: {auth_url: 'http://corp', username: no}, region_name: cr, identity_api_version: 3}}"}, {}, {}),
    "old profile key": ({f"{CWD}/clouds.yaml": clouds("cloud: corp"),
                         f"{HOME}/clouds-public.yaml": "public-clouds: {corp: {auth: {auth_url: 'http://corp'}, regions: [a, b]}}"}, {}, {}),
    "unknown profile": ({f"{CWD}/clouds.yaml": clouds("profile: nobody-knows\nauth: {auth_url: x}")}, {}, {}),
    "anchors": ({f"{CWD}/clouds.yaml": "base: &b {auth: &a {auth_url: 'http://x', username: u}}\nclouds: {c: {<<: *b, auth: {<<: *a, username: v}}}"}, {}, {}),
    "file that is not yaml": ({f"{CWD}/clouds.yaml": "clouds: ["}, {}, {}),
    "empty file": ({f"{CWD}/clouds.yaml": ""}, {}, {}),
    "file without clouds": ({f"{CWD}/clouds.yaml": "client: {force_ipv4: true}"}, {}, {}),
    "client settings": ({f"{CWD}/clouds.yaml": ONE + "client: {force_ipv4: true}"}, {}, {}),
    "cloud force ipv4": ({f"{CWD}/clouds.yaml": clouds("auth: {auth_url: x}\nforce_ipv4: true")}, {}, {}),
}
SETTINGS = {
    "tenant": "auth: {auth_url: x, tenant_name: t, tenant-id: i, username: u}",
    "project wins": "auth: {auth_url: x, tenant_name: t, project_name: p}\nproject_id: top",
    "auth wins inside": "auth: {auth_url: x, username: inner}\nusername: outer\npassword: outer",
    "dashes": "auth: {auth-url: x, user-name: u, project-domain-name: pd}\nregion-name: r\nauth-type: v3password",
    "domain once": "auth: {auth_url: x, domain_id: d, project_id: p, user_domain_id: own}",
    "domain beside auth": "auth: {auth_url: x, project_name: p}\ndomain_name: D",
    "domain scope": "auth: {auth_url: x, domain_id: d}",
    "both domains": "auth: {auth_url: x, domain_id: d, domain_name: D, project_name: p}",
    "auth_plugin": "auth_plugin: v3password\nauth: {auth_url: x}",
    "endpoint types": "auth: {auth_url: x}\nendpoint_type: admin\nvolume_endpoint_type: internal",
    "timeouts": "auth: {auth_url: x}\napi_timeout: 30\nnova_timeout: 7",
    "api timeout": "auth: {auth_url: x}\napi_timeout: 30",
    "url format": "auth: {auth_url: 'http://{region_name}.x:5000/{{v}}'}\nregion_name: r1",
    "url format unknown": "auth: {auth_url: 'http://{nothing}.x'}",
    "versions": "auth: {auth_url: x}\nidentity_api_version: 3\nvolume_api_version: '3'\ncompute_api_version: 2.1\ncompute_default_microversion: 2.79",
    "numbers as passwords": "auth: {auth_url: x, password: 0123, username: 12, project_name: 1_0, user_domain_name: 0x1f}",
    "odd scalars": "auth: {auth_url: x, password: yes, username: 1.50, project_name: 1e3, user_domain_name: 12:30:45}",
    "nulls": "auth: {auth_url: x, username: ~, password: null}\nregion_name: r\ninterface: internal",
    "verify off": "auth: {auth_url: x}\nverify: false\ncacert: /ca.pem",
    "verify no": "auth: {auth_url: x}\nverify: no",
    "insecure": "auth: {auth_url: x}\ninsecure: true",
    "insecure word": "auth: {auth_url: x}\ninsecure: 'TRUE'",
    "insecure nonsense": "auth: {auth_url: x}\ninsecure: 'perhaps'",
    "tls files": "auth: {auth_url: x}\ncacert: ~/ca.pem\ncert: ~/c.pem\nkey: ~/k.pem",
    "token": "auth_type: token\nauth: {auth_url: x, token: t, project_id: p}",
    "auth token": "auth_type: v3token\nauth_token: t\nauth: {auth_url: x, project_name: p}",
    "application credential": "auth_type: v3applicationcredential\nauth: {auth_url: x, application_credential_id: i, application_credential_secret: s}",
    "application credential beside": "auth_type: v3applicationcredential\nauth: {auth_url: x}\napplication_credential_name: n\napplication_credential_secret: s\nusername: u",
    "none": "auth_type: none\nendpoint: http://x",
    "system scope": "auth: {auth_url: x, username: u, password: p, system_scope: all}",
    "auth is text": "auth: text",
    "overrides": "auth: {auth_url: x}\ncompute_endpoint_override: http://o/v2.1\nvolume_interface: internal",
    "default domain": "auth: {auth_url: x, default_domain_id: default}\ndefault_domain_name: Default",
}
for _name, _text in SETTINGS.items():
    CASES[f"setting: {_name}"] = ({f"{CWD}/clouds.yaml": clouds(_text)}, {}, {})
# Every place of a setting against every other: file, secure file, environment chosen or not.
for _kind, _secure, _chosen in itertools.product(("project_id", "project_name", "user_domain_id", "interface"), (0, 1), (0, 1)):
    _where = "auth" if _kind != "interface" else None
    _body = f"auth: {{auth_url: x, username: u, {_kind}: file}}" if _where else f"auth: {{auth_url: x}}\n{_kind}: admin"
    _files = {f"{CWD}/clouds.yaml": clouds(_body)}
    if _secure:
        _files[f"{HOME}/secure.yaml"] = f"clouds: {{c: {{auth: {{{_kind}: secure}}}}}}" if _where else f"clouds: {{c: {{{_kind}: internal}}}}"
    _env = {**ENV, f"OS_{_kind.upper()}": "environment"}
    if _chosen:
        _env["OS_CLOUD"] = "c"
    CASES[f"matrix: {_kind}, secure {_secure}, chosen {_chosen}"] = (_files, _env, {})


def prepared(root, number, name):
    """The directory and the environment of a case."""
    files, environment, options = CASES[name]
    directory = root / str(number)
    (directory / CWD).mkdir(parents=True)
    for path, text in files.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    env = {"PATH": "/usr/bin:/bin", "HOME": f"{directory}/home", "XDG_CONFIG_DIRS": f"{directory}/etc",
           **{key: value.replace("{tmp}", str(directory)) for key, value in environment.items()}}
    return {"directory": str(directory / CWD), "environment": env, "options": options}


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """Every case with what openstacksdk makes of it."""
    root = tmp_path_factory.mktemp("cloudconfig")
    prepared_cases = [prepared(root, number, name) for number, name in enumerate(CASES)]
    done = subprocess.run([sys.executable, str(HERE / "sdk_probe.py")], input=json.dumps(prepared_cases), text=True,
                          capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    return {name: (case, result) for name, case, result in zip(CASES, prepared_cases, results)}


@pytest.mark.parametrize("name", CASES)
def test_same_cloud_as_openstacksdk(name, cases):
    case, theirs = cases[name]
    arguments = [f"--{key}={value}" for key, value in case["options"].items()]
    done = subprocess.run([str(DUMP), *arguments], cwd=case["directory"], env=case["environment"], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    ours = json.loads(done.stdout)
    assert ("error" in ours) == ("error" in theirs), (ours, theirs)
    if "error" in ours:
        return
    our_extra, their_extra = ours.pop("extra"), theirs.pop("extra")
    assert ours == theirs
    for key, value in our_extra.items():
        assert their_extra.get(key) == value, key
    fields = set(ours) | SDK_ONLY | {"prefer_ipv6", "insecure", "verify"}
    missing = {k for k in their_extra if k not in our_extra and k not in fields}
    assert not missing


def test_the_matrix_is_whole():
    assert len(CASES) > 100
