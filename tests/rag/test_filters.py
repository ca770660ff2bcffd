"""Filters bind: by digest, by date, by the title's words; and one that leaves nothing says so."""

from collections.abc import Callable, Sequence
from datetime import date

import pytest
from made_up import BOATS, KITES, keeps_the_promises, paper, titles

from index.papers import Paper
from rag import Assistant, Filters
from rag.schema import Retrieved

Open = Callable[[Sequence[Paper]], Assistant]


@pytest.mark.parametrize("said", ["World", "WORLD", "  world  ", "osWorld: benchmarking"])
def test_a_title_filter_keeps_the_titles_that_contain_it(
    sample_assistant: Assistant, said: str
) -> None:
    filters = Filters(title=said)
    kept = sample_assistant.papers(filters)
    assert kept
    assert all(said.strip().casefold() in p.display_title.casefold() for p in kept)
    assert {hit.paper.id for hit in sample_assistant.search("agents", filters=filters)} <= {
        p.id for p in kept
    }
    answer = sample_assistant.ask("What do agents find difficult?", filters=filters)
    assert set(titles(answer)) <= {p.display_title for p in kept}


def test_a_title_is_matched_as_it_is_shown_and_as_it_is_stored(open_papers: Open) -> None:
    assistant = open_papers([paper("cube", "On M$^{3}$ViT models", "M3ViT is a model."), BOATS])
    for said in ("m³vit", "M$^{3}$"):
        assert [p.id for p in assistant.papers(Filters(title=said))] == ["cube"], said


@pytest.mark.parametrize("said", [None, "", "  "])
def test_a_blank_title_filter_keeps_every_paper(
    sample_assistant: Assistant, said: str | None
) -> None:
    assert sample_assistant.papers(Filters(title=said)) == sample_assistant.papers()


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (Filters(title="zebra"), "(with “zebra” in its title)"),
        (Filters(since=date(2031, 1, 2)), "(dated from Jan 2, 2031)"),
        (
            Filters(since=date(2031, 1, 2), until=date(2031, 2, 3)),
            "(dated from Jan 2, 2031 to Feb 3, 2031)",
        ),
        (
            Filters(digests=("Mar 14",), title="zebra"),
            "(from the digest of Mar 14, 2025; with “zebra” in its title)",
        ),
    ],
)
def test_filters_that_leave_nothing_are_named(
    sample_assistant: Assistant, filters: Filters, said: str
) -> None:
    answer = sample_assistant.ask("How many tasks does OSWorld have?", filters=filters)
    keeps_the_promises(answer)
    assert answer.reason == f"No abstract is left after the filters {said}."
    assert answer.nearest == ()
    assert answer.lacks is None


def test_what_the_question_says_of_digests_is_named_with_the_filters(
    sample_assistant: Assistant,
) -> None:
    answer = sample_assistant.ask(
        "What was in the Mar 14 digest about model merging?", filters=Filters(title="zebra")
    )
    assert answer.reason is not None
    assert "with “zebra” in its title; from the digest of Mar 14, 2025" in answer.reason


def test_a_paper_that_the_filters_leave_out_is_named(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("What is WebArena?", filters=Filters(title="OSWorld"))
    assert answer.reason == (
        "The paper that fits best, “WebArena”, does not pass the filters"
        " (with “OSWorld” in its title)."
    )


def test_every_hit_and_reference_says_what_found_it(open_papers: Open) -> None:
    fillers = [
        paper(f"p{n:02}", f"Gardens of number {n}", f"Garden {n} has flowers.") for n in range(30)
    ]
    assistant = open_papers([KITES, BOATS, *fillers])
    hits = {hit.paper.id: hit.found for hit in assistant.search("kites in the air", limit=32)}
    assert hits["kites"] == "both"
    assert hits["boats"] == "dense", "near in meaning, without a word of the query"
    assert set(hits.values()) <= {"dense", "lexical", "both"}
    answer = assistant.ask("How many kites does KiteNet keep?")
    assert [reference.found for reference in answer.references] == ["both"]
    first = next(e for e in assistant.stream("kites?") if isinstance(e, Retrieved))
    assert first.hits[0].found == "both"


def test_a_paper_found_by_a_word_alone_says_so(open_papers: Open) -> None:
    near = [paper(f"k{n:02}", f"Kites of kind {n}", f"Kind {n} flies far.") for n in range(25)]
    odd = paper("odd", "Ledgers", "Accounts of a bank, with the code XQ77 beside every sum.")
    assistant = open_papers([*near, odd])
    hits = {hit.paper.id: hit.found for hit in assistant.search("flying kites XQ77", limit=26)}
    assert hits["odd"] == "lexical"


def test_what_is_counted_was_not_found(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("List the papers of the Mar 14 digest")
    assert answer.references
    assert {reference.found for reference in answer.references} == {None}
