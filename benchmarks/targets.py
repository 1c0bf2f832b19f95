"""Where the product must stand, as ratios within one run."""

from dataclasses import dataclass

from benchmarks.figures import Figure

CLIENTS = 32
BEHIND_NGINX = "floor behind nginx"


@dataclass(frozen=True)
class Target:
    """A ratio or a number, and its bound."""

    name: str
    measured: Figure
    bound: float
    at_least: bool

    @property
    def holds(self) -> bool:
        if self.at_least:
            return self.measured.median >= self.bound
        return self.measured.median <= self.bound


def at_least(name: str, measured: Figure, bound: float) -> Target:
    return Target(name, measured, bound, at_least=True)


def at_most(name: str, measured: Figure, bound: float) -> Target:
    return Target(name, measured, bound, at_least=False)


def of(results: dict) -> list[Target]:
    """Return the targets of all subjects that were measured."""
    found = {
        "throughput": of_throughput,
        "endurance": of_endurance,
        "sizes": of_sizes,
        "builds": of_builds,
        "starting": of_starting,
        "saving": of_saving,
        "generating": of_generating,
        "deploying": of_deploying,
    }
    return [
        target
        for subject, make in found.items()
        if subject in results
        for target in make(results[subject])
    ]


def of_throughput(measured: dict) -> list[Target]:
    def figure(contender: str, page: str, key: str = "requests_per_second") -> Figure:
        for row in measured["rows"]:
            if (row["contender"], row["page"], row["clients"]) == (contender, page, CLIENTS):
                return Figure(tuple(row[key]))
        raise KeyError((contender, page))

    def rate(page: str, contender: str, bound: float) -> Target:
        name = f"{page}, requests/s over {contender}"
        return at_least(name, figure("uwsgi", page).over(figure(contender, page)), bound)

    p99 = [
        at_most(
            f"{page}, p99 over {BEHIND_NGINX}",
            figure("uwsgi", page, "p99_ms").over(figure(BEHIND_NGINX, page, "p99_ms")),
            1.3,
        )
        for page in ("trivial", "query", "login")
    ]
    return [
        rate("trivial", BEHIND_NGINX, 1.1),
        rate("query", BEHIND_NGINX, 1.1),
        rate("login", BEHIND_NGINX, 1.2),
        rate("static", BEHIND_NGINX, 0.9),
        rate("trivial", "floor", 0.7),
        *p99,
    ]


def of_endurance(rows: list[dict]) -> list[Target]:
    return [
        at_least(
            f"{row['contender']}, last minute of load over the first",
            Figure((row["requests_per_second"][-1] / row["requests_per_second"][0],)),
            0.95,
        )
        for row in rows
    ]


def of_sizes(rows: list[dict]) -> list[Target]:
    megabytes = {row["image"]: row["bytes"] / 1e6 for row in rows}
    return [
        at_most("MB over the base image, default values", Figure((megabytes["uwsgi"],)), 60),
        at_most("MB over the base image, without allauth", Figure((megabytes["lean"],)), 50),
    ]


def of_builds(rows: list[dict]) -> list[Target]:
    seconds = {(row["contender"], row["build"]): Figure(tuple(row["seconds"])) for row in rows}
    bounds = {"cold": 1.1, "a changed line": 1.2, "one more package": 1.2}
    return [
        at_most(
            f"build, {kind}, over the floor's",
            seconds["ours", kind].over(seconds["floor", kind]),
            bound,
        )
        for kind, bound in bounds.items()
    ]


def of_starting(rows: list[dict]) -> list[Target]:
    seconds = {row["contender"]: Figure(tuple(row["seconds"])) for row in rows}
    ratio = seconds["production"].over(seconds["floor"])
    return [at_most("production's first page over the floor's", ratio, 1.2)]


def of_saving(measured: dict) -> list[Target]:
    return [
        at_most(
            "seconds from saving a file to its response", Figure(tuple(measured["seconds"])), 1
        ),
        at_most("percent of a core while nobody types", Figure(tuple(measured["idle_percent"])), 2),
    ]


def of_generating(rows: list[dict]) -> list[Target]:
    seconds = {row["template"]: Figure(tuple(row["seconds"])) for row in rows}
    return [
        at_most(
            "seconds to generate a project, less those of an empty template",
            Figure((seconds["ours"].median - seconds["empty template"].median,)),
            0.3,
        )
    ]


def of_deploying(rows: list[dict]) -> list[Target]:
    failed = Figure(tuple(row["failed"] for row in rows if row["way"] == "bin/deploy"))
    return [at_most("failed requests of a bin/deploy", failed, 0)]
