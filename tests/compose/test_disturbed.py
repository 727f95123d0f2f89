"""The three stories with the containers' network cut, or a container killed, in each of their steps."""

import itertools
import uuid

import pytest
from compose_lab import ENDED, GROUP
from protector_lab import application

STEPS = {
    "failover": ("verify_replication", "presync_snapshot", "stop_vms", "trigger_final_snapshot", "storage_failover", "recreate_vms", "update_pg_status",
                 "reprotect"),
    "unplanned": ("verify_replication", "fence_source", "storage_failover", "recreate_vms", "update_pg_status"),
}
STEPS["failback"] = STEPS["failover"]
CUT_S = 2.0  # longer than a keepalive needs to find out in the lab


class Move:
    """A move under way, followed from the site that runs it."""

    def __init__(self, lab, verb, target):
        self.lab, self.verb, self.target = lab, verb, target
        source = "b" if target == "a" else "a"
        arguments = ["failback" if verb == "failback" else "failover", GROUP, *application.mapping_arguments(f"site-{source}", f"site-{target}"),
                     "--request-id", str(uuid.uuid4()), *(["--type", "unplanned"] if verb == "unplanned" else [])]
        # Typed again until it has an answer: the same request begins one move only.
        self.id = lab.eventually(lambda: lab.quickly(target, "protection-group", *arguments), f"{verb} has begun")["operation_id"]

    def shown(self):
        return self.lab.quickly(self.target, "operation", "show", self.id)

    def is_in(self, step):
        """Every step before this one is done, or the move has ended."""
        now = self.shown()
        steps = STEPS[self.verb]
        return now is not None and (now["status"] in ENDED or set(now["steps_completed"]) >= set(steps[:steps.index(step)]))

    def end(self):
        """Its last state; an operator retries what failed."""
        for _ in range(5):
            final = self.lab.eventually(lambda: (now := self.shown()) and now["status"] in ENDED and now, f"{self.verb} has ended", 300)
            if final["status"] != "failed":
                return final
            self.lab.quickly(self.target, "operation", "retry", self.id)
        return final


def disturbed(lab, verb, target, disturb, afterwards=lambda: None):
    move = Move(lab, verb, target)
    for step in STEPS[verb]:
        lab.eventually(lambda step=step: move.is_in(step), f"{verb} comes to {step}", 300)
        disturb()
    final = move.end()
    assert final["status"] == "completed", final
    afterwards()
    lab.at_rest_on(target)


def cutting(lab):
    def disturb():
        lab.cut_the_sites_apart()
        lab.wait(CUT_S)
        lab.join_the_sites()
    return disturb


def killing(lab):
    victims = itertools.cycle(f"{program}-{letter}" for program in ("orchestrator", "metadata", "storage", "registry", "cloud", "array") for letter in "ab")
    return lambda: lab.kill_and_restart(next(victims))


@pytest.mark.parametrize("disturbance", [cutting, killing])
def test_planned_failover_and_failback_are_disturbed_in_each_step(protected, disturbance):
    """P1 to P4, P7: nothing is lost, nothing is twice, the servers have their addresses."""
    protected.bring_home()
    disturbed(protected, "failover", "b", disturbance(protected))
    assert set(protected.lost("a", "b").values()) == {0}
    disturbed(protected, "failback", "a", disturbance(protected))
    assert set(protected.lost("b", "a").values()) == {0}


def test_unplanned_failover_from_a_site_that_lives_behind_a_cut_network(protected):
    """P5, P6: site-a's servers run on; when the network is back, they are stopped and cleaned up."""
    protected.bring_home()
    protected.cut_the_sites_apart()
    kill = killing(protected)

    def disturb():  # the network comes for a moment, and a container of either site dies
        protected.join_the_sites()
        protected.cut_the_sites_apart()
        kill()
    disturbed(protected, "unplanned", "b", disturb, afterwards=protected.join_the_sites)
