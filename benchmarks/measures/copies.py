"""Several copies of the app behind one nginx."""

from collections.abc import Callable

from benchmarks.contenders import Contender, start
from benchmarks.plan import Plan

CLIENTS = 32
PAGES = ("trivial", "query")


def measure(ours: Contender, plan: Plan, say: Callable[[str], None]) -> list[dict]:
    """Return the requests per second for each number of copies, one after the other; leave one copy."""
    rows = []
    for copies in (*plan.copies, 1):
        start(ours.stack, APP_COPIES=str(copies))
        if rows and copies == 1:
            break
        say(f"{copies} copies")
        for page in PAGES:
            ours.load(page, CLIENTS, 2)
            rates = [
                ours.load(page, CLIENTS, plan.load_seconds).requests_per_second
                for _ in range(plan.rounds)
            ]
            rows.append({"copies": copies, "page": page, "requests_per_second": rates})
    return rows
