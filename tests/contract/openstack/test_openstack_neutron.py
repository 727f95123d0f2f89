"""Neutron and Glance: addresses, conflicts, security groups, floating IPs, tags, error bodies."""
import pytest


def port(user, **more):
    return user.neutron("POST", "/ports", {"port": {"network_id": user.network()["id"], **more}})


def error(answer):
    return answer.status, answer.json["NeutronError"]["type"]


def test_networks(demo):
    n = demo.network()
    assert n["subnets"] and n["status"] == "ACTIVE" and "provider:network_type" not in n
    assert "provider:network_type" in demo.site.admin().neutron("GET", f"/networks/{n['id']}").json["network"]
    subnet = demo.neutron("GET", f"/subnets/{n['subnets'][0]}").json["subnet"]
    assert subnet["cidr"] == "10.10.1.0/24" and subnet["gateway_ip"] == "10.10.1.1"
    assert subnet["allocation_pools"] == [{"start": "10.10.1.2", "end": "10.10.1.254"}]
    answer = demo.neutron("GET", "/networks/no-such")
    assert answer.status == 404
    assert answer.json == {"NeutronError": {"type": "NetworkNotFound", "message": "Network no-such could not be found.", "detail": ""}}


def test_port_as_asked(demo):
    group = demo.neutron("GET", "/security-groups?name=sg-db").json["security_groups"][0]["id"]
    answer = port(demo, name="p", fixed_ips=[{"ip_address": "10.10.1.50"}], mac_address="FA:16:3E:11:22:33", security_groups=[group],
                  allowed_address_pairs=[{"ip_address": "10.10.1.200"}], description="d")
    assert answer.status == 201
    p = answer.json["port"]
    assert p["mac_address"] == "fa:16:3e:11:22:33" and p["fixed_ips"] == [{"subnet_id": demo.network()["subnets"][0], "ip_address": "10.10.1.50"}]
    assert p["security_groups"] == [group] and p["status"] == "DOWN" and p["device_id"] == ""
    assert p["allowed_address_pairs"] == [{"ip_address": "10.10.1.200", "mac_address": "fa:16:3e:11:22:33"}]
    assert "binding:host_id" not in p and p["binding:vnic_type"] == "normal"
    assert error(port(demo, fixed_ips=[{"ip_address": "10.10.1.50"}])) == (409, "IpAddressAlreadyAllocated")
    assert error(port(demo, mac_address="fa:16:3e:11:22:33")) == (409, "MacAddressInUse")
    assert demo.neutron("GET", "/ports?fixed_ips=ip_address%3D10.10.1.50").json["ports"][0]["id"] == p["id"]
    assert demo.neutron("DELETE", f"/ports/{p['id']}").status == 204
    assert port(demo, fixed_ips=[{"ip_address": "10.10.1.50"}]).status == 201  # free again


@pytest.mark.parametrize("more,status,kind", [
    ({"fixed_ips": [{"ip_address": "10.99.0.1"}]}, 400, "InvalidIpForNetwork"),
    ({"fixed_ips": [{"ip_address": "nonsense"}]}, 400, "HTTPBadRequest"),
    ({"fixed_ips": [{"subnet_id": "11111111-1111-4111-8111-111111111111"}]}, 404, "SubnetNotFound"),
    ({"network_id": "11111111-1111-4111-8111-111111111111"}, 404, "NetworkNotFound"),
    ({"mac_address": "nonsense"}, 400, "HTTPBadRequest"),
    ({"security_groups": ["11111111-1111-4111-8111-111111111111"]}, 404, "SecurityGroupNotFound"),
    ({"colour": "blue"}, 400, "HTTPBadRequest"),
    ({"project_id": "someone-else"}, 403, "PolicyNotAuthorized"),
])
def test_port_is_refused(demo, more, status, kind):
    before = len(demo.neutron("GET", "/ports").json["ports"])
    assert error(port(demo, **more)) == (status, kind)
    assert len(demo.neutron("GET", "/ports").json["ports"]) == before


def test_refused_port_takes_no_address(demo):
    first = port(demo, fixed_ips=[{"ip_address": "10.10.1.60"}])
    assert first.status == 201
    assert error(port(demo, fixed_ips=[{"ip_address": "10.10.1.61"}, {"ip_address": "10.10.1.60"}])) == (409, "IpAddressAlreadyAllocated")
    assert port(demo, fixed_ips=[{"ip_address": "10.10.1.61"}]).status == 201


def test_port_update(demo):
    p = port(demo).json["port"]["id"]
    answer = demo.neutron("PUT", f"/ports/{p}", {"port": {"name": "n", "fixed_ips": [{"ip_address": "10.10.1.70"}]}})
    assert answer.status == 200 and answer.json["port"]["fixed_ips"][0]["ip_address"] == "10.10.1.70" and answer.json["port"]["revision_number"] > 1
    assert demo.neutron("PUT", f"/ports/{p}/tags", {"tags": ["dr"]}).status == 200
    assert [x["id"] for x in demo.neutron("GET", "/ports?tags=dr").json["ports"]] == [p]
    assert set(demo.neutron("GET", f"/ports?id={p}&fields=id&fields=name").json["ports"][0]) == {"id", "name"}


def test_lists_page(demo):
    for _ in range(3):
        port(demo, name="page")
    first = demo.neutron("GET", "/ports?name=page&limit=2").json
    assert len(first["ports"]) == 2 and first["ports_links"][0]["rel"] == "next"
    second = demo.neutron("GET", f"/ports?name=page&limit=2&marker={first['ports'][1]['id']}").json
    assert len(second["ports"]) == 1 and "ports_links" not in second


def test_security_groups(demo):
    rows = {g["name"]: g for g in demo.neutron("GET", "/security-groups").json["security_groups"]}
    assert set(rows) >= {"default", "sg-web", "sg-db"}
    assert len(rows["default"]["security_group_rules"]) == 4
    ports = {r["port_range_min"] for r in rows["sg-web"]["security_group_rules"] if r["direction"] == "ingress"}
    assert ports == {22, 80, 443}
    made = demo.neutron("POST", "/security-groups", {"security_group": {"name": "x"}}).json["security_group"]
    rule = {"security_group_rule": {"security_group_id": made["id"], "direction": "ingress", "protocol": "tcp", "port_range_min": 1, "port_range_max": 2}}
    assert demo.neutron("POST", "/security-group-rules", rule).status == 201
    assert error(demo.neutron("POST", "/security-group-rules", rule)) == (409, "SecurityGroupRuleExists")
    held = port(demo, security_groups=[made["id"]]).json["port"]["id"]
    assert error(demo.neutron("DELETE", f"/security-groups/{made['id']}")) == (409, "SecurityGroupInUse")
    demo.neutron("DELETE", f"/ports/{held}")
    assert demo.neutron("DELETE", f"/security-groups/{made['id']}").status == 204


def test_floating_ip(demo):
    external = demo.network("net-external")["id"]
    p = port(demo).json["port"]
    made = demo.neutron("POST", "/floatingips", {"floatingip": {"floating_network_id": external, "port_id": p["id"]}})
    assert made.status == 201
    fip = made.json["floatingip"]
    assert fip["fixed_ip_address"] == p["fixed_ips"][0]["ip_address"] and fip["status"] == "ACTIVE" and fip["router_id"]
    answer = demo.neutron("PUT", f"/floatingips/{fip['id']}", {"floatingip": {"port_id": None}})
    assert answer.json["floatingip"]["port_id"] is None and answer.json["floatingip"]["status"] == "DOWN"
    assert demo.neutron("DELETE", f"/floatingips/{fip['id']}").status == 204
    assert error(demo.neutron("POST", "/floatingips", {"floatingip": {"floating_network_id": demo.network()["id"]}})) == (400, "BadRequest")


def test_projects_do_not_see_each_other(demo, admin):
    group = demo.neutron("GET", "/security-groups?name=sg-web").json["security_groups"][0]["id"]
    other = admin.keystone("POST", "/users", {"user": {"name": "other", "password": "other-password"}}).json["user"]["id"]
    project = admin.keystone("POST", "/projects", {"project": {"name": "other"}}).json["project"]["id"]
    role = [r for r in admin.keystone("GET", "/roles").json["roles"] if r["name"] == "member"][0]["id"]
    admin.keystone("PUT", f"/projects/{project}/users/{other}/roles/{role}")
    stranger = type(demo)(demo.site, "other", "other-password", "other")
    assert error(stranger.neutron("GET", f"/security-groups/{group}")) == (404, "SecurityGroupNotFound")
    assert error(stranger.neutron("GET", f"/networks/{demo.network()['id']}")) == (404, "NetworkNotFound")
    assert [n["name"] for n in stranger.neutron("GET", "/networks").json["networks"]] == ["net-external"]
    assert stranger.nova("GET", "/servers").json["servers"] == []


def test_in_use_networks_stay(demo):
    p = port(demo)
    assert p.status == 201
    assert error(demo.neutron("DELETE", f"/networks/{demo.network()['id']}")) == (409, "NetworkInUse")


def test_extensions_and_quotas(demo):
    aliases = {e["alias"] for e in demo.neutron("GET", "/extensions").json["extensions"]}
    assert {"security-group", "allowed-address-pairs", "standard-attr-tag", "quotas"} <= aliases
    assert demo.neutron("GET", f"/quotas/{demo.project}").json["quota"]["port"] == -1
    assert demo.neutron("GET", f"/quotas/{demo.project}/details.json").json["quota"]["port"]["used"] > 0


def test_glance(demo):
    versions = demo.anonymous("glance", "GET", "/")
    assert versions.status == 300 and versions.json["versions"][0] == {
        "id": "v2.15", "status": "CURRENT", "links": [{"rel": "self", "href": f"http://{demo.site.ip}:9292/v2/"}]}
    image = demo.do("glance", "GET", "/v2/images?name=lab-image").json["images"][0]
    assert image["status"] == "active" and image["disk_format"] == "raw" and image["hw_disk_bus"] == "virtio"
    assert demo.do("glance", "GET", f"/v2/images/{image['id']}").json["id"] == image["id"]
    answer = demo.do("glance", "GET", "/v2/images/no-such")
    assert answer.status == 404 and b"No image found with ID no-such" in answer.raw
