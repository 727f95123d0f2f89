"""The same requests to a simulated and to a real site, and what of the answers has to be alike: status, headers, shape, error body.

Values differ (ids, times, addresses), so an answer is compared by its shape: a JSON object by its keys and the shapes of their values, a
list by the set of its elements' shapes, a scalar by its type. Error bodies are compared word for word, with ids blanked.
"""

import json
import re
import urllib.error
import urllib.request

HEADERS = ("content-type", "openstack-api-version", "x-openstack-nova-api-version", "vary", "x-subject-token", "location", "www-authenticate")
IDS = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")

ADDRESSES = re.compile(r"\b\d+\.\d+\.\d+\.\d+\b|\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b")


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {}
        for name, value in headers.items():  # a header may come in several lines
            known = self.headers.get(name.lower())
            self.headers[name.lower()] = value if known is None else f"{known}, {value}"
        try:
            self.json = json.loads(body) if body else None
        except ValueError:
            self.json = None
        self.text = body.decode(errors="replace")


OPEN = ("metadata", "addresses", "volume_image_metadata")  # objects whose keys are names that users gave


def shape(value):
    if isinstance(value, dict):
        return {key: shape(list(inner.values()) if key in OPEN and isinstance(inner, dict) else inner)
                for key, inner in sorted(value.items())}
    if isinstance(value, list):
        found = {json.dumps(shape(inner), sort_keys=True) for inner in value}
        return [json.loads(text) for text in sorted(found)]
    return "null" if value is None else type(value).__name__


def fits(a, b):
    """Alike, where one side may have nothing yet: null beside a value, an empty list beside a full one."""
    if a == b or "null" in (a, b) or {str(a), str(b)} == {"int", "float"}:
        return True
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(fits(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return not a or not b or (all(any(fits(x, y) for y in b) for x in a) and all(any(fits(x, y) for y in a) for x in b))
    return False


def differences(a, b, where=""):
    """What does not fit, for people: paths and both sides."""
    if fits(a, b):
        return []
    if isinstance(a, dict) and isinstance(b, dict):
        out = [f"{where}.{key}: only simulated" for key in sorted(set(a) - set(b))] + [f"{where}.{key}: only real" for key in sorted(set(b) - set(a))]
        for key in sorted(set(a) & set(b)):
            out += differences(a[key], b[key], f"{where}.{key}")
        return out
    if isinstance(a, list) and isinstance(b, list):
        out = []
        for element in a:
            if not any(fits(element, other) for other in b):
                out += min((differences(element, other, where + "[]") for other in b), key=len)
        for element in b:
            if not any(fits(element, other) for other in a):
                out += min((differences(other, element, where + "[]") for other in a), key=len)
        return list(dict.fromkeys(out))
    return [f"{where}: simulated {json.dumps(a)[:160]}, real {json.dumps(b)[:160]}"]


class Client:
    """One user of one site."""

    def __init__(self, auth_url, user, password, project):
        self.auth_url = auth_url
        self.credentials = {"identity": {"methods": ["password"], "password": {"user": {
            "name": user, "password": password, "domain": {"name": "Default"}}}},
            "scope": {"project": {"name": project, "domain": {"name": "Default"}}}}
        reply = self.send("POST", auth_url + "/auth/tokens", {"auth": self.credentials})
        self.token = reply.headers["x-subject-token"]
        self.project = reply.json["token"]["project"]["id"]
        self.user = reply.json["token"]["user"]["id"]
        self.endpoints = {entry["type"]: endpoint["url"].rstrip("/") for entry in reply.json["token"]["catalog"]
                          for endpoint in entry["endpoints"] if endpoint["interface"] == "public"}
        self.endpoints["identity"] = auth_url

    @staticmethod
    def send(method, url, body=None, headers=None):
        data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        request = urllib.request.Request(url, data=data, method=method, headers={"Accept": "application/json", **(headers or {})})
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Reply(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.headers, error.read())

    def __call__(self, service, method, path, body=None, version=None, token=None):
        kind = {"nova": "compute", "cinder": "volumev3", "neutron": "network", "glance": "image", "keystone": "identity"}[service]
        base = self.endpoints[kind]
        if service in ("neutron", "glance") and not re.search(r"/v2(\.0)?$", base):
            base += "/v2.0" if service == "neutron" else "/v2"
        headers = {"X-Auth-Token": self.token if token is None else token}
        if version:
            headers["OpenStack-API-Version"] = {"nova": "compute ", "cinder": "volume "}[service] + version
        return self.send(method, base + path, body, headers)


def normal(reply):
    """What of a reply is compared."""
    if reply.status >= 400:
        # What was refused is repeated as Python writes it; that is left out.
        body = ADDRESSES.sub("ADDRESS", IDS.sub("ID", reply.text)).replace("site-b", "site-a").replace("cinder-b", "cinder-a").replace("array-b", "array-a")
        if reply.json is not None:
            body = re.sub(r" Value: \{.*\}\.(?= ')", "", json.dumps(json.loads(body), sort_keys=True))
    else:
        body = shape(reply.json)
    headers = {}
    for name in HEADERS:
        if name in reply.headers:
            headers[name] = IDS.sub("ID", reply.headers[name]) if name in ("content-type", "openstack-api-version", "vary") else "present"
    return {"status": reply.status, "headers": headers, "body": body}


def compare(simulated, real):
    """[difference] of two normal replies."""
    found = []
    if simulated["status"] != real["status"]:
        return [f"status: simulated {simulated['status']}, real {real['status']} ({str(real['body'])[:300]})"]
    for name in sorted(set(simulated["headers"]) | set(real["headers"])):
        a, b = simulated["headers"].get(name), real["headers"].get(name)
        if a != b:
            found.append(f"header {name}: simulated {a}, real {b}")
    if simulated["status"] >= 400:
        if simulated["body"] != real["body"]:
            found.append(f"error body: simulated {simulated['body'][:300]}, real {real['body'][:300]}")
        return found
    return found + differences(simulated["body"], real["body"])
