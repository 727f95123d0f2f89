"""The simulators' control planes: what no product may look at and every test has to."""

from . import http


class Control:
    def __init__(self, url):
        self.url = url

    def get(self, path):
        return http.call("GET", self.url + path)[2]

    def post(self, path, body):
        return http.call("POST", self.url + path, body)[2]

    def delete(self, path):
        return http.call("DELETE", self.url + path)[2]

    def state(self):
        return self.get("/sim/state")

    def journal(self, since=0):
        return self.get(f"/sim/journal?since={since}")["entries"]

    def add_fault(self, **fault):
        return self.post("/sim/faults", fault)["id"]

    def faults(self):
        return self.get("/sim/faults")

    def clear_faults(self):
        self.delete("/sim/faults")


class ArraySim(Control):
    def advance(self, milliseconds):
        return self.post("/sim/advance", {"ms": milliseconds})

    def link(self, peer, state):
        return self.post("/sim/link", {"peer": peer, "state": state})

    def power(self, state, mode="refuse"):
        return self.post("/sim/power", {"state": state, "mode": mode})

    def degrade_pod(self, name, **body):
        return self.post(f"/sim/pods/{http.quote(name)}/degrade", body)

    def settings(self, **body):
        return self.post("/sim/settings", body)

    def items(self, kind):
        found = self.state().get(kind, [])
        return list(found.values()) if isinstance(found, dict) else found

    def live_volumes(self):
        return [volume for volume in self.items("volumes") if not volume.get("destroyed")]


class CloudSim(Control):
    def ledger(self, **query):
        text = "&".join(f"{key}={value}" for key, value in query.items())
        return self.get("/sim/ledger" + (f"?{text}" if text else ""))

    def read_back(self, server_id):
        return self.get(f"/sim/ledger/read?server_id={server_id}")

    def pause_guests(self, paused=True):
        return self.post("/sim/guests", {"paused": paused})

    def latency(self, profile):
        return self.post("/sim/latency", {"profile": profile})

    def quota(self, **body):
        return self.post("/sim/quota", body)

    def member_may_manage(self, allowed):
        return self.post("/sim/policy", {"member_may_manage": allowed})
