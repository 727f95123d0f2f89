"""A small OpenStack client: what a tenant does in the demo and what tests have to see. Plain HTTP, as anybody's would be."""

import time

from . import http

MICROVERSIONS = {"compute": "compute 2.79", "volumev3": "volume 3.59"}


class Cloud:
    def __init__(self, openrc):
        self._openrc = openrc
        self._token = None
        self._catalog = {}
        self.project_id = None

    def login(self):
        rc = self._openrc
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {
            "name": rc["OS_USERNAME"], "password": rc["OS_PASSWORD"], "domain": {"name": rc["OS_USER_DOMAIN_NAME"]}}}},
            "scope": {"project": {"name": rc["OS_PROJECT_NAME"], "domain": {"name": rc["OS_PROJECT_DOMAIN_NAME"]}}}}}
        _, headers, answer = http.call("POST", rc["OS_AUTH_URL"] + "/auth/tokens", body)
        self._token = headers["X-Subject-Token"]
        token = answer["token"]
        self.project_id = token["project"]["id"]
        self._catalog = {entry["type"]: endpoint["url"].rstrip("/") for entry in token["catalog"]
                         for endpoint in entry["endpoints"] if endpoint["interface"] == "public"}

    @property
    def token(self):
        """A token of its own, for who shows one to somebody else."""
        self.login()
        return self._token

    def request(self, service, method, path, body=None, headers=None):
        if not self._token:
            self.login()
        for attempt in (1, 2):
            extra = {"X-Auth-Token": self._token, **(headers or {})}
            if service in MICROVERSIONS:
                extra.setdefault("OpenStack-API-Version", MICROVERSIONS[service])
            try:
                return http.call(method, self._catalog[service] + path, body, extra)[2]
            except http.HttpError as error:
                if error.status != 401 or attempt == 2:
                    raise
                self.login()
        return None

    # --- listings (all pages are one page in a lab)

    def servers(self, all_projects=False):
        return self.request("compute", "GET", "/servers/detail" + ("?all_tenants=1" if all_projects else ""))["servers"]

    def volumes(self, all_projects=False):
        return self.request("volumev3", "GET", "/volumes/detail" + ("?all_tenants=1" if all_projects else ""))["volumes"]

    def ports(self):
        return self.request("network", "GET", self.v2("/ports"))["ports"]

    def networks(self):
        return {network["name"]: network for network in self.request("network", "GET", self.v2("/networks"))["networks"]}

    def flavors(self):
        return {flavor["name"]: flavor for flavor in self.request("compute", "GET", "/flavors/detail")["flavors"]}

    def images(self):
        path = "/images" if "/v2" in self.endpoint("image") else "/v2/images"
        return {image["name"]: image for image in self.request("image", "GET", path)["images"]}

    def security_groups(self):
        return self.request("network", "GET", self.v2("/security-groups"))["security_groups"]

    def v2(self, path):
        return path if self.endpoint("network").endswith("/v2.0") else "/v2.0" + path

    def endpoint(self, service):
        if not self._token:
            self.login()
        return self._catalog[service]

    # --- one object

    def server(self, server_id):
        return self.request("compute", "GET", f"/servers/{server_id}")["server"]

    def server_named(self, name):
        found = [server for server in self.servers() if server["name"] == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} servers are called {name}")
        return found[0]

    def volume(self, volume_id):
        return self.request("volumev3", "GET", f"/volumes/{volume_id}")["volume"]

    # --- changes

    def create_volume(self, name, size, volume_type, image=None, **more):
        body = {"name": name, "size": size, "volume_type": volume_type, **more}
        if image:
            body["imageRef"] = image
        volume = self.request("volumev3", "POST", "/volumes", {"volume": body})["volume"]
        return volume["id"]

    def wait_volume(self, volume_id, status="available", timeout=60):
        return self._wait(lambda: self.volume(volume_id), status, timeout, f"volume {volume_id}")

    def set_bootable(self, volume_id):
        self.request("volumev3", "POST", f"/volumes/{volume_id}/action", {"os-set_bootable": {"bootable": True}})

    def create_server(self, name, flavor, networks, volumes, **more):
        devices = [{"uuid": volume, "source_type": "volume", "destination_type": "volume", "boot_index": index if index == 0 else -1,
                    "delete_on_termination": False} for index, volume in enumerate(volumes)]
        body = {"name": name, "flavorRef": flavor, "networks": networks, "block_device_mapping_v2": devices, **more}
        return self.request("compute", "POST", "/servers", {"server": body})["server"]["id"]

    def wait_server(self, server_id, status="ACTIVE", timeout=60):
        return self._wait(lambda: self.server(server_id), status, timeout, f"server {server_id}")

    def action(self, server_id, body):
        return self.request("compute", "POST", f"/servers/{server_id}/action", body)

    def delete_server(self, server_id):
        self.request("compute", "DELETE", f"/servers/{server_id}")

    def delete_volume(self, volume_id):
        self.request("volumev3", "DELETE", f"/volumes/{volume_id}")

    def _wait(self, look, status, timeout, what):
        deadline = time.monotonic() + timeout
        while True:
            found = look()
            if found["status"] == status:
                return found
            if found["status"].lower().startswith("error"):
                raise AssertionError(f"{what} is in {found['status']}: {found.get('fault')}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} is still {found['status']}, not {status}")
            time.sleep(0.03)
