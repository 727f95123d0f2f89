"""Starts the simulators under test and talks to them as a client does. Standard library only."""
import base64
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("PROTECTOR_BIN_DIR", ROOT / "build" / "bin"))
PORTS = {"keystone": 5000, "nova": 8774, "cinder": 8776, "neutron": 9696, "glance": 9292, "placement": 8778, "control": 9900}


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.raw = status, headers, body
        try:
            self.json = json.loads(body) if body else None
        except ValueError:
            self.json = None

    def __repr__(self):
        return f"{self.status} {self.raw[:400]!r}"


def call(ip, port, method, path, body=None, headers=None, timeout=20):
    connection = http.client.HTTPConnection(ip, port, timeout=timeout)
    try:
        send = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            send["Content-Type"] = "application/json"
        connection.request(method, path, body, send)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def until(what, probe, timeout=15.0):
    """The first true answer of probe(); fails with `what` when there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.01)


class Process:
    def __init__(self, argv, log):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen([str(a) for a in argv], stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def end(self, how=signal.SIGTERM):
        if self.popen.poll() is None:
            self.popen.send_signal(how)
        return self.popen.wait(20)


class Array:
    """A flasharray-sim."""
    program = BIN / "flasharray-sim"

    def __init__(self, directory, ip):
        self.ip, self.token = ip, "contract-array-token"
        self.state = directory / "array"
        self.state.mkdir(parents=True)
        self.process = Process([self.program, "--name", "array-a", "--listen", f"{ip}:8443", "--control", f"{ip}:9901",
                                "--state-dir", self.state, "--api-token", self.token], directory / "array.log")
        until("array", lambda: self._answers())

    def _answers(self):
        assert self.process.popen.poll() is None, self.process.log.read_text()
        try:
            return call(self.ip, 9901, "GET", "/sim/health").status == 200
        except OSError:
            return False

    def volumes(self):
        return {v["name"]: v for v in call(self.ip, 9901, "GET", "/sim/state").json["volumes"]}


class Site:
    """An openstack-sim on a loopback address of its own."""

    def __init__(self, directory, *flags, array=None, name="site-a"):
        self.directory, self.flags, self.array, self.name = directory, list(flags), array, name
        self.ip = array.ip if array else "127.97.%d.%d" % (random.randint(0, 255), random.randint(2, 254))
        directory.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self):
        argv = [BIN / "openstack-sim", "--site", self.name, "--ip", self.ip, "--state-dir", self.directory / "cloud", *self.flags]
        if self.array:
            argv += ["--array-url", f"https://{self.ip}:8443", "--array-token", self.array.token, "--array-ca",
                     self.array.state / "cert.pem", "--array-io", f"http://{self.ip}:9901"]
        self.process = Process(argv, self.directory / "cloud.log")
        until("openstack-sim", self._answers)

    def _answers(self):
        assert self.process.popen.poll() is None, self.process.log.read_text()
        try:
            return self.sim("GET", "/sim/state").status == 200
        except OSError:
            return False

    def kill(self):
        self.process.end(signal.SIGKILL)

    def sim(self, method, path, body=None):
        return call(self.ip, 9900, method, path, body)

    def fault(self, **rule):
        answer = self.sim("POST", "/sim/faults", rule)
        assert answer.status == 201, answer
        return answer.json["id"]

    def heal(self):
        assert self.sim("DELETE", "/sim/faults").status == 204

    def demo(self):
        return User(self, "demo", f"lab-demo-{self.name}", "demo")

    def admin(self):
        return User(self, "admin", f"lab-admin-{self.name}", "admin")

    def protector(self):
        return User(self, "protector", f"lab-protector-{self.name}", "demo")


class User:
    """A client with a token for one project."""

    def __init__(self, site, user, password, project):
        self.site, self.name, self.password, self.project_name = site, user, password, project
        self.login()

    def login(self):
        answer = self.anonymous("keystone", "POST", "/v3/auth/tokens", {"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": self.name, "domain": {"name": "Default"}, "password": self.password}}},
            "scope": {"project": {"name": self.project_name, "domain": {"id": "default"}}}}})
        assert answer.status == 201, answer
        self.token = answer.headers["X-Subject-Token"]
        self.body = answer.json["token"]
        self.project, self.id = self.body["project"]["id"], self.body["user"]["id"]

    def anonymous(self, service, method, path, body=None, headers=None, **more):
        return call(self.site.ip, PORTS[service], method, path, body, headers, **more)

    def do(self, service, method, path, body=None, headers=None, **more):
        return self.anonymous(service, method, path, body, {"X-Auth-Token": self.token, **(headers or {})}, **more)

    def keystone(self, method, path, body=None, **headers):
        return self.do("keystone", method, "/v3" + path, body, headers)

    def nova(self, method, path, body=None, version="2.93", **more):
        headers = {"X-OpenStack-Nova-API-Version": version} if version else {}
        return self.do("nova", method, "/v2.1" + path, body, headers, **more)

    def cinder(self, method, path, body=None, version="3.70", **more):
        headers = {"OpenStack-API-Version": f"volume {version}"} if version else {}
        return self.do("cinder", method, f"/v3/{self.project}" + path, body, headers, **more)

    def neutron(self, method, path, body=None, **more):
        return self.do("neutron", method, "/v2.0" + path, body, **more)

    # -- what most tests begin with
    def network(self, name="net-primary-web"):
        return self.neutron("GET", f"/networks?name={name}").json["networks"][0]

    def volume(self, name, size=1, wait="available", **more):
        answer = self.cinder("POST", "/volumes", {"volume": {"name": name, "size": size, **more}})
        assert answer.status == 202, answer
        volume = answer.json["volume"]
        return self.wait_volume(volume["id"], wait) if wait else volume

    def wait_volume(self, volume_id, status):
        def probe():
            answer = self.cinder("GET", f"/volumes/{volume_id}")
            if status is None:
                return answer.status == 404
            volume = answer.json["volume"]
            assert not volume["status"].startswith("error") or status.startswith("error"), volume
            return volume if volume["status"] == status else None
        return until(f"volume {volume_id} {status}", probe)

    def boot_volume(self, name):
        image = self.do("glance", "GET", "/v2/images").json["images"][0]["id"]
        return self.volume(name, imageRef=image, volume_type="replicated-async")

    def server(self, name, volume=None, wait="ACTIVE", networks=None, **more):
        volume = volume or self.boot_volume(name + "-boot")["id"]
        body = {"name": name, "flavorRef": "a-small", "networks": networks or [{"uuid": self.network()["id"]}],
                "block_device_mapping_v2": [{"boot_index": 0, "uuid": volume, "source_type": "volume", "destination_type": "volume",
                                             "delete_on_termination": False}], **more}
        answer = self.nova("POST", "/servers", {"server": body})
        assert answer.status == 202, answer
        return self.wait_server(answer.json["server"]["id"], wait) if wait else answer.json["server"]

    def wait_server(self, server_id, status):
        def probe():
            answer = self.nova("GET", f"/servers/{server_id}")
            if status is None:
                return answer.status == 404
            server = answer.json["server"]
            assert server["status"] != "ERROR" or status == "ERROR", server
            return server if server["status"] == status and not server["OS-EXT-STS:task_state"] else None
        return until(f"server {server_id} {status}", probe)

    def action(self, server_id, name, value=None, version="2.93"):
        return self.nova("POST", f"/servers/{server_id}/action", {name: value}, version)

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.site.directory), "LANG": "C.UTF-8", "PYTHONWARNINGS": "ignore",
                "OS_AUTH_URL": f"http://{self.site.ip}:5000/v3", "OS_USERNAME": self.name, "OS_PASSWORD": self.password,
                "OS_PROJECT_NAME": self.project_name, "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
                "OS_REGION_NAME": self.site.name, "OS_IDENTITY_API_VERSION": "3", "no_proxy": "*"}


def openstack_client():
    return shutil.which("openstack", path="/usr/bin")


def manage_host(site):
    return site.sim("GET", "/sim/state").json["volume_host"]


def encoded(text):
    return base64.b64encode(text.encode()).decode()
