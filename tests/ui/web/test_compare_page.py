"""The tab Compare: in a browser, and its handlers with whatever may come."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from browsing import assert_usable, in_a_loop, opened, served
from chat_server import ChatServer, Received, Scripted, says, slowly
from playwright.sync_api import Browser, Download, Page, expect
from web.chat_answers import paper

from rag import Assistant
from rag.settings import Settings
from rag.tables import NOT_STATED, Cell, TableRow
from ui.web.compare_tab import MOST_PAPERS, Comparing, table_html
from ui.web.site import Site

pytestmark = pytest.mark.browser


def compare(page: Page, question: str) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.get_by_label("What to compare").fill(question)
    page.get_by_role("button", name="Compare", exact=True).click()


def saved(download: Download) -> str:
    return Path(download.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "scheme"), [(1280, "light"), (390, "dark")], indirect=["page"])
def test_a_table_of_quotes_each_shown_in_its_abstract(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.reload()
    compare(page, "GUI agents")
    table = page.get_by_role("table")
    head = ["Paper", "method", "data", "metric", "result"]
    expect(table.get_by_role("columnheader")).to_have_text(head)
    assert table.locator("caption").inner_text().startswith("4 papers, quotes chosen by rule")
    assert table.locator("tbody th[scope=row]").count() == 4
    assert NOT_STATED in table.inner_text()

    quote = table.get_by_role("button").filter(has_text="72.36%").first
    panel = page.locator(f"id={quote.get_attribute('popovertarget')}")
    expect(panel).to_be_hidden()
    quote.click()
    expect(panel).to_be_visible()
    mark = panel.locator("mark")
    assert mark.inner_text() == quote.inner_text()
    expect(mark).to_be_in_viewport(ratio=0.9)
    expect(panel).to_contain_text("OSWorld: Benchmarking")
    assert len(panel.inner_text()) > 3 * len(mark.inner_text())
    assert_usable(page)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    quote.press("Enter")  # by the keyboard alone
    expect(panel).to_be_visible()
    page.keyboard.press("Tab")
    expect(panel.locator("p").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(quote).to_be_focused()

    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename == "comparison.csv"
    rows = list(csv.reader(io.StringIO(saved(download.value))))
    assert rows[0] == head
    assert len(rows) == 1 + page.locator("tbody th[scope=row]").count() > 2
    with page.expect_download() as download:
        page.get_by_role("button", name="Download Markdown").click()
    assert saved(download.value).count("\n") == len(rows)


def test_chosen_papers_by_columns_of_ones_own(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    papers = page.get_by_label("Or choose papers")
    for words in ("OSWorld: Bench", "WebArena: A Real"):
        papers.fill(words)
        page.get_by_role("option", name=words).click()
    papers.press("Escape")
    columns = page.get_by_label("Columns")
    columns.fill("number of tasks")
    columns.press("Enter")
    columns.press("Escape")
    page.get_by_role("button", name="Compare", exact=True).click()
    table = page.get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(["Paper", "number of tasks"])
    assert table.locator("tbody tr").count() == 2
    expect(table.get_by_role("row").filter(has_text="OSWorld")).to_contain_text("369 tasks")


@pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'")  # Gradio's, at a stop
def test_stop_stops_the_model_and_the_page_goes_on(
    browser: Browser, chat_server: ChatServer, sample_store: Path, tmp_path: Path
) -> None:
    # The columns come at once; each row takes forever.
    def script(request: Received) -> Scripted:
        return slowly(says("{}"), pause_seconds=2) if len(chat_server.received) > 1 else says("x")

    chat_server.script = script
    model = {"openai_base_url": chat_server.base_url, "chat_model": "scripted"}
    settings = Settings(store=sample_store, data=tmp_path / "data", **model)
    site = Site(Assistant.open(settings=settings), settings)
    with served(site) as address, opened(browser, address) as page:
        compare(page, "GUI agents")
        told = page.locator("#aqa-compare-shown").get_by_role("status")
        expect(told).to_contain_text(re.compile(r"Reading \d+ abstracts"), timeout=20_000)
        page.get_by_role("button", name="Stop").click()
        assert chat_server.hung_up.wait(20)
        expect(told).to_contain_text("Stopped.")
        expect(page.get_by_role("button", name="Compare", exact=True)).to_be_enabled()


async def all_of(site: Site, *inputs: Any) -> list[tuple[Any, ...]]:
    return [update async for update in Comparing(site).compare(*inputs)]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        (("", [], []), "Write what to compare"),
        ((None, None, None), "Write what to compare"),
        (("a", "x", []), "papers must be a list"),
        (("a", ["x"] * (MOST_PAPERS + 1), []), "are too many"),
        (("a", [], ["b", "B"]), "is repeated"),
        (("growing tomatoes on a balcony", [], []), "Nothing to compare."),
    ],
)
def test_whatever_is_sent_is_answered(site: Site, inputs: tuple[Any, ...], told: str) -> None:
    html, made, *_ = in_a_loop(all_of(site, *inputs))[-1]
    assert told in html
    assert "went wrong" not in html
    assert made is None


def test_what_abstracts_say_is_shown_as_text(sample_assistant: Assistant) -> None:
    made = sample_assistant.table("GUI agents", ["result"], limit=1)
    hostile = paper("<b>1</b> ${a} `" * 90, "<img src=x> ${alert(1)} {{x}}")
    cell = Cell(column="result", text=hostile.abstract, start=0, end=len(hostile.abstract))
    row = TableRow(paper=hostile, score=1, cells=(cell,))
    html = table_html(made.model_copy(update={"rows": (row,), "notice": "<i>${x}"}))
    for sign in ("<img", "<b>", "<i>", "${", "{{", "`"):
        assert sign not in html
