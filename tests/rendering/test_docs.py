"""What the documentation points at is there: this repository's, and that of every bake."""

import re
from pathlib import Path

import pytest

from tests.helpers.matrix import ROOT

# The template's own pages are looked at in the bakes.
ELSEWHERE = {".venv", "demo", "{{cookiecutter.project_slug}}"}
PAGES = sorted(
    page for page in ROOT.rglob("*.md") if not ELSEWHERE & set(page.relative_to(ROOT).parts)
)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and GitLab make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading of a page."""
    dead = []
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)]+)\)", page.read_text()):
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    return dead


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "other.md").write_text(
        "# When `it` breaks: an example\n\n```sh\n# no heading\n```\n"
    )
    page = tmp_path / "page.md"
    page.write_text(
        "# Top\n[a](other.md#when-it-breaks-an-example) [b](#top) [c](other.md#no-heading) [d](#bottom) [e](no.md)"
    )
    assert dead_links(page) == ["other.md#no-heading", "#bottom", "no.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert dead_links(page) == []


def test_every_page_is_listed():
    index = (ROOT / "docs/README.md").read_text() + (ROOT / "docs/decisions/README.md").read_text()
    pages = [page for page in PAGES if "docs" in page.parts and page.name != "README.md"]
    assert len(pages) >= 20
    assert [page.name for page in pages if f"{page.name})" not in index] == []


def test_links_of_a_bake_lead_somewhere(baked):
    pages = [*baked.path.rglob("*.md")]
    assert len(pages) >= 4
    assert {page.name: dead_links(page) for page in pages} == {page.name: [] for page in pages}


def test_the_readme_of_a_bake_lists_every_page(baked):
    readme = baked.read("README.md")
    pages = [page.name for page in baked.path.glob("docs/*.md")]
    assert [page for page in pages if f"(docs/{page})" not in readme] == []


@pytest.mark.parametrize(
    "target", ["demo", "demo-down", "test", "test-all", "test-fast", "stand-ins-down"]
)
def test_each_command_of_the_readme_is_one_of_the_makefile(target):
    assert f"make {target}" in (ROOT / "README.md").read_text()
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
