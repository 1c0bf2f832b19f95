"""The subjects of the benchmarks, in the order in which they are measured."""

import os
from collections.abc import Callable, Collection
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import contenders, load, machine
from benchmarks.contenders import build, generated, removed_at_the_end, stack, start
from benchmarks.measures import (
    builds,
    copies,
    deploying,
    endurance,
    generating,
    memory,
    saving,
    sizes,
    starting,
    sweep,
    throughput,
)
from benchmarks.plan import Plan
from tests.helpers.stack import DEVELOPMENT, PRODUCTION

SUBJECTS = [
    "generating",
    "sizes",
    "throughput",
    "endurance",
    "copies",
    "sweep",
    "deploying",
    "starting",
    "saving",
    "builds",
]
ENTRY = "config/wsgi.py"

Say = Callable[[str], None]


def measure(scratch: Path, plan: Plan, subjects: Collection[str], say: Say) -> dict:
    """Measure these subjects, and return their figures with the date and the machine."""
    begun = datetime.now(UTC)
    load.build()
    bench = Bench(scratch, plan, say)
    results = {}
    with removed_at_the_end(*bench.stacks.values()):
        for subject in SUBJECTS:
            if subject in subjects:
                say(f"{datetime.now():%H:%M} {subject}")
                results[subject] = getattr(bench, subject)()
    minutes = round((datetime.now(UTC) - begun).total_seconds() / 60)
    about = {"date": f"{begun:%Y-%m-%d}", "minutes": minutes, **machine.description()}
    return {"about": about, **results}


class Bench:
    """The projects and stacks of one run. Each subject starts the stacks that it needs, and stops them."""

    def __init__(self, scratch: Path, plan: Plan, say: Say):
        self.scratch, self.plan, self.say = scratch, plan, say
        folders = {name: contenders.generate(scratch, name) for name in contenders.OPTIONS}
        self.stacks = {name: stack(folder, PRODUCTION) for name, folder in folders.items()}
        self.stacks["development"] = stack(folders["uwsgi"], DEVELOPMENT)
        self.stacks["floor"] = stack(
            contenders.floor(scratch, folders["uwsgi"]), "compose.yaml", contenders.Floor
        )

    @contextmanager
    def running(self, *names: str):
        """Build and start these stacks; remove their containers and volumes at the end of the block."""
        with ExitStack() as stopping:
            for name in names:
                self.say(f"starting {name}")
                build(self.stacks[name])
                stopping.callback(self.stacks[name].compose, "down", "--volumes", "--timeout", "5")
                start(self.stacks[name])
            yield

    def generating(self) -> list[dict]:
        return generating.measure(self.scratch, self.plan, self.say)

    def sizes(self) -> list[dict]:
        images = {name: self.image(name) for name in (*contenders.OPTIONS, "floor")}
        return sizes.measure(images)

    def image(self, name: str) -> str:
        """Build the stack of this name and return the name of its app's image."""
        self.say(f"building {name}")
        build(self.stacks[name])
        return contenders.image_of_app(self.stacks[name])

    def throughput(self) -> dict:
        with self.running("uwsgi", "gunicorn", "no proxy", "floor"):
            start(self.stacks["floor"], *contenders.REFERENCES)
            shown = {
                name: generated(self.stacks[name]) for name in ("uwsgi", "gunicorn", "no proxy")
            }
            shown["uwsgi, without nginx"] = contenders.app_alone(self.stacks["uwsgi"])
            shown |= contenders.floors(self.stacks["floor"])
            idle = memory.measure(self.stacks)
            rows = throughput.measure(shown, self.plan, self.say)
            return {"rows": rows, "memory": {"idle": idle, "loaded": memory.measure(self.stacks)}}

    def endurance(self) -> list[dict]:
        with self.running("uwsgi", "gunicorn"):
            shown = {name: generated(self.stacks[name]) for name in ("uwsgi", "gunicorn")}
            return endurance.measure(shown, self.plan, self.say)

    def copies(self) -> list[dict]:
        with self.running("uwsgi"):
            return copies.measure(generated(self.stacks["uwsgi"]), self.plan, self.say)

    def sweep(self) -> list[dict]:
        with self.running("uwsgi", "gunicorn"):
            shown = {name: self.stacks[name] for name in ("uwsgi", "gunicorn")}
            return sweep.measure(shown, os.cpu_count(), self.plan, self.say)

    def deploying(self) -> list[dict]:
        ours, floor = self.stacks["uwsgi"], self.stacks["floor"]
        with self.running("uwsgi", "floor"):
            ways = {
                "bin/deploy": (ours, ENTRY, deploying.bin_deploy),
                "up --build": (ours, ENTRY, deploying.plain_up),
                "up --build, floor": (floor, ENTRY, deploying.plain_up),
            }
            return deploying.measure(ways, self.plan, self.say)

    def starting(self) -> list[dict]:
        names = {"production": "uwsgi", "development": "development", "floor": "floor"}
        stacks = {name: self.stacks[key] for name, key in names.items()}
        for one in stacks.values():
            build(one)
        return starting.measure(stacks, self.plan, self.say)

    def saving(self) -> dict:
        with self.running("development"):
            return saving.measure(self.stacks["development"], self.plan, self.say)

    def builds(self) -> list[dict]:
        stacks = {
            "ours": (self.stacks["uwsgi"], "docker/app/Dockerfile", ENTRY),
            "floor": (self.stacks["floor"], "Dockerfile", ENTRY),
        }
        return builds.measure(stacks, self.plan, self.say)
