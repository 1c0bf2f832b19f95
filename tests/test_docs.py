"""What the documentation points at is there."""

import re

import pytest

from tests.matrix import ROOT

PAGES = sorted(
    page for page in ROOT.rglob("*.md") if not {".venv", "demo"} & set(page.relative_to(ROOT).parts)
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_every_page_is_listed():
    index = (ROOT / "docs/README.md").read_text() + (ROOT / "docs/decisions/README.md").read_text()
    pages = [page for page in PAGES if "docs" in page.parts and page.name != "README.md"]
    assert len(pages) >= 12
    assert [page.name for page in pages if f"{page.name})" not in index] == []


@pytest.mark.parametrize("target", ["demo", "demo-down", "test", "test-fast", "stand-ins-down"])
def test_each_command_of_the_readme_is_one_of_the_makefile(target):
    assert f"make {target}" in (ROOT / "README.md").read_text()
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
