"""One course of a flow, calm or with a fault, and what it left: a picture, effects, the failpoints it passed."""

import dataclasses

import picture
from failpoints import FailpointLab
from protector_lab.lab import FAST_TUNING
from world import World

# Deadlines and waits short enough for many courses; what is tested does not depend on how long they are.
TUNING = {**FAST_TUNING, "services": {
    "orchestrator": {"timeouts": {"call": "3s", "lost_site": "1s"}, "retry": {"first": "50ms", "longest": "500ms"}},
    "storage-pure": {"array": {"request_timeout": "2s", "connect_timeout": "1s"}},
    "metadata-sync": {"peer": {"timeout": "2s"}},
}}


class RobustWorld(World):
    """The e2e tests' world in a lab whose services look at failpoints and are started again when they die."""

    def __init__(self, directory, addresses):
        super().__init__(directory / "lab", addresses, directory / "failed")
        self.use(FailpointLab(self.layout))

    def use(self, lab):
        self.lab = lab
        for view in (self.a, self.b):
            view.cli.environment["PROTECTOR_FAILPOINTS"] = str(lab.directory(view.site))
            view.cli.environment.update(lab.both_sites())

    def _build_registered(self):
        self.lab.up(TUNING)
        self.lab.register(self.a.cli)

    def look_for_secrets(self):
        """The e2e suite's business; here it would cost more than a course."""
        self.spoken.clear()


@dataclasses.dataclass
class Course:
    picture: dict
    effects: dict
    since: dict        # {site: (cloud journal, array journal)}: where the flow began in them
    hits: list
    deaths: list
    carried_out: bool  # the order was reached


def effects(world, since):
    found = {}
    for view in (world.a, world.b):
        for kind, count in {**picture.cloud_effects(view, since[view.name][0]), **picture.array_effects(view, since[view.name][1])}.items():
            found[f"{view.name} {kind}"] = count
    return found


class Calm:
    """No fault at all."""
    label = "calm"

    def arm(self, world):
        pass

    def on_death(self, world):
        pass

    def withdraw(self, world):
        """Takes the fault away; whether it had been carried out."""
        return True

    def complaints(self, course):
        return []


class AtFailpoint(Calm):
    """An order at a failpoint, and perhaps another one at a failpoint of the recovery from the first death."""

    def __init__(self, point, action="kill", recovery=None):
        self.point, self.action, self.recovery = point, action, recovery
        self.label = f"{action} at {point}" + (f", then at {recovery}" if recovery else "")

    def arm(self, world):
        world.lab.order(self.point, self.action)

    def on_death(self, world):
        if self.recovery is not None and len(world.lab.deaths) == 1:
            world.lab.order(self.recovery, self.action)

    def withdraw(self, world):
        return not world.lab.withdraw()

    def complaints(self, course):
        # A command that dies is typed again; only services have a supervisor that counts.
        a_service = self.point.program != "protector"
        return ["nobody died"] if self.action == "kill" and a_service and course.carried_out and not course.deaths else []


def run(world, flow, fault=None):
    fault = fault or Calm()
    world.begin(flow.scenario)
    since = {view.name: (newest(view.cloud_sim, "n"), newest(view.array_sim, "seq")) for view in (world.a, world.b)}
    if flow.prepare is not None:
        flow.prepare(world)
    marks = world.lab.marks()
    world.lab.supervise(lambda site, program: fault.on_death(world))
    try:
        fault.arm(world)
        flow.act(world)
    finally:
        world.lab.unsupervise()
        carried_out = fault.withdraw(world)
    deaths, hits = list(world.lab.deaths), world.lab.hits(marks)
    world.lab.wait_services()
    if flow.finish is not None:
        flow.finish(world)
    return Course(picture.take(world, flow.groups), effects(world, since), since, hits, deaths, carried_out)


def newest(sim, key):
    return max((entry[key] for entry in sim.journal()), default=0)


def compare(calm, course):
    """Why the course is not as good as the calm one; empty: it is."""
    lines = picture.differences(calm.picture, course.picture)
    for kind in sorted({*calm.effects, *course.effects}):
        expected, found = calm.effects.get(kind, 0), course.effects.get(kind, 0)
        if expected != found:
            lines.append(f"{kind}: {expected} times in the calm course, {found} times here")
    return lines
