"""One reader's way through the chat over the real digests, from a question to a case."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browsing import ask, opened
from chat_server import Received, Scripted, fails, running, says, streams
from playwright.sync_api import Browser, Page, expect
from running import run
from starting import started
from web.conftest import Started

from eval.datasets import load_questions

pytestmark = pytest.mark.browser

CHIP = "a.aqa-chat-cite"
LAST = ".aqa-chat-turns > .aqa-chat-turn:last-child"
MARKED = "mark.aqa-chat-target"
OSWORLD = "How many tasks does OSWorld have?"
AGENTS = "Which papers are about agents?"
REASON = "It is about other agents"


@dataclass(frozen=True)
class Reading:
    page: Page
    started: Started


@pytest.fixture
def reading(browser: Browser, digests_store: Path, tmp_path: Path) -> Iterator[Reading]:
    """A page over a copy of the real digests, which the journey changes; new for each try."""
    folder = tmp_path / "journey"
    folder.mkdir()
    store = shutil.copytree(digests_store, folder / "store")
    with running() as model:
        model.models = ["scripted", "other"]
        settings = {"OPENAI_BASE_URL": model.base_url, "ABSTRACTQA_CHAT_MODEL": "scripted"}
        with (
            started(store, folder / "data", **settings) as address,
            opened(browser, address) as page,
        ):
            yield Reading(page, Started(address, store, folder / "data", model))


def answered(page: Page, turns: int) -> None:
    """Wait for the whole of so many answers."""
    expect(page.locator(".aqa-chat-turns > .aqa-chat-turn")).to_have_count(turns, timeout=20_000)
    expect(page.locator(f"{LAST} .aqa-chat-text, {LAST} .aqa-chat-refusal").first).to_be_visible()


def open_panel(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).locator("visible=true").first.click()


def test_from_a_question_to_a_case(reading: Reading, tmp_path: Path) -> None:
    page, here = reading.page, reading.started
    here.model.script = lambda _: fails(400)  # quotes need no model

    # Quotes; each chip opens its card with its sentence in view.
    open_panel(page, "Settings")
    page.locator("#aqa-chat-mode").get_by_label("Quotes").check()
    page.keyboard.press("Escape")
    ask(page, OSWORLD)
    answered(page, 1)
    for chip in page.locator(CHIP).all():
        chip.click()
        expect(page.locator(MARKED)).to_be_in_viewport(ratio=0.9)
    expect(page.locator(MARKED)).to_have_count(1)

    # A filter binds, and stands on the answer.
    open_panel(page, "Filters")
    page.get_by_label("Text in the title").fill("WebArena")
    expect(page.locator("#aqa-chat-chosen")).to_contain_text("title has “WebArena”")
    page.keyboard.press("Escape")
    ask(page, AGENTS)
    answered(page, 2)
    expect(page.locator(f"{LAST} .aqa-chat-chips")).to_contain_text("title has “WebArena”")
    titles = page.locator("#aqa-chat-sources section:not([hidden]) .aqa-chat-card h3")
    expect(titles.first).to_contain_text("WebArena")
    assert all("WebArena" in title for title in titles.all_inner_texts())
    page.get_by_role("button", name="Remove the filter: title has “WebArena”").click()
    expect(page.locator("#aqa-chat-chosen")).not_to_contain_text("Only:")

    # A vote against it, with a reason, becomes a case of the command line.
    page.locator(LAST).get_by_role("button", name="Bad answer").click()
    page.get_by_role("textbox", name="Why").fill(REASON)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(LAST).get_by_role("button", name="Bad answer")).to_have_attribute(
        "aria-pressed", "true"
    )
    cases = tmp_path / "cases.jsonl"
    settings = os.environ | {"ABSTRACTQA_DATA": str(here.data)}
    told = run("eval", "cases", "--out", str(cases), env=settings)
    assert told.returncode == 0, told.stderr
    (case,) = load_questions(cases)
    assert (case.question, case.type) == (AGENTS, "downvoted")
    assert REASON in (case.note or "")


def test_the_settings_of_the_drawer_bind_for_the_model_the_sources_and_how_strict(
    reading: Reading,
) -> None:
    page, model = reading.page, reading.started.model
    model.script = written
    page.get_by_role("tab", name="Chat").click()
    page.get_by_role("button", name="New chat").locator("visible=true").first.click()
    open_panel(page, "Settings")
    drawer = page.locator("#aqa-chat-drawer")
    drawer.get_by_label("Written").check()
    expect(drawer.get_by_label("Written")).to_be_checked()
    drawer.locator("#aqa-chat-model input").click()
    page.get_by_role("option", name="other", exact=True).click()
    drawer.locator("input[type=number]").fill("1")
    drawer.locator("input[type=number]").press("Tab")
    page.keyboard.press("Escape")

    def asked() -> list[str]:
        """The models that were asked to write about OSWorld, at the last question."""
        ask(page, OSWORLD)
        answered(page, len(counted))
        return [each.body["model"] for each in model.received if is_writing(each)]

    counted = [1]
    model.received.clear()
    assert asked() == ["other"]
    (writing,) = (each for each in model.received if is_writing(each))
    assert "[1.1]" in writing.text
    assert "\nPaper 2" not in writing.text, "one source at most"
    marked = page.locator(f"{LAST} .aqa-chat-unsupported")
    expect(marked).to_contain_text("Norway")

    open_panel(page, "Settings")
    drawer.get_by_label("Strict", exact=True).check()
    drawer.locator("#aqa-chat-model input").click()
    page.get_by_role("option", name="scripted (configured)").click()
    page.keyboard.press("Escape")
    counted.append(2)
    model.received.clear()
    assert set(asked()) == {"scripted"}
    expect(page.locator(f"{LAST} .aqa-chat-text")).to_contain_text("369")
    expect(page.locator(f"{LAST} .aqa-chat-text")).not_to_contain_text("Norway")


def is_writing(request: Received) -> bool:
    """Whether the model is to write the answer, and not to help with something small."""
    return bool(request.body.get("stream")) and "[1.1]" in request.text


def written(request: Received) -> Scripted:
    if is_writing(request):
        return streams(
            "OSWorld is a benchmark of 369 computer tasks [1.2]. ",
            "It was made by a group at a university in Norway. ",
        )
    return streams("no") if request.body.get("stream") else says("no")
