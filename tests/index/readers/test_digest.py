"""Digests in the many shapes in which people paste them."""

import textwrap
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.papers import Paper, derived_id
from index.readers import Problem
from index.readers.digest import read_digest
from index.readers.pages import Page
from index.readers.records import How, Normaliser

OWLS = (
    "Owls in a Box: Counting Night Birds with Cheap Microphones",
    "Counting owls by ear is slow, and volunteers are rarely awake. We place twelve cheap "
    "microphones in a forest and train a small network on their recordings. It finds 91% of the "
    "calls that an expert hears, at a hundredth of the cost.",
)
KETTLES = (
    "Why Do Kettles Sing? A Study of Boiling Noise",
    "A kettle is loudest just before it boils, but nobody has measured why. We film bubbles at "
    "ten thousand frames a second and find that they collapse in the cooler layer above. Our "
    "model, KettleNet, predicts the pitch within three hertz for twenty kettles.",
)
MAPS = (
    "MapQuilt",
    "Paper maps disagree where they meet. MapQuilt stitches scanned sheets by their contour lines "
    "alone, without any known coordinates, and aligns four hundred sheets in an hour. Errors fall "
    "by half against stitching by hand, and the tool is free.",
)
PAPERS = [OWLS, KETTLES, MAPS]
HEAD = "new\n\nGet the best papers by mail!\n\nSubscribe\n\nbyJo and friends\n\n"


def digest(*papers: tuple[str, str]) -> str:
    return "\n\n".join(f"{title}\n\n{abstract}" for title, abstract in papers) + "\n"


def split(text: str, year: int = 2025) -> tuple[list[Paper], list[Problem]]:
    normaliser = Normaliser("mail.txt")
    papers: list[Paper] = []
    problems: list[Problem] = []
    for record in read_digest(Page(text), "mail.txt", How(usual_year=year)):
        found = [record] if isinstance(record, Problem) else normaliser.papers(record)
        for each in found:
            (papers if isinstance(each, Paper) else problems).append(each)  # type: ignore[arg-type]
    return papers, problems


def titles(text: str) -> list[str]:
    papers, problems = split(text)
    assert problems == []
    return [paper.title for paper in papers]


ALL = [title for title, _ in PAPERS]


def test_real_digests_give_every_paper_and_no_problem(shared: Path) -> None:
    ids = []
    for file, count in (("000_040f08618a568118.txt", 74), ("004_a7b76bc2af0a5fdc.txt", 60)):
        papers, problems = split((shared / "digests" / file).read_text())
        assert problems == []
        assert len(papers) == count
        assert [paper.sources[0].position for paper in papers] == list(range(1, count + 1))
        ids.append({paper.id for paper in papers})
    assert len(ids[0] | ids[1]) == 115
    assert len(ids[0] & ids[1]) == 19


def test_titles_abstracts_date_and_places_are_read() -> None:
    papers, problems = split(HEAD + "Apr 22\n\n" + digest(*PAPERS))
    assert problems == []
    assert [(paper.title, paper.abstract) for paper in papers] == PAPERS
    assert [paper.id for paper in papers] == [derived_id(*paper) for paper in PAPERS]
    assert [paper.sources[0].position for paper in papers] == [1, 2, 3]
    assert {paper.sources[0].date for paper in papers} == {date(2025, 4, 22)}


@pytest.mark.parametrize(
    "line",
    ["Apr 22", "April 22, 2025", "22 Apr 2025", "2025-04-22", "Tue, Apr 22", "Tuesday 22nd April",
     "Date: Tue, 22 Apr 2025 07:30:12 +0200", "22.04.2025", "apr. 22", "2025/4/22"],
)  # fmt: skip
def test_dates_as_people_write_them(line: str) -> None:
    papers, problems = split(f"{line}\n\n{digest(OWLS)}")
    assert problems == []
    assert papers[0].sources[0].date == date(2025, 4, 22)


def test_a_year_in_the_line_wins_over_the_option() -> None:
    papers, _ = split(f"Apr 22, 2019\n\n{digest(OWLS)}", year=2025)
    assert papers[0].sources[0].date == date(2019, 4, 22)


@pytest.mark.parametrize("line", ["Feb 30", "Feb 29", "2025-13-01", "Apr 99", "Jan 1, 0000"])
def test_a_day_that_does_not_exist_is_a_problem_and_its_papers_stay(line: str) -> None:
    papers, problems = split(f"new\n\n{line}\n\n{digest(*PAPERS)}")
    assert [paper.title for paper in papers] == ALL
    assert [(problem.line, papers[0].sources[0].date) for problem in problems] == [(3, None)]
    assert line in problems[0].reason


def test_a_leap_day_is_a_day_in_its_year() -> None:
    papers, problems = split(f"Feb 29\n\n{digest(OWLS)}", year=2024)
    assert (papers[0].sources[0].date, problems) == (date(2024, 2, 29), [])


def test_without_a_date_line_papers_have_no_date() -> None:
    papers, problems = split(HEAD + digest(*PAPERS))
    assert [(paper.title, paper.sources[0].date) for paper in papers] == [(t, None) for t in ALL]
    assert problems == []


def test_each_date_line_begins_a_digest_of_its_own() -> None:
    text = HEAD + "Apr 22\n\n" + digest(OWLS, MAPS) + "\n" + HEAD + "Apr 29\n\n" + digest(KETTLES)
    papers, problems = split(text)
    assert problems == []
    assert [(paper.sources[0].date, paper.sources[0].position) for paper in papers] == [
        (date(2025, 4, 22), 1),
        (date(2025, 4, 22), 2),
        (date(2025, 4, 29), 1),
    ]


@pytest.mark.parametrize(
    "head",
    ["", "Trending this week\n\nView in browser\n\n", "Hi there,\n\nhere is your digest.\n\n",
     "Hello Jo,\n\nHere are the papers of the week. I hope you enjoy them.\n\nApr 22\n\n",
     "Weekly picks of the reading group\n\nThree papers today. All are short.\n\nApr 22\n\n",
     "From: a@b.org\nTo: c@d.org\nSubject: Papers\nDate: 22 Apr 2025\n\n"],
)  # fmt: skip
def test_any_furniture_may_come_before(head: str) -> None:
    assert titles(head + digest(*PAPERS)) == ALL


@pytest.mark.parametrize(
    "tail",
    ["Unsubscribe", "View in browser\n\nUnsubscribe | Manage preferences", "© 2025 Paper Mail Inc.",
     "You are receiving this email because you signed up at our site.",
     "Unsubscribe\n\nPaper Mail Limited, One Long Road, Springfield",
     "Copyright 2025 Paper Mail. All rights reserved.", "Privacy Policy | Terms of Service",
     "12 upvotes · 3 comments", "Read more", "https://papers.example.org/mail"],
)  # fmt: skip
def test_any_furniture_may_come_after(tail: str) -> None:
    papers, problems = split(digest(*PAPERS) + f"\n{tail}\n")
    assert [(paper.title, paper.abstract) for paper in papers] == PAPERS
    assert problems == []


@pytest.mark.parametrize(
    "line",
    ["▲ 45", "123", "1.2k upvotes", "Submitted by jo", "by Ann Lee, Bo Ek", "Read more", "cs.CL",
     "arXiv:2504.01234", "Ann Lee, Bo Ek and Cy van Dam", "PDF | Code", "Published on Apr 21",
     "https://arxiv.org/abs/2504.01234", "Authors: Ann Lee", "Abstract", "Apr 21", "——"],
)  # fmt: skip
def test_furniture_between_title_and_abstract_is_not_the_title(line: str) -> None:
    text = "Apr 22\n\n" + "\n\n".join(f"{t}\n\n{line}\n\n{a}" for t, a in (OWLS, KETTLES))
    papers, problems = split(text)
    assert [(paper.title, paper.abstract) for paper in papers] == [OWLS, KETTLES]
    assert problems == []
    assert papers[1].sources[0].position == 2


def test_a_line_that_recurs_before_different_papers_is_a_button() -> None:
    text = "\n\n".join(f"{t}\n\nAsk the Paper Bot\n\n{a}" for t, a in PAPERS)
    assert titles(text) == ALL


def test_a_paper_that_comes_three_times_is_no_button() -> None:
    text = "".join(f"Apr {day}\n\n{digest(OWLS, KETTLES)}\n" for day in (1, 2, 3))
    assert titles(text) == [OWLS[0], KETTLES[0]] * 3


@pytest.mark.parametrize("width", [60, 72, 78, 100])
@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_hard_wrapped_abstracts_are_one_paragraph_stored_as_given(width: int, gap: str) -> None:
    wrapped = [(title, textwrap.fill(abstract, width)) for title, abstract in PAPERS]
    papers, problems = split("\n\n".join(f"{t}{gap}{a}" for t, a in wrapped))
    assert [(paper.title, paper.abstract) for paper in papers] == wrapped
    assert problems == []


def test_a_title_may_stand_right_above_its_abstract() -> None:
    assert titles("\n\n".join(f"{t}\n{a}" for t, a in PAPERS)) == ALL
    assert titles("\n".join(f"{t}\n{a}" for t, a in PAPERS)) == ALL


def test_a_wrapped_title_is_one_title() -> None:
    title = (
        "A Rather Long Title on the Ways in Which Kettles Are Heard\nin the Kitchens of the North"
    )
    assert titles(f"{title}\n\n{OWLS[1]}") == [title.replace("\n", " ")]


def test_authors_in_the_title_block_are_not_the_title() -> None:
    assert titles(f"{OWLS[0]}\nAnn Lee\n\n{OWLS[1]}\n\n{digest(KETTLES)}") == [OWLS[0], KETTLES[0]]


def test_an_abstract_of_several_paragraphs_is_kept_whole() -> None:
    abstract = f"{OWLS[1]}\n\nWe make three contributions.\n\n{MAPS[1]}"
    papers, problems = split(digest((OWLS[0], abstract), KETTLES))
    assert [(paper.title, paper.abstract) for paper in papers] == [(OWLS[0], abstract), KETTLES]
    assert problems == []


def test_a_title_without_an_abstract_is_a_problem_at_its_line() -> None:
    text = f"Apr 22\n\n{digest(OWLS)}\nA Title That Nobody Explained\n\n{digest(KETTLES)}"
    papers, problems = split(text)
    assert [paper.title for paper in papers] == [OWLS[0], KETTLES[0]]
    assert [str(problem) for problem in problems] == ["mail.txt:7: title without an abstract"]


def test_a_last_title_without_an_abstract_is_a_problem_too() -> None:
    papers, problems = split(digest(OWLS) + "\nA Title That Nobody Explained\n\nUnsubscribe\n")
    assert len(papers) == 1
    assert [(problem.line, problem.reason) for problem in problems] == [
        (5, "title without an abstract")
    ]


def test_an_abstract_without_a_title_is_a_problem() -> None:
    papers, problems = split(f"Apr 22\n\n{OWLS[1]}\n\n{digest(KETTLES)}")
    assert [paper.title for paper in papers] == [KETTLES[0]]
    assert [str(problem) for problem in problems] == ["mail.txt:3: abstract without a title"]


def test_short_abstracts_are_abstracts() -> None:
    short = [("A Study of Toy Birds", "We study toy birds."), ("Toy Cats", "Toy cats do not purr.")]
    papers, problems = split(digest(*short))
    assert [(paper.title, paper.abstract) for paper in papers] == short
    assert problems == []


def test_titles_with_full_stops_are_titles() -> None:
    dotted = [(f"{title.rstrip('?')}.", abstract) for title, abstract in PAPERS]
    assert titles("Apr 22\n\n" + digest(*dotted)) == [title for title, _ in dotted]


@pytest.mark.parametrize(
    "title",
    ["Bypassing the Guard: How Parrots Learn to Open Doors", "Are Emergent Parrots a Mirage?",
     "Hello, It's a Parrot", "Welcome to the Age of Parrots", "Video, Language, and Parrots",
     "Reading Privacy Policies with Parrots", "Segment Anything", "Read, Look, Parrot!", "4D-Owl",
     "Deep Parrots, Large Birds, and Small Cages"],
)  # fmt: skip
def test_titles_that_resemble_furniture_are_titles(title: str) -> None:
    assert titles(f"Apr 22\n\n{digest(OWLS, (title, KETTLES[1]), MAPS)}") == [
        OWLS[0],
        title,
        MAPS[0],
    ]


@pytest.mark.parametrize("mark", ["## {}", "**{}**", "1. {}", "[2] {}", "Title: {}"])
def test_marks_around_titles_do_not_belong_to_them(mark: str) -> None:
    assert titles(digest(*((mark.format(t), a) for t, a in PAPERS))) == ALL


def test_a_paragraph_of_ten_million_characters_is_one_problem() -> None:
    huge = "word " * 2_000_000 + "end."
    papers, problems = split(digest(OWLS, ("A Flood of Words", huge), KETTLES))
    assert [paper.title for paper in papers] == [OWLS[0], KETTLES[0]]
    assert [problem.line for problem in problems] == [7]
    assert "20,000" in problems[0].reason


@given(
    st.lists(
        st.sampled_from(
            [
                "Apr 22",
                "",
                "A Fine Title Here",
                OWLS[1],
                "Unsubscribe",
                "a.",
                "\ud800",
                "\0",
                "One sentence here.",
                "(",
                "Feb 30",
                "12",
            ]
        )
        | st.text()
    )
)
def test_no_text_raises_and_every_abstract_is_a_part_of_it(lines: list[str]) -> None:
    text = "\n".join(lines)
    papers, problems = split(text)
    assert all(paper.abstract in text and paper.title for paper in papers)
    assert all(1 <= (problem.line or 0) <= text.count("\n") + 1 for problem in problems)
