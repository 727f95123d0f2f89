"""Groups of type sync: a pod with a replica link in place of periodic snapshots."""

import pytest

from protector_lab import application
from world import GROUP


@pytest.fixture
def pod(world):
    servers = application.deploy(world.a.cloud, vms=application.WEB_APP[:1], volume_type=application.TYPE_SYNC)
    world.create_group(replication_type="sync")
    world.add_members(*servers)
    world.wait_protected()
    return world


def lose_site_a(pod):
    """The whole of site-a dies; the pod is promoted on site-b, and site-a is cleaned when it returns."""
    pod.kill_site(pod.a)
    operation = pod.failover("--type", "unplanned", view=pod.b)
    assert {server["status"] for server in pod.b.cloud.servers()} == {"ACTIVE"}
    pod.revive_site(pod.a)
    pod.clean(operation["operation_id"], pod.b)
    assert pod.a.cloud.servers() == []


def test_a_pod_moves_and_comes_back_without_loss(pod):
    first = pod.failover()
    assert set(pod.lost(pod.a, pod.b).values()) == {0}
    pod.clean(first["operation_id"])
    pod.wait_protected(view=pod.b)
    pod.failback()
    assert pod.group()["status"] == "active" and pod.group()["current_primary_site"] == "site-a"
    assert pod.b.cloud.servers() == [] and {server["status"] for server in pod.a.cloud.servers()} == {"ACTIVE"}


def test_a_pod_is_promoted_when_its_site_is_lost(pod):
    lose_site_a(pod)


def test_a_pod_that_has_been_there_and_back_is_promoted_when_its_site_is_lost(pod):
    # The volumes have names of their own after each move; the surviving site has to find them when nobody else can be asked.
    first = pod.failover()
    pod.clean(first["operation_id"])
    pod.wait_protected(view=pod.b)
    back = pod.failback()
    pod.clean(back["operation_id"], pod.b)
    pod.wait_protected()
    lose_site_a(pod)
