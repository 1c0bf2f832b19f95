"""What the hook says when it refuses values."""

import re

# Below the sentences: the command that asks again.
AGAIN = re.compile(
    r"\n\nTo answer again, with your other answers filled in:\n\n  (cookiecutter .*)\n*$"
)


def sentences(said: str) -> list[str]:
    """Return the sentences of a refusal, which must also say what to type next; none where nothing is refused."""
    if not said:
        return []
    assert AGAIN.search(said), said
    return AGAIN.sub("", said).split("\n")
