"""Dagster's pages in a browser: the quarter launched there gives the draft that the command line gives."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.homes import FIRST, Demo, contents, draft_of, environment, fresh, perlinsos_process, pointer

CHROMIUM = Path("/usr/bin/chromium")
JOB = "locations/pipelines.definitions/jobs/quarterly_run"
PATIENCE_MS = 180_000
"""How long a page may take while other tests keep both cores busy."""
UP_SECONDS, STOP_SECONDS = 180, 15

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@dataclass(frozen=True)
class Ui:
    """A running `dagster dev`: where it answers, the home it stands on and the folder it was started in."""

    address: str
    home: Path
    started_in: Path


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=2) as answer:  # noqa: S310 - our own loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group of a process we started."""
    for number, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def ui(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    folder = tmp_path_factory.mktemp("ui")
    home, started_in = fresh(folder / "home", demo), folder / "elsewhere"
    started_in.mkdir()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with (folder / "dagster.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", "-h", "127.0.0.1", "-p", str(port)],
            env=environment(home) | {"DAGSTER_HOME": str(home / "dagster"), "DAGSTER_DISABLE_TELEMETRY": "1"},
            cwd=started_in,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + UP_SECONDS
            while not answers(address):
                assert process.poll() is None, (folder / "dagster.log").read_text()
                assert time.monotonic() < until, (folder / "dagster.log").read_text()
                time.sleep(0.5)
            yield Ui(address, home, started_in)
        finally:
            stop(process)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("no /usr/bin/chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that asks nobody but the house."""
    opened = browser.new_page(viewport={"width": 1600, "height": 1000})
    opened.set_default_timeout(PATIENCE_MS)
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    opened.close()
    assert [url for url in asked if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))] == []


@pytest.fixture(scope="module")
def launched(ui: Ui, browser: Browser) -> str:
    """Address of the run of the first quarter, launched in the browser and ended well."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{ui.address}/{JOB}/playground")
    partition = page.get_by_placeholder("Partition")
    partition.click()
    partition.fill(FIRST)
    page.get_by_text(FIRST, exact=True).last.click()
    page.locator(".CodeMirror").get_by_text("false", exact=True).dblclick()
    page.keyboard.type("true")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url("**/runs/**")
    page.get_by_text("Success", exact=True).first.wait_for(timeout=5 * PATIENCE_MS)
    address = page.url
    page.close()
    return address


def test_the_quarter_launched_in_the_browser_gives_the_draft_of_the_command_line(
    ui: Ui, demo: Demo, launched: str
) -> None:
    assert "/runs/" in launched
    # The demo ran the same files through the job in process, as `perlinsos run 2026Q1 --first` does.
    assert draft_of(ui.home, FIRST) == pointer(demo.home)[FIRST]["draft"]
    said = perlinsos_process(ui.home, "run", FIRST, "--first", "--json")
    assert (said.code, said.json["draft"]) == (0, draft_of(ui.home, FIRST))


def test_the_run_shows_its_steps_its_checks_and_its_draft(ui: Ui, launched: str, page: Page) -> None:
    page.goto(launched)
    page.get_by_text("Finished execution of run").wait_for()
    for shown in ("partition: 2026Q1", "9 checks", draft_of(ui.home, FIRST), "Succeeded (7)", "Errored (0)"):
        page.get_by_text(shown).first.wait_for()


def test_the_graph_shows_a_group_for_each_room(ui: Ui, page: Page) -> None:
    page.goto(f"{ui.address}/asset-groups")
    for room in ("intake", "registry", "welfare", "decision", "publication"):
        page.get_by_text(room, exact=True).first.wait_for()


@pytest.mark.usefixtures("launched")
def test_a_table_shows_what_it_is_who_owns_it_and_how_many_rows_it_has(ui: Ui, page: Page) -> None:
    page.goto(f"{ui.address}/assets/decision/decisions")
    page.get_by_text("What was decided for every evaluated family in every programme").first.wait_for()
    for shown in ("Row count", "perlinsos", "Latest check results", "quarterly_run"):
        page.get_by_text(shown, exact=True).first.wait_for()
    page.goto(f"{ui.address}/assets/decision/decisions?view=checks")
    page.get_by_text("This is a blocking asset check.").wait_for()


@pytest.mark.usefixtures("launched")
def test_every_asset_says_what_it_is(ui: Ui) -> None:
    fields = "assetKey { path } description groupName owners { ... on TeamAssetOwner { team } }"
    question = json.dumps({"query": f"{{ assetNodes {{ {fields} }} }}"}).encode()
    request = urllib.request.Request(  # noqa: S310 - our own loopback
        f"{ui.address}/graphql", data=question, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own loopback
        nodes = json.loads(answer.read())["data"]["assetNodes"]
    assert len(nodes) > 20
    for node in nodes:
        assert node["description"], node
        assert node["groupName"] == node["assetKey"]["path"][0]
        assert node["owners"] == [{"team": "perlinsos"}]


@pytest.mark.usefixtures("launched")
def test_dagster_leaves_nothing_outside_the_home(ui: Ui) -> None:
    assert contents(ui.started_in) == {}
    assert sorted(path.name for path in ui.started_in.iterdir()) == []
