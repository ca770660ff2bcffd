"""Every tab, light and wide, dark and narrow: for everyone, and never wider than the window."""

import pytest
from browsing import assert_usable, open_page
from playwright.sync_api import Browser, expect
from web.conftest import Started

pytestmark = pytest.mark.browser

TABS = ("Chat", "Papers", "Compare", "Lab", "Arena")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_tabs_are_for_everyone(browser: Browser, sampled: Started, width: int, theme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=theme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
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
    moving = """() => [...document.querySelectorAll("*")].flatMap((element) => {
        const style = getComputedStyle(element);
        return [style.transitionDuration, style.animationDuration]
            .flatMap((all) => all.split(",")).filter((one) => parseFloat(one) > 0.001)
            .map(() => element.outerHTML.slice(0, 100));
    })"""
    for motion in ("reduce", "no-preference"):
        page = browser.new_context(reduced_motion=motion).new_page()  # type: ignore[arg-type]
        open_page(page, address)
        assert (page.evaluate(moving) == []) is (motion == "reduce")
