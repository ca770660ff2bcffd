"""The address names the place: tab, conversation, filters, a question; links to share."""

import pytest
from browsing import QUESTION, TURNS, ask, assert_fits, assert_usable, hold_the_first, site_of
from playwright.sync_api import Page, Route, expect

from rag import Assistant
from ui.web.site import Site

pytestmark = pytest.mark.browser

CHIPS = "#aqa-chat-chosen li"


@pytest.fixture(scope="module")
def site(sample_assistant: Assistant, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return site_of(sample_assistant, tmp_path_factory.mktemp("site"), share_links=True)


def asked(page: Page, *questions: str) -> None:
    expect(page.locator(f"{TURNS} h2")).to_have_text(list(questions))


def test_back_and_reload_keep_the_conversation_the_filters_and_the_tab(page: Page) -> None:
    ask(page, QUESTION)
    asked(page, QUESTION)
    first = page.url
    assert "?c=" in first
    page.get_by_role("button", name="New chat").locator("visible=true").first.click()
    expect(page.locator(TURNS)).to_have_count(0)
    assert "c=" not in page.url
    page.go_back()
    asked(page, QUESTION)
    page.get_by_role("button", name="Filters", exact=True).click()
    page.get_by_label("Text in the title").fill("world")
    expect(page.locator(CHIPS)).to_have_text(["title has “world”✕"])
    page.wait_for_url("**title=world*")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Compare").click()
    assert page.url.endswith("#/compare")
    page.reload()
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page.get_by_role("tab", name="Chat")).to_have_attribute("aria-selected", "true")
    asked(page, QUESTION)
    expect(page.locator(CHIPS)).to_have_text(["title has “world”✕"])


def test_of_two_conversations_opened_at_once_the_last_is_shown(page: Page) -> None:
    ask(page, QUESTION)
    asked(page, QUESTION)
    page.get_by_role("button", name="New chat").locator("visible=true").first.click()
    ask(page, "What is WebArena?")
    asked(page, "What is WebArena?")
    page.get_by_role("button", name="Chats", exact=True).click()
    here, other = (page.locator("#aqa-chat-list .aqa-chat-open").nth(at) for at in (0, 1))
    expect(here).to_have_text("What is WebArena?")
    # Nothing more comes of the question: the list is read again with what is suggested last.
    expect(page.locator(f"{TURNS}:last-child .aqa-chat-suggestion").last).to_be_visible()
    page.wait_for_timeout(500)
    held: list[Route] = []
    page.route(
        "**/gradio_api/run/predict*",
        lambda route: held.append(route) if len(held) < 2 else route.continue_(),
    )
    other.click()
    here.click()
    while len(held) < 2:
        page.wait_for_timeout(50)
    for route in held:
        with page.expect_response("**/gradio_api/run/predict*"):
            route.continue_()
        page.wait_for_timeout(200)
    asked(page, "What is WebArena?")
    ask(page, "How many tasks has it?")
    asked(page, "What is WebArena?", "How many tasks has it?")


def test_a_paper_that_comes_late_does_not_take_the_place_of_the_list(page: Page) -> None:
    page.get_by_role("tab", name="Papers").click()
    row = page.locator("#aqa-corpus-papers tbody [data-aqa-paper]").first
    expect(row).to_be_visible(timeout=20_000)
    held = hold_the_first(page, "**/gradio_api/run/predict*")
    row.click()
    page.wait_for_url("**#/papers/*")
    with page.expect_response("**/gradio_api/run/predict*"):
        page.go_back()
    with page.expect_response("**/gradio_api/run/predict*"):
        held[0].continue_()
    page.wait_for_timeout(300)  # a paper that is drawn is seen for a moment at most
    expect(row).to_be_visible()
    assert page.url.endswith("#/papers")


def test_what_is_chosen_leads_elsewhere_and_leaves_a_way_back(page: Page, address: str) -> None:
    page.get_by_role("tab", name="Papers").click()
    expect(page.locator("#aqa-corpus-papers [data-view]")).to_be_visible(timeout=20_000)
    assert page.url == f"{address}/#/papers"
    boxes = page.locator("[data-aqa-choose]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_url("**#/compare")
    page.go_back()
    expect(boxes.first).to_be_visible()
    page.go_forward()
    page.reload()
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(boxes.first).to_be_visible(timeout=20_000)
    boxes.first.check()
    page.get_by_role("button", name="Ask about these").click()
    expect(page.locator(CHIPS)).to_have_count(1)
    page.wait_for_function("!location.hash && location.search")
    page.go_back()
    expect(boxes.first).to_be_visible()


def test_a_link_brings_a_question_to_the_box_and_asks_nothing(page: Page, address: str) -> None:
    page.goto(f"{address}/?q=What+is+OSWorld%3F&c=someone-elses")
    box = page.get_by_role("textbox", name="Your question")
    expect(box).to_have_value("What is OSWorld?")
    expect(page.locator(".aqa-chat-notice")).to_have_text(
        "This conversation is not yours, or it was deleted: ask a question to start a new one."
    )
    page.wait_for_timeout(500)
    expect(page.locator(f"{TURNS}, #aqa-chat-live .aqa-chat-turn")).to_have_count(0)
    box.press("Enter")
    asked(page, "What is OSWorld?")
    expect(box).to_have_value("")
    assert "q=" not in page.url


def test_papers_named_by_address(page: Page, address: str, sample_assistant: Assistant) -> None:
    chip = page.locator(CHIPS)
    # More of them than a request can name are not all in the address.
    page.goto(f"{address}/?{'&'.join(f'papers={number:016}' for number in range(1_200))}")
    expect(chip).to_have_text(["1200 papers✕"])
    page.wait_for_function("location.search.length <= 24_001")
    assert page.evaluate("location.search.length") > 23_900
    (one,) = (paper.id for paper in sample_assistant.papers({"title": "OSWorld"}))
    page.goto(f"{address}/?papers={one}")
    expect(chip).to_have_count(1)
    expect(chip).to_contain_text("OSWorld")
    ask(page, "What results does it report?")
    expect(page.locator(f"{TURNS} .aqa-chat-chips")).to_contain_text("OSWorld")
    expect(page.locator("a.aqa-chat-cite").first).to_be_visible()
    titles = {each.get_attribute("title") for each in page.locator("a.aqa-chat-cite").all()}
    assert len(titles) == 1
    assert "OSWorld" in str(titles)
    chip.get_by_role("button", name="Remove the filter").press("Enter")
    expect(chip).to_have_count(0)
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()
    page.wait_for_function("!location.search.includes('papers')")


def test_an_answer_is_shared_by_a_link_and_the_link_is_withdrawn(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 400})
    ask(page, QUESTION)
    expect(page.locator(f"{TURNS} .aqa-chat-suggestion").last).to_be_attached()
    page.locator(f"{TURNS} summary", has_text="Export").press("Enter")
    page.locator(TURNS).get_by_role("button", name="Make a link").press("Enter")
    link = page.get_by_role("link", name="read-only page")
    expect(link).to_be_in_viewport()  # below an answer longer than the window
    assert_usable(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == link.evaluate("(link) => link.href")
    with page.context.expect_page() as waiting:
        link.click()
    shown = waiting.value
    expect(shown.get_by_role("heading", level=1)).to_have_text(QUESTION)
    expect(shown.locator("main")).to_contain_text("369 tasks")
    assert_fits(shown)
    told = page.locator(".aqa-chat-notice")
    told.get_by_role("button", name="Withdraw all links to this conversation").click()
    expect(told).to_have_text("1 link withdrawn.")
    assert page.request.get(copied).status == 404
