"""docs/benchmarks.md, its plots and docs/benchmarks.json, from the figures of one run."""

import json
from pathlib import Path
from string import Template

from benchmarks import plots, targets
from benchmarks.figures import Figure

DOCS = Path(__file__).resolve().parent.parent / "docs"
SMALL_LAYER = 100_000  # bytes
PAGE = Path(__file__).parent / "page.md.template"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown; columns of numbers are for the reader to compare, so no more than needed."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float) -> str:
    """Return a number with three significant digits, or all digits of a large one."""
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def figure(values: list[float]) -> str:
    """Return the median, and the range where there are several values."""
    measured = Figure(tuple(values))
    text = number(measured.median)
    if measured.lowest == measured.highest:
        return text
    return f"{text} ({number(measured.lowest)} to {number(measured.highest)})"


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f}"


def of_about(about: dict) -> str:
    return table(["what", "value"], [[key, str(value)] for key, value in about.items()])


def of_targets(found: list[targets.Target]) -> str:
    rows = [
        [
            target.name,
            figure([*target.measured.values]),
            f"{'at least' if target.at_least else 'at most'} {target.bound:g}",
            "yes" if target.holds else "**no**",
        ]
        for target in found
    ]
    return table(["what", "measured", "target", "holds"], rows)


def of_throughput(measured: dict) -> str:
    rows = [
        [
            row["page"],
            str(row["clients"]),
            row["contender"],
            *(figure(row[key]) for key in ("requests_per_second", "p50_ms", "p99_ms")),
            str(sum(row["failed"])),
            number(max(row["time_wait"])),
        ]
        for row in measured["rows"]
    ]
    head = ["page", "clients", "stack", "requests/s", "p50, ms", "p99, ms", "failed", "TIME_WAIT"]
    return table(head, rows)


def of_memory(measured: dict) -> str:
    idle, loaded = (
        {(row["contender"], row["service"]): row["bytes"] for row in measured["memory"][state]}
        for state in ("idle", "loaded")
    )
    rows = [[*key, megabytes(idle[key]), megabytes(loaded[key])] for key in idle if key in loaded]
    return table(["stack", "container", "idle, MB", "loaded, MB"], rows)


def of_endurance(rows: list[dict]) -> str:
    minutes = range(1, len(rows[0]["requests_per_second"]) + 1)
    head = ["stack", *(f"minute {minute}" for minute in minutes), "TIME_WAIT"]
    return table(
        head,
        [
            [
                row["contender"],
                *(number(rate) for rate in row["requests_per_second"]),
                str(row["time_wait"]),
            ]
            for row in rows
        ],
    )


def of_copies(rows: list[dict]) -> str:
    return table(
        ["page", "copies", "requests/s"],
        [[row["page"], str(row["copies"]), figure(row["requests_per_second"])] for row in rows],
    )


def of_sizes(rows: list[dict]) -> str:
    total = table(
        ["image", "MB over the base image"],
        [[row["image"], megabytes(row["bytes"])] for row in rows],
    )
    ours = next(row for row in rows if row["image"] == "uwsgi")
    layers = table(
        ["layer of the default image", "MB"],
        [
            [f"`{layer['command']}`", megabytes(layer["bytes"])]
            for layer in ours["layers"]
            if layer["bytes"] >= SMALL_LAYER
        ],
    )
    return f"{total}\n\n{layers}"


def of_seconds(rows: list[dict]) -> str:
    """Return a table of rows that have words, and seconds."""
    words = [key for key in rows[0] if key != "seconds"]
    return table(
        [*words, "seconds"],
        [[*(str(row[key]) for key in words), figure(row["seconds"])] for row in rows],
    )


def of_saving(measured: dict) -> str:
    rows = [
        ["seconds from saving a file to its response", figure(measured["seconds"])],
        ["percent of a core while nobody types", figure(measured["idle_percent"])],
    ]
    return table(["what", "measured"], rows)


def of_deploying(rows: list[dict]) -> str:
    ways = dict.fromkeys(row["way"] for row in rows)
    lines = []
    for way in ways:
        own = [row for row in rows if row["way"] == way]
        failed, requests = (sum(row[key] for row in own) for key in ("failed", "requests"))
        seconds, gap = (figure([row[key] for row in own]) for key in ("seconds", "gap"))
        lines.append([f"`{way}`", seconds, f"{failed} of {requests}", gap])
    return table(
        ["way", "seconds", "failed requests", "longest time without a response, seconds"], lines
    )


def of_sweep(rows: list[dict]) -> str:
    head = ["server", "cores", "workers", "threads", "CPU", "50 ms query", "mixed", "memory, MB"]
    lines = [
        [
            *(str(row[key]) for key in ("server", "cores", "workers", "threads")),
            *(number(row[key]) for key in ("cpu", "wait", "mixed")),
            megabytes(row["bytes"]),
        ]
        for row in rows
    ]
    return table(head, lines)


TABLES = {
    "throughput": of_throughput,
    "endurance": of_endurance,
    "copies": of_copies,
    "sizes": of_sizes,
    "builds": of_seconds,
    "starting": of_seconds,
    "generating": of_seconds,
    "saving": of_saving,
    "deploying": of_deploying,
    "sweep": of_sweep,
}


def parts(results: dict) -> dict[str, str]:
    """Return a table for each subject that was measured, by its name."""
    found = {name: make(results[name]) for name, make in TABLES.items() if name in results}
    if "throughput" in results:
        found["memory"] = of_memory(results["throughput"])
    return {
        "about": of_about(results["about"]),
        "targets": of_targets(targets.of(results)),
        **found,
    }


def tables(results: dict) -> str:
    """Return all tables as text."""
    return "\n\n".join(f"{name}\n\n{text}" for name, text in parts(results).items())


def write(results: dict, docs: Path = DOCS) -> None:
    """Write the page, the plots and the figures, each as a whole."""
    page = Template(PAGE.read_text()).substitute(parts(results))
    for name, svg in plots.of(results).items():
        replace(docs / "images" / name, svg)
    replace(docs / "benchmarks.json", json.dumps(results, indent=1) + "\n")
    replace(docs / "benchmarks.md", page)


def replace(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)
