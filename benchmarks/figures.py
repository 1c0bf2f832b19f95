"""Figures of several rounds: their median and range, and the ratio of two figures."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """What was measured once in each round, in the order of the rounds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)

    @property
    def highest(self) -> float:
        return max(self.values)

    def over(self, other: "Figure") -> "Figure":
        """Return the ratio to another figure, round by round: what slows the machine slows both."""
        return Figure(tuple(a / b for a, b in zip(self.values, other.values, strict=True)))


def in_turn(
    measures: dict[Hashable, Callable[[], float]], rounds: int, say: Callable[[str], None]
) -> dict[Hashable, Figure]:
    """Take each measure once in each round, so that all of them meet the same disturbances."""
    values: dict[Hashable, list[float]] = {name: [] for name in measures}
    for number in range(1, rounds + 1):
        for name, measure in measures.items():
            say(f"round {number} of {rounds}: {name if isinstance(name, str) else ', '.join(name)}")
            values[name].append(measure())
    return {name: Figure(tuple(taken)) for name, taken in values.items()}
