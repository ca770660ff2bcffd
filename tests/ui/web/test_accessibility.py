"""Every tab for everyone: light and dark, wide and narrow, without motion, by the keyboard."""

from collections.abc import Iterator
from typing import Any

import pytest
from browsing import assert_usable, open_page, script
from playwright.sync_api import Browser, CDPSession, Page, expect
from web.conftest import Started

pytestmark = pytest.mark.browser

MOST_STOPS = 250
CALM = "*, *::before, *::after { transition: none !important; animation: none !important; }"


@pytest.fixture(scope="module")
def opened(browser: Browser, sampled: Started) -> Iterator[Page]:
    """The page over the sample, where nothing moves."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    open_page(page, sampled.address)
    page.add_style_tag(content=CALM)
    page.evaluate(script("focus"))
    yield page
    context.close()


def name_of_the_focused(session: CDPSession) -> str:
    """By the browser's own accessibility tree, as a screen reader has it."""
    found = session.send("Runtime.evaluate", {"expression": "document.activeElement"})
    wanted = {"objectId": found["result"]["objectId"], "fetchRelatives": False}
    node: dict[str, Any] = session.send("Accessibility.getPartialAXTree", wanted)["nodes"][0]
    return str(node.get("name", {}).get("value", "")).strip()


def tab_through(page: Page) -> tuple[list[str], list[str]]:
    """Press Tab once around the page; return the names of what had the focus, and problems."""
    session = page.context.new_cdp_session(page)
    page.get_by_role("tab").last.focus()
    page.evaluate("window.aqaLast = null")
    names, problems, here = [], [], ""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate("aqaStep()")
        if stop["isDim"]:
            problems.append(f"nothing shows the focus on {here}")
        if stop["isTab"]:
            return names, problems
        if stop["isBody"]:
            continue  # a list of choices that has closed, or the end
        here = stop["html"]
        names.append(name_of_the_focused(session))
        if not names[-1]:
            problems.append(f"no name: {here}")
    return names, [*problems, f"the focus is still on its way after {MOST_STOPS} stops: {names}"]


@pytest.mark.parametrize(
    ("tab", "opens", "reached"),
    [
        ("Chat", "Filters", ("Digests", "From", "Text in the title", "Your question", "Settings")),
        ("Chat", "Settings", ("Automatic", "Chat model", "Normal")),
        ("Papers", "Add papers", ("Or paste a digest", "Year", "Search the papers")),
        ("Compare", "", ("What to compare", "Or choose papers", "Columns")),
        ("Lab", "", ("Reload the runs",)),
    ],
)
def test_what_tab_reaches_shows_its_focus_and_has_a_name(
    opened: Page, tab: str, opens: str, reached: tuple[str, ...]
) -> None:
    opened.get_by_role("tab", name=tab).click()
    if opens:
        opened.get_by_role("button", name=opens).locator("visible=true").click()
    opened.wait_for_timeout(500)  # what the tab loads when it is opened
    names, problems = tab_through(opened)
    assert not problems, "\n".join(problems)
    for name in reached:
        assert any(name in each for each in names), f"{name} is not among {names}"


TABS = ("Chat", "Papers", "Compare", "Lab", "Arena")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_tabs_are_for_everyone(browser: Browser, sampled: Started, width: int, theme: str) -> None:
    window = {"width": width, "height": 800}
    context = browser.new_context(viewport=window, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(sampled.address)
    for name in TABS:
        tab = page.get_by_role("tab", name=name)
        tab.click(timeout=30_000)
        expect(tab).to_have_attribute("aria-selected", "true")
        page.wait_for_timeout(1_000)  # what the tab loads when it is opened
        assert_usable(page)
        if name == "Papers":
            page.locator("#aqa-corpus-papers tbody [data-aqa-paper]").first.click()
            expect(page.locator("#aqa-corpus-title")).to_be_visible()
            assert_usable(page)
    context.close()


def test_nothing_moves_for_those_who_want_no_motion(browser: Browser, address: str) -> None:
    for motion in ("reduce", "no-preference"):
        page = browser.new_context(reduced_motion=motion).new_page()  # type: ignore[arg-type]
        open_page(page, address)
        assert (page.evaluate(script("moving")) == []) is (motion == "reduce")
