"""Questions about the collection itself are answered from the index, not guessed."""

import pytest
from made_up import cited, keeps_the_promises, markers

from rag import Assistant, Filters, Options


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How many papers are in the June 3 digest?", "9 papers are in the digest of Jun 3, 2024."),
        ("How many papers are in both digests?", "3 papers are in the digest of Jun 3, 2024 and"),
        ("How many papers are there?", "The index holds 16 papers"),
        ("How many papers are only in the July 15 digest?", "6 papers are in"),
        ("How many digests are there?", "digest of Jun 3, 2024 has 9 papers"),
        ("What is the tenth paper of the June 3 digest?", "no such paper"),
        ("Is HiveScan in both digests?", "Yes: it is in the digest of Jun 3, 2024 (number 1) and"),
        ("Is WaggleNet in both digests?", "No: it is in the digest of Jun 3, 2024 (number 2)."),
        ("Is HiveScan only in the June 3 digest?", "No: it is in the digest of Jun 3, 2024"),
        ("Which digest has CrustCam?", "In the digest of Jul 15, 2024 (number 6)."),
        ("Who are the authors of HiveScan?", "lacks its authors, venue, date and link"),
        ('Who are the authors of "Rye and Wheat Sourdough Hold Different Yeasts"?',
         "By Ines Ambrosch and Teo Valdrin. In J. of Baking, 2019."),
    ],
)  # fmt: skip
def test_what_is_counted_cites_nothing(library: Assistant, question: str, text: str) -> None:
    answer = library.ask(question)
    keeps_the_promises(answer)
    assert text in answer.text
    assert (answer.kind, answer.confidence, answer.references) == ("catalogue", 1, ())
    assert {sentence.support for sentence in answer.sentences} == {"unchecked"}


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("Which papers are in both digests?", "hivescan crackmap quake"),
        (
            "Which papers are only in the June 3 digest?",
            "wagglenet lamps bridgesong doughcast stale icetide",
        ),
        ("What is the third paper in the July 15 digest?", "crackmap"),
        ("What is the last paper in the June 3 digest?", "quake"),
        ("papers by Teo Valdrin", "rye"),
    ],
)
def test_a_list_is_in_order_of_its_digest(library: Assistant, question: str, papers: str) -> None:
    answer = library.ask(question)
    keeps_the_promises(answer)
    assert cited(answer) == papers.split()
    assert markers(answer.text) == list(range(1, len(papers.split()) + 1))
    assert {reference.found for reference in answer.references} == {None}


def test_the_newest_and_the_oldest_papers_come_with_the_span_of_dates(library: Assistant) -> None:
    oldest = library.ask("What is the oldest paper?")
    newest = library.ask("What are the newest papers?")
    assert cited(oldest)[0] == "rye"
    for reference in newest.references:
        assert min(source.date for source in reference.paper.sources if source.date).month == 7
    for answer in (oldest, newest):
        assert "dated from 2019 to Jul 15, 2024" in answer.text
    # Of a subject it is one on it.
    newest = library.ask("Which paper on honey bees is the newest?")
    assert newest.kind == "catalogue"
    assert cited(newest)[0] == "smoke"
    assert set(cited(newest)) <= {"hivescan", "wagglenet", "lamps", "smoke"}
    assert "papers on this subject are dated from" in newest.text
    assert library.ask("Which paper on volcanoes is the newest?").status != "answered"


def test_counts_keep_to_the_filters_and_say_so(library: Assistant) -> None:
    june = Filters(digests=("June 3",))
    answer = library.ask("How many papers are there?", filters=june)
    assert answer.text.startswith("Of the papers that pass the filters, 9 are left")
    answer = library.ask("Which papers are in the July 15 digest?", filters=june)
    assert cited(answer) == ["hivescan", "crackmap", "quake"]
    answer = library.ask("List the papers of the June 3 digest", options=Options(sources=2))
    assert len(answer.references) == 2
    assert "7 more not shown" in answer.text
