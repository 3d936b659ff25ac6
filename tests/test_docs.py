"""Docs are true: the dictionary is today's, commands and linked files exist, no machine's path slips in."""

import re
from pathlib import Path

import pytest
import typer

from pipelines.cli import app
from pipelines.law import rules_of
from quotas.rulebook import rulebook
from reports.dictionary import dictionary_page
from reports.rules import rules_page
from schemas.tables import TABLES

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])


def commands() -> set[str]:
    """Every command of the command line, groups as `model fit`."""
    top = typer.main.get_command(app)
    assert isinstance(top, typer.core.TyperGroup)
    found = set()
    for name, command in top.commands.items():
        below = getattr(command, "commands", None)
        found |= {name} if below is None else {f"{name} {one}" for one in below}
    return found


def test_the_dictionary_is_the_one_the_contracts_give() -> None:
    written = (ROOT / "docs" / "dictionary.md").read_text(encoding="utf-8")
    assert written == dictionary_page(TABLES), "make it anew: perlinsos dictionary --out docs/dictionary.md"


def test_the_page_of_the_law_is_the_one_the_rulebook_gives() -> None:
    written = (ROOT / "docs" / "rulebook.html").read_text(encoding="utf-8")
    assert written == rules_page(rules_of(rulebook())), "make it anew: perlinsos rulebook --out docs/rulebook.html"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_a_page_shows_exists(page: Path) -> None:
    known = commands()
    groups = {name.split()[0] for name in known if " " in name}
    for line in re.findall(r"perlinsos ((?:[a-z-]+ ?){1,2})", page.read_text(encoding="utf-8")):
        words = line.split()
        shown = " ".join(words[:2]) if words[0] in groups else words[0]
        assert shown in known | groups, f"{page.name} shows `perlinsos {shown}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), f"{page.name} links {target}"


def test_every_command_is_named_in_the_design() -> None:
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    missing = {name for name in commands() if not re.search(rf"\b{name.split()[-1]}\b", design)}
    assert not missing


def test_every_module_says_at_its_door_what_lives_there() -> None:
    packages = ("assets", "benchmarks", "pipelines", "quotas", "reports", "schemas", "world")
    modules = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    assert modules
    silent = [path for path in modules if not path.read_text(encoding="utf-8").startswith('"""')]
    assert not silent
