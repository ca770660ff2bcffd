"""The tab of the papers in a real browser: looking through them, adding, removing."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import DIGEST, opened, served
from playwright.sync_api import Browser, Locator, Page, expect

from index.manifest import current
from index.publish import writer_lock
from rag import Assistant
from rag.settings import Settings
from ui.web.site import Site

pytestmark = pytest.mark.browser

RECORDS = '{"title": "A record of clouds", "abstract": "Clouds are counted."}\n{"title": "bro\n'
PASTED = (Path(__file__).parents[1] / "digests" / "moons.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A page over a store of its own, which the tests change."""
    folder = tmp_path_factory.mktemp("corpus")
    store = shutil.copytree(sample_store, folder / "store")
    settings = Settings(store=store, data=folder / "data")
    return Site(Assistant.open(store=store, settings=settings), settings)


def show_papers(page: Page) -> None:
    """Open the tab, at the first page of its table."""
    page.get_by_role("tab", name="Papers").click()
    expect(page.locator("#aqa-corpus-papers [data-view]")).to_be_visible(timeout=20_000)


def count(page: Page) -> Locator:
    return page.locator(".aqa-corpus-above p")


def titles(page: Page) -> Locator:
    return page.locator("#aqa-corpus-papers tbody [data-aqa-paper]")


def test_papers_are_searched_narrowed_and_opened_by_keyboard(page: Page, site: Site) -> None:
    show_papers(page)
    every = len(site.assistant.papers())
    expect(count(page)).to_contain_text(f"{every} papers")
    search = page.get_by_label("Search the papers")
    search.press_sequentially("benchmrks of computer agents")  # as the product searches: mended
    expect(count(page)).to_contain_text("to “benchmarks of computer agents”, best first")
    expect(page.locator(".aqa-corpus-snippet mark").filter(has_text="agents").first).to_be_visible()
    assert "words=benchm" in page.url
    page.get_by_label("How to search").select_option("Exact words")
    expect(count(page)).to_have_text("No papers match.")
    search.fill("osworld")
    expect(count(page)).to_have_text(re.compile(r"^[1-9] papers?$"))
    expect(titles(page).first).to_contain_text("OSWorld")
    expect(search).to_be_focused()
    search.fill("")
    expect(count(page)).to_contain_text(f"{every} papers")

    digest = page.locator(".aqa-corpus-counts [data-aqa-only^='digest=']").last
    held = re.search(r"\d+(?= paper)", digest.inner_text().replace("\n", " "))
    assert held
    digest.click()
    expect(count(page)).to_have_text(f"{held[0]} papers")
    expect(digest).to_have_attribute("aria-pressed", "true")
    page.wait_for_url("**digest=*")
    page.reload()
    expect(count(page)).to_have_text(f"{held[0]} papers")
    page.get_by_role("button", name="Remove the filter").click()
    expect(count(page)).to_contain_text(f"{every} papers")

    opened = titles(page).nth(2)
    name = opened.inner_text()
    opened.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#aqa-corpus-title")).to_have_text(name)
    expect(page.locator("#aqa-corpus-title")).to_be_focused()
    expect(page.locator(".aqa-corpus-similar a")).to_have_count(5)
    expect(page.locator(".aqa-corpus-score").first).to_have_text(re.compile(r"^0\.\d\d$"))
    page.get_by_role("button", name="All papers").press("Enter")
    expect(titles(page).nth(2)).to_be_focused()
    page.go_back()
    expect(page.locator("#aqa-corpus-title")).to_have_text(name)


def test_a_paper_has_an_address_and_a_place_on_the_map(page: Page, site: Site) -> None:
    paper = next(p for p in site.assistant.papers() if p.title.startswith("OSWorld"))
    page.goto(f"{page.url.split('#')[0]}#/papers/{paper.id}")
    page.reload()
    expect(page.locator("#aqa-corpus-papers [data-view]")).to_be_visible(timeout=20_000)
    title = page.locator("#aqa-corpus-title")
    expect(title).to_have_text(paper.display_title)
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; }")
    page.get_by_role("button", name="Copy BibTeX").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "title = {" in page.evaluate("window.copied")

    points = page.locator("[data-aqa-map] > a")
    assert points.count() == len(site.assistant.papers())
    assert page.locator(f'[data-aqa-map] [data-aqa-paper="{paper.id}"].aqa-corpus-here').count()
    page.locator('[data-aqa-map] > a[tabindex="0"]').focus()
    told = set()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        expect(page.locator('[data-aqa-map] > a[tabindex="0"]')).to_be_focused()
        told.add(page.locator(".aqa-corpus-tip").inner_text())
    assert len(told) == 3, "there and back again"
    cluster = page.locator(".aqa-corpus-map li button").last
    size = cluster.locator(".aqa-corpus-many").inner_text().split()[0]
    cluster.click()
    expect(count(page)).to_contain_text(f"{size} paper")
    expect(page.locator("[data-aqa-map] > a:not(.aqa-corpus-dim)")).to_have_count(int(size))
    point = points.nth(3)
    point.hover()
    expect(page.locator(".aqa-corpus-tip")).to_have_text(point.get_attribute("aria-label") or "")
    point.click(force=True)
    expect(title).to_have_text(point.get_attribute("aria-label") or "")

    name = title.inner_text()
    page.locator(".aqa-corpus-similar a").first.click()
    expect(title).not_to_have_text(name)
    name = title.inner_text()
    page.get_by_role("button", name="Ask about this paper").click()
    expect(page.locator("#aqa-chat-chosen")).to_contain_text(name)
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()


def test_papers_are_marked_and_the_reading_list_is_exported(page: Page) -> None:
    show_papers(page)
    star = page.locator(".aqa-corpus-star").nth(1)
    name = titles(page).nth(1).inner_text()
    star.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()
    titles(page).nth(1).click()
    page.get_by_role("button", name="Read", exact=True).click()
    expect(page.get_by_role("button", name="Read", exact=True)).to_be_focused()
    note, tags = page.get_by_label("Your note"), page.get_by_label("Tags")
    note.fill("<b>mine</b> ${x}")
    tags.fill("kites, to cite")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Saved")).to_be_focused()
    first = page.url
    page.locator(".aqa-corpus-similar a").first.click()
    page.wait_for_function("(first) => location.href !== first", arg=first)
    expect(note).to_have_value("")
    expect(tags).to_have_value("")
    note.fill("second")
    page.get_by_role("button", name="Reading list", exact=True).last.click()
    expect(page.locator('.aqa-corpus-tools [aria-pressed="true"]')).to_have_count(1)
    expect(note).to_have_value("second")  # what is not saved yet stays
    page.goto(first)
    page.reload()
    expect(note).to_have_value("<b>mine</b> ${x}")

    page.get_by_role("button", name="All papers").click()
    expect(note).to_be_hidden()
    page.get_by_role("button", name="Reading list", exact=True).click()
    row = page.locator("#aqa-corpus-papers tbody tr").filter(has_text=name)
    expect(row).to_contain_text("Note: <b>mine</b> ${x}")
    page.get_by_text("Export these").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="BibTeX").locator("visible=true").click()
    starred = titles(page).count()
    exported = Path(download.value.path()).read_text(encoding="utf-8")
    assert exported.count("title = {") == starred == 2
    row.get_by_role("button", name="to cite").click()
    expect(page.get_by_role("button", name="Remove the filter: Tag to cite")).to_be_visible()
    page.get_by_role("button", name="Unread").click()
    expect(count(page)).to_have_text("No papers match.")


def test_a_theme_and_chosen_papers_are_asked_about_and_compared(page: Page) -> None:
    # A theme, before any other tab was opened.
    theme = page.locator(".aqa-start [data-aqa-summary]").first
    size = page.locator(".aqa-start li a").first.inner_text()
    theme.click()
    turn = page.locator(".aqa-chat-turns > .aqa-chat-turn")
    expect(turn).to_have_count(1)
    expect(page.locator("#aqa-chat-chosen")).to_contain_text(size)
    show_papers(page)
    names = titles(page).all_inner_texts()[:2]
    for box in page.locator("[data-aqa-choose]").all()[:2]:
        box.check()
    chosen = page.get_by_role("region", name="Chosen papers")
    chosen.get_by_role("button", name="Add to reading list").click()
    expect(page.locator('.aqa-corpus-star[aria-pressed="true"]')).to_have_count(2)
    chosen.get_by_role("button", name="Compare").click()
    rows = page.locator("#aqa-compare tbody th")
    expect(rows).to_have_count(2)
    assert {row.split("\n")[0] for row in rows.all_inner_texts()} == set(names)
    show_papers(page)
    chosen.get_by_role("button", name="Overview").click()
    expect(turn).to_have_count(2)
    expect(turn.last).to_contain_text("2 papers")
    section = "#aqa-chat-sources section:not([hidden]) .aqa-chat-card h3"
    cited = page.locator(section).all_inner_texts()
    assert cited
    assert all(any(name in card for name in names) for card in cited)


def test_files_and_text_are_added_and_taken_back(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "kites.txt").write_text(DIGEST, encoding="utf-8")
    (tmp_path / "records.jsonl").write_text(RECORDS, encoding="utf-8")
    before = current(site.settings.store)
    every = len(site.assistant.papers())
    show_papers(page)
    page.get_by_role("button", name="Add papers").click()
    expect(page.get_by_label("Or paste a digest")).to_be_visible()
    page.locator("#aqa-corpus-files input[type=file]").set_input_files(
        [tmp_path / "kites.txt", tmp_path / "records.jsonl"]
    )
    preview = page.locator("#aqa-corpus-preview")
    expect(preview).to_contain_text("3 papers recognised: 3 new")
    expect(preview).to_contain_text("Nothing has been changed yet")
    expect(preview).to_contain_text("Mar 28, 2026")
    expect(preview.locator(".aqa-corpus-rejected")).to_contain_text("records.jsonl:2: ")
    assert current(site.settings.store) == before
    page.get_by_role("button", name="Add 3 papers").click()
    expect(preview.locator(".progress-text")).to_be_visible()
    expect(preview).to_contain_text("3 papers added.", timeout=60_000)
    expect(titles(page)).to_have_count(3)
    expect(page.get_by_role("button", name="Remove the filter: New in the last")).to_be_visible()
    answer = site.assistant.ask("How many kites does KiteNet keep in the air?")
    assert "12 kites" in answer.text
    expect(page.get_by_role("button", name="Add 3 papers")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#aqa-corpus-notice")).to_contain_text("Undone.")
    assert len(site.assistant.papers()) == every

    # Pasted text, with a year of its own; it waits while the store is busy.
    read = page.get_by_role("button", name="Read the pasted text")
    read.click()
    expect(preview).to_contain_text("Nothing was pasted")
    page.get_by_label("Or paste a digest").fill(PASTED)
    read.click()
    expect(preview).to_contain_text("Jan 9, 2024")  # the year of its id
    year = page.get_by_label("Year, if a date has none")
    year.fill("20x6")
    expect(preview).to_contain_text("is not a year")
    year.fill("2026")
    expect(preview).to_contain_text("Jan 9, 2026")
    before = current(site.settings.store)
    with writer_lock(site.settings.store):
        page.get_by_role("button", name="Add 1 paper").click()
        expect(preview).to_contain_text("is being written by another process", timeout=20_000)
        assert current(site.settings.store) == before
    page.get_by_role("button", name="Add 1 paper").click()
    expect(preview).to_contain_text("1 paper added.", timeout=60_000)

    # It is new since its day.
    page.get_by_role("button", name="Remove the filter").click()
    expect(titles(page)).not_to_have_count(1)
    page.locator("#aqa-corpus-since").fill("2026-01-01")
    expect(titles(page)).to_have_text(["About moons and tides"])
    page.locator("#aqa-corpus-since").fill("2026-02-01")
    expect(page.locator("#aqa-corpus-papers")).to_contain_text("No papers match.")


def test_chosen_papers_are_removed_after_a_question_and_come_back(page: Page, site: Site) -> None:
    every = len(site.assistant.papers())
    show_papers(page)
    gone = titles(page).all_inner_texts()[:2]
    for box in page.locator("[data-aqa-choose]").all()[:2]:
        box.check()
    chosen = page.get_by_role("region", name="Chosen papers")
    expect(chosen).to_contain_text("2 chosen")
    asked: list[str] = []
    for answer in (False, True):
        page.once("dialog", lambda dialog, yes=answer: (
            asked.append(dialog.message), dialog.accept() if yes else dialog.dismiss()
        ))  # fmt: skip
        chosen.get_by_role("button", name="Remove …").click()
    assert asked == ["Remove 2 papers from the index?"] * 2
    notice = page.locator("#aqa-corpus-notice")
    expect(notice).to_contain_text("2 papers removed.", timeout=20_000)
    expect(count(page)).to_contain_text(f"{every - 2} papers")
    page.locator(".aqa-corpus-star").first.click()
    expect(page.locator(".aqa-corpus-star").first).to_have_attribute("aria-pressed", "true")
    assert not {p.display_title for p in site.assistant.papers()} & set(gone)
    page.get_by_role("button", name="Undo").click()
    expect(notice).to_contain_text("Undone.")
    expect(count(page)).to_contain_text(f"{every} papers")

    # Somebody else changes the index: what was removed before is not to be taken back over it.
    titles(page).first.click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove …").first.click()
    expect(notice).to_contain_text("1 paper removed.", timeout=20_000)
    expect(count(page)).to_contain_text(f"{every - 1} papers")
    from index.build import remove

    remove([site.assistant.papers()[0].id], site.settings.store)
    page.get_by_role("button", name="Undo").click()
    expect(notice).to_have_class(re.compile("."))
    expect(notice.locator(".aqa-corpus-wrong")).to_be_visible()
    assert len(site.assistant.papers()) == every - 2


def test_where_papers_may_not_be_changed_the_tab_says_so(browser: Browser, site: Site) -> None:
    with served(replace(site, may_change=False)) as address, opened(browser, address) as page:
        show_papers(page)
        expect(page.locator("#aqa-corpus-tab")).to_contain_text("without a login")
        expect(page.get_by_role("button", name="Add papers")).to_have_count(0)
        expect(page.locator("[data-aqa-choose]").first).to_be_visible()
        titles(page).first.click()
        expect(page.locator("#aqa-corpus-title")).to_be_visible()
        expect(page.get_by_role("button", name="Remove …")).to_be_hidden()
