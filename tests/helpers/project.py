"""A generated project: its files and the options that made it."""

import uuid
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """A baked project and the answers that it was baked with."""

    path: Path
    answers: dict

    def files(self) -> set[str]:
        return {str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_file()}

    def read(self, name: str) -> str:
        return (self.path / name).read_text()


def a_slug() -> str:
    """Return a slug of its own, because Compose finds a project's containers by it."""
    return f"tried-{uuid.uuid4().hex[:8]}"
