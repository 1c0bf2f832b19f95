"""How much an image adds to the base image, and which layer adds how much."""

import json
import re

from tests.helpers.stack import run

BASE = "python:3.14-slim-trixie"


def layers(image: str) -> list[dict]:
    """Return the layers of an image that are not empty, the oldest first: their bytes and their command."""
    shown = run("docker", "history", "--no-trunc", "--human=false", "--format", "json", image)
    history = [json.loads(line) for line in shown.stdout.splitlines()][::-1]
    return [
        {"bytes": int(layer["Size"]), "command": words(layer["CreatedBy"])}
        for layer in history
        if int(layer["Size"])
    ]


def words(command: str) -> str:
    """Return the beginning of a Dockerfile's command, without what BuildKit adds."""
    command = re.sub(r"^RUN \|\d+ .*?/bin/sh -c|/bin/sh -c #\(nop\)|/bin/sh -c", "RUN", command)
    command = re.sub(
        r"^RUN RUN|# buildkit|\s+", lambda found: "RUN" if "RUN" in found[0] else " ", command
    )
    return command.strip()[:70]


def measure(images: dict[str, str]) -> list[dict]:
    """Return for each image what it adds to its base, in bytes, and its own layers."""
    base = layers(BASE)
    rows = []
    for name, image in images.items():
        own = layers(image)[len(base) :]
        rows.append({"image": name, "bytes": sum(layer["bytes"] for layer in own), "layers": own})
    return rows
