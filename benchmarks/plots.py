"""The plots of docs/benchmarks.md and docs/tuning.md, as SVG."""

import sys

import pygal
from pygal.style import Style

from benchmarks.figures import Figure

# pygal finds its plugins by an interface that Python no longer has, and warns of at each import. No plugin is used here.
sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, pygal.PluginImportFixer)]

STYLE = Style(
    background="white",
    plot_background="white",
    font_family="sans-serif",
    colors=("#0c4b33", "#44b78b", "#d9822b", "#5b6c9e", "#b0413e", "#888888", "#c2a83e"),
)
OPTIONS = {
    "style": STYLE,
    "js": [],
    "width": 800,
    "height": 420,
    "legend_at_bottom": True,
    "disable_xml_declaration": True,
    "print_values": False,
    "show_minor_y_labels": True,
    "pretty_print": True,
}
CLIENTS = 32


def of(results: dict) -> dict[str, str]:
    """Return the plots of these figures: SVG by file name."""
    found = {
        "benchmarks-throughput.svg": throughput(results["throughput"]["rows"]),
        "benchmarks-endurance.svg": endurance(results["endurance"]),
        "benchmarks-deploys.svg": deploys(results["deploying"]),
    }
    for server in dict.fromkeys(row["server"] for row in results["sweep"]):
        rows = [row for row in results["sweep"] if row["server"] == server]
        found[f"tuning-{server}.svg"] = sweep(server, rows)
    return found


def svg(chart) -> str:
    return chart.render(is_unicode=True) + "\n"


def throughput(rows: list[dict]) -> str:
    """Return bars of the requests per second of each page of Django, for each stack."""
    pages = ["trivial", "query", "login"]
    chart = pygal.Bar(title=f"Requests per second, {CLIENTS} clients", x_labels=pages, **OPTIONS)
    chosen = [row for row in rows if row["clients"] == CLIENTS and row["page"] in pages]
    for name in dict.fromkeys(row["contender"] for row in chosen):
        rates = {
            row["page"]: Figure(tuple(row["requests_per_second"])).median
            for row in chosen
            if row["contender"] == name
        }
        chart.add(name, [rates.get(page) for page in pages])
    return svg(chart)


def endurance(rows: list[dict]) -> str:
    """Return lines of the requests per second in each minute."""
    minutes = range(1, len(rows[0]["requests_per_second"]) + 1)
    chart = pygal.Line(
        title=f"Requests per second in each minute of load, {CLIENTS} clients",
        x_labels=[str(minute) for minute in minutes],
        range=(0, max(max(row["requests_per_second"]) for row in rows)),
        **OPTIONS,
    )
    for row in rows:
        chart.add(row["contender"], row["requests_per_second"])
    return svg(chart)


def deploys(rows: list[dict]) -> str:
    """Return bars of the longest time without a response during a deploy."""
    chart = pygal.HorizontalBar(
        title="Longest time without a response while a new version starts, seconds", **OPTIONS
    )
    for way in dict.fromkeys(row["way"] for row in rows):
        gaps = Figure(tuple(row["gap"] for row in rows if row["way"] == way))
        chart.add(way, gaps.median)
    return svg(chart)


def sweep(server: str, rows: list[dict]) -> str:
    """Return lines of the requests per second by workers, for each kind of work and number of threads."""
    cores = max(row["cores"] for row in rows)
    rows = [row for row in rows if row["cores"] == cores]
    workers = sorted({row["workers"] for row in rows})
    chart = pygal.Line(
        title=f"{server} on {cores} cores: requests per second by workers",
        x_labels=[str(count) for count in workers],
        x_title="workers",
        **OPTIONS,
    )
    names = {"cpu": "CPU", "wait": "50 ms query", "mixed": "mixed"}
    for work, name in names.items():
        for threads in sorted({row["threads"] for row in rows}):
            rates = {row["workers"]: row[work] for row in rows if row["threads"] == threads}
            label = f"{name}, {threads} thread{'s' if threads > 1 else ''}"
            chart.add(label, [rates.get(count) for count in workers])
    return svg(chart)
