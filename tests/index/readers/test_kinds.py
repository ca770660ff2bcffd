"""Digests of kinds that were read wrongly once: lists of one line an entry, programmes, notes."""

import pytest

from index.papers import Paper
from index.readers import Problem, Upload, read

TITLES = (
    "OwlBox: Counting Night Birds with Cheap Microphones",
    "Why Do Kettles Sing? A Study of Boiling Noise",
    "Stitching Paper Maps Without Coordinates",
)
ABSTRACTS = (
    "Counting owls by ear is slow, and volunteers are rarely awake at night. We place twelve cheap"
    " microphones in a forest and train a small network on their recordings. It finds 91% of the"
    " calls that an expert hears, at a hundredth of the cost.",
    "A kettle is loudest just before it boils, but nobody has measured why. We film bubbles at ten"
    " thousand frames a second and find that they collapse in the cooler layer above. Our model"
    " predicts the pitch within three hertz for twenty kettles.",
    "Paper maps disagree where they meet. We stitch scanned sheets by their contour lines alone,"
    " without any known coordinates, and align four hundred sheets in an hour. Errors fall by half"
    " against stitching by hand.",
)
ADVERT = (
    "Acme is the easiest way to run your models in the cloud. With one line of code you get a fast"
    " endpoint that scales to millions of users. Join 10,000 developers and start for free today."
)


def both(text: str, name: str = "x.txt") -> tuple[list[Paper], list[Problem]]:
    found = list(read([Upload(name, text.encode())]))
    papers = [each for each in found if isinstance(each, Paper)]
    return papers, [each for each in found if isinstance(each, Problem)]


def each(layout: str, between: str = "\n\n") -> str:
    return between.join(
        layout.format(n=at, title=title, abstract=abstract)
        for at, (title, abstract) in enumerate(zip(TITLES, ABSTRACTS, strict=True), start=1)
    )


def assert_all(text: str, name: str = "x.txt") -> list[Paper]:
    papers, problems = both(text, name)
    assert problems == []
    assert [(p.title, p.abstract) for p in papers] == list(zip(TITLES, ABSTRACTS, strict=True))
    return papers


@pytest.mark.parametrize(
    "layout",
    ["{n}) {title} - {abstract} (paper | tweet)", "{n}). {title} — {abstract} (paper)",
     "• {title} – {abstract} [pdf | code]", "{n}. {title} - {abstract}", "- {title} - {abstract}"],
)  # fmt: skip
@pytest.mark.parametrize("between", ["\n", "\n\n"])
@pytest.mark.parametrize("head", ["", "Top Papers of the Week (April 14 - April 20)\n\n"])
def test_entries_of_one_line_are_papers(layout: str, between: str, head: str) -> None:
    assert_all(head + each(layout, between))


@pytest.mark.parametrize(
    "layout",
    ["{n}). **{title}** - {abstract} ([paper](https://arxiv.org/abs/2504.0100{n}) | [tweet](https://x.org))",
     "{n}. {title} - {abstract} ([paper](https://arxiv.org/abs/2504.0100{n}) | [tweet](https://x.org))"],
)  # fmt: skip
def test_entries_of_one_line_in_markdown_are_papers(layout: str) -> None:
    papers = assert_all("## Top Papers of the Week\n\n" + each(layout), "x.md")
    assert [paper.arxiv for paper in papers] == ["2504.01001", "2504.01002", "2504.01003"]


@pytest.mark.parametrize(
    "items",
    ["1) Speed - {1}\n\n2) Cost - {2}", "- Methods: {1}\n- Results: {2}",
     "1) Idea - We listen to owls at night, with cheap microphones in a forest.\n"
     "2) Cost - It is a hundredth of what experts cost, by our own count."],
)  # fmt: skip
def test_a_list_inside_an_abstract_stays_in_it(items: str) -> None:
    papers, _ = both(f"{TITLES[0]}\n\n{ABSTRACTS[0]}\n\n{items.format(*ABSTRACTS)}\n")
    assert [paper.title for paper in papers] == [TITLES[0]]


def test_authors_may_stand_behind_the_title() -> None:
    signed = zip(
        TITLES, ("Ada Byrd, Bo Ek", "Dee Fry and Gil Hu", "Eve Grid"), ABSTRACTS, strict=True
    )
    papers = assert_all("\n\n".join(f"{t} | {names}\n{a}" for t, names, a in signed))
    assert [paper.authors for paper in papers] == [
        ("Ada Byrd", "Bo Ek"), ("Dee Fry", "Gil Hu"), ("Eve Grid",)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "layout",
    ["# {title}\n\n> [!abstract]\n> {abstract}", "# {title}\n\n> [!ABSTRACT]- Abstract\n> {abstract}",
     "# {title}\n\n> [!abstract]\n> {abstract}\n\n> [!note]- Mine\n> Nice."],
)  # fmt: skip
def test_boxes_of_notes_are_read_as_what_they_hold(layout: str) -> None:
    assert_all(each(layout), "notes.md")


@pytest.mark.parametrize(
    "heads",
    [("Monday, June 3", "Session 2A: Kitchens and Noise (Room 3)", "09:00 – 10:30 Oral Presentations"),
     ("Session 1: Birds at Night", "Poster Session II on Kitchens", "Invited Talks of the Day"),
     ("BIRDS AND OTHER ANIMALS", "KITCHENS AND THEIR NOISE", "MAPS OF THE WORLD")],
)  # fmt: skip
def test_headings_of_a_programme_are_no_titles_without_abstracts(heads: tuple[str, ...]) -> None:
    entries = zip(heads, TITLES, ABSTRACTS, strict=True)
    assert_all("\n\n".join(f"{head}\n\n{title}\n\n{text}" for head, title, text in entries))


@pytest.mark.parametrize("title", ["### {}", "**{}**"])
def test_headings_above_those_of_papers_are_no_titles_without_abstracts(title: str) -> None:
    heads = ("Birds and Other Animals", "Kitchens and Their Noise", "Maps of the Whole World")
    entries = zip(heads, TITLES, ABSTRACTS, strict=True)
    text = "\n\n".join(f"## {head}\n\n{title.format(t)}\n\n{a}" for head, t, a in entries)
    assert_all(f"# Papers of April\n\n{text}", "x.md")


@pytest.mark.parametrize(
    "title", ["Code: The Hidden Language of Birds", "Project: An Owl in Every Forest"]
)
def test_titles_that_begin_with_the_word_of_a_label_are_titles(title: str) -> None:
    text = f"{TITLES[0]}\n\n{ABSTRACTS[0]}\n\n{title}\n\n{ABSTRACTS[1]}\n\n{TITLES[2]}\n\n{ABSTRACTS[2]}"
    papers, problems = both(text)
    assert ([paper.title for paper in papers], problems) == ([TITLES[0], title, TITLES[2]], [])


@pytest.mark.parametrize("line", ["Code: https://example.org/owl", "Topics: Owls and Their Kin"])
def test_labels_below_a_title_are_no_titles(line: str) -> None:
    assert_all(each(f"{{title}}\n\n{line}\n\n{{abstract}}"))


def test_advertisements_and_what_a_mail_says_of_itself_are_no_papers() -> None:
    one, two, three = zip(TITLES, ABSTRACTS, strict=True)
    parts = [
        *one, "Together with Acme", ADVERT, *two, "Sponsored", "Acme Runs Your Models", ADVERT, *three,
        "Want to advertise in Paper Mail?", "If your company is interested in reaching researchers and"
        " engineers, you may want to advertise with us. Reply to this email to learn more about it.",
        "How did you like today's mail?", "Thanks for reading,\nJo and Ann", "Unsubscribe",
    ]  # fmt: skip
    assert_all("\n\n".join(parts))


def test_the_first_paper_stays_though_a_sponsor_is_named_above_it() -> None:
    assert_all("Paper Mail\n\nTogether with Acme\n\n" + each("{title}\n\n{abstract}"))
