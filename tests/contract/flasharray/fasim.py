"""Starts real flasharray-sim processes and talks to them with nothing but the standard library."""
import http.client
import itertools
import json
import os
import signal
import ssl
import subprocess
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BIN = os.path.join(os.environ.get("PROTECTOR_BIN_DIR", os.path.join(ROOT, "build", "bin")), "flasharray-sim")
TOKEN = "contract-test-token"
INITIATOR = "iqn.2004-01.test:host1"


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body

    @property
    def errors(self):
        return self.body["errors"]

    @property
    def message(self):
        return self.errors[0]["message"]


def until(condition, seconds=20, what="condition"):
    """Waits for a condition with a deadline; gives back what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.02)


class Array:
    def __init__(self, name, ip, state_dir=None, peers=(), extra=()):
        self.name, self.ip, self.state_dir = name, ip, state_dir
        self.peers, self.extra = list(peers), list(extra)
        self.rest_port = self.control_port = 0
        self.process = None
        self.token = None
        self.rest = None
        self.version = "2.26"
        self.check = None  # called with (method, path, body of the answer) for every 200

    # -- process --------------------------------------------------------------------------------------------------
    def start(self):
        command = [BIN, "--name", self.name, "--listen", f"{self.ip}:{self.rest_port}",
                   "--control", f"{self.ip}:{self.control_port}", "--api-token", TOKEN, *self.extra]
        if self.state_dir:
            command += ["--state-dir", str(self.state_dir)]
        for name, address in self.peers:
            command += ["--peer", f"{name}={address}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line, "flasharray-sim did not start"
        ready = json.loads(line)
        self.id = ready["id"]
        self.rest_port = int(ready["rest"].rsplit(":", 1)[1])
        self.control_port = int(ready["control"].rsplit(":", 1)[1])
        self.token = self.rest = None
        return self

    @property
    def control(self):
        return f"{self.ip}:{self.control_port}"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.rest = self.token = None

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(timeout=20)
            self.process.stdout.close()
            assert code == 0, f"flasharray-sim ended with {code}"

    # -- REST -----------------------------------------------------------------------------------------------------
    def raw(self, method, path, params=None, body=None, headers=None, version=None):
        """One request; gives (status, headers, parsed body or None)."""
        if params:
            path += "?" + urllib.parse.urlencode(params)
        if not path.startswith("/api/") and not path.startswith("/oauth"):
            path = f"/api/{version or self.version}{path}"
        data = None if body is None else json.dumps(body)
        for attempt in (1, 2):
            if self.rest is None:
                context = ssl.create_default_context()
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                self.rest = http.client.HTTPSConnection(self.ip, self.rest_port, context=context, timeout=30)
            try:
                self.rest.request(method, path, body=data, headers={"Content-Type": "application/json", **(headers or {})})
                answer = self.rest.getresponse()
                text = answer.read()
                return answer.status, answer.headers, json.loads(text) if text else None
            except (http.client.HTTPException, OSError):
                self.rest = None
                raise

    def login(self, version=None):
        status, headers, body = self.raw("POST", "/login", headers={"api-token": TOKEN}, version=version)
        assert status == 200, body
        self.token = headers["x-auth-token"]
        return body

    def call(self, method, path, params=None, body=None, version=None):
        if self.token is None:
            self.login()
        status, headers, answer = self.raw(method, path, params, body, {"x-auth-token": self.token}, version)
        if status != 200:
            raise Refused(status, answer)
        if self.check and answer is not None:
            self.check(method, path, answer)
        return answer

    def get(self, path, version=None, **params):
        return self.call("GET", path, params, version=version)["items"]

    def page(self, path, **params):
        return self.call("GET", path, params)

    def post(self, path, body=None, **params):
        return self.call("POST", path, params, body if body is not None else {})["items"]

    def patch(self, path, body=None, **params):
        return self.call("PATCH", path, params, body if body is not None else {})["items"]

    def delete(self, path, **params):
        return self.call("DELETE", path, params)

    def one(self, path, **params):
        items = self.get(path, **params)
        assert len(items) == 1, items
        return items[0]

    # -- control and data plane -----------------------------------------------------------------------------------
    def sim_raw(self, method, path, body=None, timeout=30):
        connection = http.client.HTTPConnection(self.ip, self.control_port, timeout=timeout)
        try:
            data = json.dumps(body) if isinstance(body, (dict, list)) else body
            connection.request(method, path, body=data)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def sim(self, method, path, body=None):
        status, data = self.sim_raw(method, path, body)
        if status != 200:
            raise Refused(status, json.loads(data))
        return json.loads(data)

    def fault(self, action, match, **more):
        return self.sim("POST", "/sim/faults", {"match": match, "action": action, **more})["id"]

    def write(self, serial, offset, data, initiator=INITIATOR):
        query = urllib.parse.urlencode({"initiator": initiator, "serial": serial, "offset": offset})
        return self.sim("POST", f"/sim/io/write?{query}", data)

    def read(self, serial, offset, length, initiator=INITIATOR):
        query = urllib.parse.urlencode({"initiator": initiator, "serial": serial, "offset": offset, "length": length})
        status, data = self.sim_raw("GET", f"/sim/io/read?{query}")
        if status != 200:
            raise Refused(status, json.loads(data))
        return data

    def bytes_of(self, name, offset, length):
        status, data = self.sim_raw("GET", f"/sim/volumes/{urllib.parse.quote(name, safe='')}/bytes?offset={offset}&length={length}")
        if status != 200:
            raise Refused(status, json.loads(data))
        return data

    def checksum(self, name):
        return self.sim("GET", f"/sim/volumes/{urllib.parse.quote(name, safe='')}/checksum")["sha256"]

    # -- shortcuts ------------------------------------------------------------------------------------------------
    def volume(self, name, size=1 << 30, **params):
        return self.post("/volumes", {"provisioned": size}, names=name, **params)[0]

    def connect(self, volume, host="host1", initiator=INITIATOR):
        if not self.get("/hosts", filter=f"name='{host}'"):
            self.post("/hosts", {"iqns": [initiator]}, names=host)
        return self.post("/connections", host_names=host, volume_names=volume)[0]


_pair_numbers = itertools.count(1)


def start_pair(base, extra=()):
    """Two arrays that are connected to each other."""
    from shapes import check_answer
    number = next(_pair_numbers)
    a = Array("array-a", f"127.0.91.{number}", base / "a", extra=extra)
    b = Array("array-b", f"127.0.92.{number}", base / "b", extra=extra)
    # The peers must know each other's control port before either runs.
    a.control_port = b.control_port = 19901
    a.peers, b.peers = [("array-b", b.control)], [("array-a", a.control)]
    for array in (a, b):
        array.check = check_answer
        array.start()
    until(lambda: all(x.get("/array-connections") and x.get("/array-connections")[0]["status"] == "connected" for x in (a, b)),
          what="the preconnected arrays")
    return a, b
