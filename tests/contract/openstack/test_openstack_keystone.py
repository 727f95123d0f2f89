"""Keystone v3: tokens of every kind, catalog, what others may see, error bodies."""
import http.client
import re

import cloud


def authenticate(demo, identity, scope=None):
    auth = {"identity": identity}
    if scope:
        auth["scope"] = scope
    return demo.anonymous("keystone", "POST", "/v3/auth/tokens", {"auth": auth})


def password(name, secret):
    return {"methods": ["password"], "password": {"user": {"name": name, "domain": {"name": "Default"}, "password": secret}}}


def test_versions(demo):
    answer = demo.anonymous("keystone", "GET", "/")
    assert answer.status == 300
    assert answer.json["versions"]["values"][0]["id"] == "v3.14"
    assert demo.anonymous("keystone", "GET", "/v3").json["version"]["links"][0]["href"].endswith(":5000/v3/")


def test_password_token(demo):
    body = demo.body
    assert sorted(r["name"] for r in body["roles"]) == ["dr_site_admin", "member", "reader"]
    assert body["project"]["name"] == "demo" and body["project"]["domain"] == {"id": "default", "name": "Default"}
    assert body["methods"] == ["password"] and body["is_domain"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", body["expires_at"])
    catalog = {s["type"]: s["endpoints"] for s in body["catalog"]}
    assert set(catalog) == {"identity", "compute", "volumev3", "image", "network", "placement"}
    public = [e for e in catalog["volumev3"] if e["interface"] == "public"][0]
    assert public["url"] == f"http://{demo.site.ip}:8776/v3/{demo.project}" and public["region"] == "site-a"


def test_wrong_password_and_unknown_project(demo):
    for answer in (authenticate(demo, password("demo", "wrong")), authenticate(demo, password("nobody", "x")),
                   authenticate(demo, password("demo", demo.password), {"project": {"name": "admin", "domain": {"id": "default"}}})):
        assert answer.status == 401
        assert answer.json == {"error": {"code": 401, "message": "The request you have made requires authentication.",
                                         "title": "Unauthorized"}}
        assert answer.headers["x-openstack-request-id"].startswith("req-")


def test_default_project_and_unscoped(demo):
    assert authenticate(demo, password("demo", demo.password)).json["token"]["project"]["name"] == "demo"
    answer = authenticate(demo, password("demo", demo.password), "unscoped")
    assert "project" not in answer.json["token"] and "catalog" not in answer.json["token"]


def test_rescoping_keeps_the_end(demo):
    answer = authenticate(demo, {"methods": ["token"], "token": {"id": demo.token}}, {"project": {"id": demo.project}})
    assert answer.status == 201
    assert answer.json["token"]["expires_at"] == demo.body["expires_at"]
    assert sorted(answer.json["token"]["methods"]) == ["password", "token"]


def test_validation_by_another(demo, admin):
    answer = admin.keystone("GET", "/auth/tokens", **{"X-Subject-Token": demo.token})
    assert answer.status == 200 and answer.json["token"]["user"]["name"] == "demo"
    assert admin.keystone("HEAD", "/auth/tokens", **{"X-Subject-Token": demo.token}).status == 200
    answer = admin.keystone("GET", "/auth/tokens", **{"X-Subject-Token": "nonsense"})
    assert answer.status == 404 and answer.json["error"]["code"] == 404


def test_revoked_token_is_refused_everywhere(site):
    user = site.demo()
    assert user.keystone("DELETE", "/auth/tokens", **{"X-Subject-Token": user.token}).status == 204
    answer = user.nova("GET", "/servers")
    assert answer.status == 401
    assert answer.json["error"]["title"] == "Unauthorized"
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="http://{site.ip}:5000/v3"'


def test_tokens_end(own_site):
    site = own_site("--array", "none", "--token-expiration", "1")
    user = site.demo()
    assert user.nova("GET", "/servers").status == 200
    cloud.until("the token ends", lambda: user.nova("GET", "/servers").status == 401)


def test_application_credential(site):
    demo = site.demo()
    made = demo.keystone("POST", f"/users/{demo.id}/application_credentials", {"application_credential": {"name": "dr"}})
    assert made.status == 201
    credential = made.json["application_credential"]
    identity = {"methods": ["application_credential"],
                "application_credential": {"id": credential["id"], "secret": credential["secret"]}}
    answer = authenticate(demo, identity)
    assert answer.status == 201 and answer.json["token"]["project"]["id"] == demo.project
    assert "secret" not in demo.keystone("GET", f"/users/{demo.id}/application_credentials/{credential['id']}").json["application_credential"]
    identity["application_credential"]["secret"] = "wrong"
    assert authenticate(demo, identity).status == 401
    assert demo.keystone("DELETE", f"/users/{demo.id}/application_credentials/{credential['id']}").status == 204


def test_lists_are_the_administrators(demo, admin):
    answer = demo.keystone("GET", "/projects")
    assert answer.status == 403
    assert answer.json["error"]["message"] == "You are not authorized to perform the requested action: identity:list_projects."
    assert {p["name"] for p in admin.keystone("GET", "/projects").json["projects"]} == {"admin", "service", "demo"}
    assert [u["name"] for u in admin.keystone("GET", "/users?name=demo").json["users"]] == ["demo"]
    assert {"admin", "member", "reader", "service"} <= {r["name"] for r in admin.keystone("GET", "/roles").json["roles"]}
    assert [p["name"] for p in demo.keystone("GET", "/auth/projects").json["projects"]] == ["demo"]
    assert demo.keystone("GET", f"/projects/{demo.project}").json["project"]["name"] == "demo"


def test_grants(admin, demo):
    project = admin.keystone("POST", "/projects", {"project": {"name": "extra"}}).json["project"]["id"]
    role = [r for r in admin.keystone("GET", "/roles").json["roles"] if r["name"] == "member"][0]["id"]
    path = f"/projects/{project}/users/{demo.id}/roles/{role}"
    assert admin.keystone("HEAD", path).status == 404
    assert admin.keystone("PUT", path).status == 204
    assert admin.keystone("HEAD", path).status == 204
    rows = admin.keystone("GET", f"/role_assignments?include_names&scope.project.id={project}").json["role_assignments"]
    assert [(r["user"]["name"], r["role"]["name"]) for r in rows] == [("demo", "member")]
    other = cloud.User(demo.site, "demo", demo.password, "extra")
    assert sorted(r["name"] for r in other.body["roles"]) == ["member", "reader"]  # member implies reader
    # A user may validate its own token; with the role its tokens in that project end, and no other ones.
    assert other.keystone("GET", "/auth/tokens", **{"X-Subject-Token": other.token}).json["token"]["project"]["id"] == project
    assert admin.keystone("DELETE", path).status == 204
    assert other.nova("GET", "/servers").status == 401
    assert other.keystone("GET", "/auth/tokens", **{"X-Subject-Token": other.token}).status == 401
    assert demo.nova("GET", "/servers").status == 200


def test_no_secret_in_the_state(site):
    site.demo()
    text = b"".join(p.read_bytes() for p in (site.directory / "cloud").iterdir())
    assert b"lab-demo-site-a" not in text and b"gAAAAA" not in text


def test_chunked_bodies_are_refused(demo):
    connection = http.client.HTTPConnection(demo.site.ip, 5000, timeout=10)
    connection.request("POST", "/v3/auth/tokens", iter([b'{"auth": {}}']), {"Content-Type": "application/json"}, encode_chunked=True)
    assert connection.getresponse().status == 400
    connection.close()
