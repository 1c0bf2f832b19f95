"""The recipes of a generated project's docs/recipes.md, and what a person does with their code blocks."""

import re
import subprocess
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

BLOCK = re.compile(r"^([^\n]*)\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"(In|At the end of|New file) `(.+)`:")


@dataclass(frozen=True)
class Block:
    """A code block: the change of a file or, where `how` is empty, commands to run."""

    recipe: str
    how: str  # In, At the end of, New file
    file: str
    text: str

    def apply(self, project: Path) -> None:
        """Change the file, or run the commands; fails with the recipe's name."""
        path = project / self.file
        if not self.how:
            done = subprocess.run(
                ["sh", "-ec", self.text], cwd=project, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{self.recipe}: {self.text}{done.stdout}{done.stderr}"
        elif self.how == "In":
            path.write_text(self.patched(path.read_text()))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            assert path.exists() == (self.how != "New file"), f"{self.recipe}: {self.file}"
            with path.open("a") as file:
                file.write(self.text)

    def patched(self, text: str) -> str:
        """Return the text with each hunk of this diff applied at the one place where its lines are."""
        for hunk in re.split(r"^@@\n", self.text, flags=re.MULTILINE):
            lines = hunk.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] != "+")
            new = "".join(line[1:] for line in lines if line[0] != "-")
            count = f"\n{text}".count(f"\n{old}")
            assert count == 1, f"{self.recipe}: {self.file} has {count} times\n{old}"
            text = f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]
        return text


def read(page: str) -> dict[str, list[Block]]:
    """Return the blocks of each recipe by its heading; those before the first heading by ""."""
    recipes = {}
    for part in re.split(r"^## ", f"\n{page}", flags=re.MULTILINE):
        name = "" if part.startswith("\n") else part.partition("\n")[0]
        found, blocks = BLOCK.findall(part), []
        assert part.count("```") == 2 * len(found), f"{name}: a block has no line before it"
        for lead, language, text in found:
            place = PLACE.fullmatch(lead)
            assert place or language in ("sh", "text"), f"{name}: {lead} says no file"
            if place or language == "sh":
                blocks.append(Block(name, *(place.groups() if place else ("", "")), text))
        recipes[name] = blocks
    return recipes


def before_start(blocks: list[Block]) -> list[Block]:
    """Return the blocks before the first command that needs a stack: they are done before it is built."""
    return [*takewhile(lambda block: block.how or "docker compose" not in block.text, blocks)]


def cook(project: Path, names: list[str]) -> None:
    """Follow these recipes, all at once: change the files, lock and start development, then run the commands."""
    recipes = read((project / "docs/recipes.md").read_text())
    chosen = [recipes[name] for name in names]
    for blocks in [*map(before_start, chosen), recipes[""]]:
        for block in blocks:
            block.apply(project)
    for blocks in chosen:
        for block in blocks[len(before_start(blocks)) :]:
            block.apply(project)
