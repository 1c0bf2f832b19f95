"""Requests per second and latencies of each page, for several numbers of clients."""

from collections import defaultdict
from collections.abc import Callable

from benchmarks.contenders import Contender
from benchmarks.load import sockets_in_time_wait
from benchmarks.plan import Plan

WARM_UP_SECONDS = 2
PAGES = ("trivial", "query", "login", "static")


def measure(contenders: dict[str, Contender], plan: Plan, say: Callable[[str], None]) -> list[dict]:
    """Load each page of each contender in turn; return a row for each page, number of clients and contender.

    Latencies are in milliseconds, failed requests and sockets in TIME_WAIT are numbers.
    """
    rows: dict[tuple, dict] = defaultdict(lambda: defaultdict(list))
    for page in PAGES:
        shown = {name: one for name, one in contenders.items() if page in one.paths}
        for one in shown.values():
            one.check(page)
            one.load(page, max(plan.clients), WARM_UP_SECONDS)
        for clients in plan.clients:
            say(f"{page}, {clients} clients")
            for _ in range(plan.rounds):
                for name, one in shown.items():
                    result = one.load(page, clients, plan.load_seconds)
                    row = rows[page, clients, name]
                    row["requests_per_second"].append(round(result.requests_per_second, 1))
                    row["p50_ms"].append(result.p50_ms)
                    row["p99_ms"].append(result.p99_ms)
                    row["failed"].append(result.failed)
                    row["time_wait"].append(sockets_in_time_wait(one.container))
    return [
        {"page": page, "clients": clients, "contender": name, **row}
        for (page, clients, name), row in rows.items()
    ]
