"""Digests as filters: by file name or date, since and until."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InputError
from rag import Assistant, Filters
from rag.digests import Digest, allowed, find_digests

MARCH, APRIL = date(2025, 3, 14), date(2025, 4, 22)
DIGESTS = (
    Digest("digest-2025-03-14.txt", MARCH, 26),
    Digest("digest-2025-04-22.txt", APRIL, 26),
)


def days(assistant: Assistant, filters: Filters) -> list[set[date | None]]:
    return [{source.date for source in paper.sources} for paper in assistant.papers(filters)]


@pytest.mark.parametrize(
    "named",
    [
        "digest-2025-03-14.txt",
        "digest-2025-03-14",
        "DIGEST-2025-03-14.TXT",
        "Mar 14",
        "mar 14, 2025",
        "March 14th",
        "14 March 2025",
        "2025-03-14",
        " Mar 14 ",
    ],
)
def test_a_digest_is_named_by_file_stem_or_date(sample_assistant: Assistant, named: str) -> None:
    found = days(sample_assistant, Filters(digests=(named,)))
    assert len(found) == 26
    assert all(MARCH in day for day in found)


@pytest.mark.parametrize(
    "named", ["May 3", "2024-03-14", "march.txt", "", "2025-13-45", "Mar 99", "Mar 14 or so"]
)
def test_an_unknown_digest_is_an_error_that_lists_those_there_are(
    sample_assistant: Assistant, named: str
) -> None:
    filters = Filters(digests=(named,))
    for call in (
        lambda: sample_assistant.ask("agents?", filters=filters),
        lambda: sample_assistant.search("agents", filters=filters),
        lambda: sample_assistant.papers(filters),
        lambda: sample_assistant.stream("agents?", filters=filters),
    ):
        with pytest.raises(InputError) as error:
            call()
        assert repr(named) in str(error.value)
        assert "Mar 14, 2025 (digest-2025-03-14.txt)" in str(error.value)
        assert "\n" not in str(error.value)


def test_several_digests_are_alternatives_unless_every_one_is_wanted(
    sample_assistant: Assistant,
) -> None:
    both = ("Mar 14", "Apr 22")
    assert len(sample_assistant.papers(Filters(digests=both))) == 41
    found = days(sample_assistant, Filters(digests=both, every_digest=True))
    assert len(found) == 11
    assert all(day == {MARCH, APRIL} for day in found)


def test_since_and_until_are_inclusive(sample_assistant: Assistant) -> None:
    def count(since: date | None, until: date | None) -> int:
        return len(sample_assistant.papers(Filters(since=since, until=until)))

    assert count(APRIL, None) == count(None, MARCH) == 26
    assert count(MARCH, APRIL) == 41
    assert count(date(2025, 3, 15), date(2025, 4, 21)) == 0
    assert count(MARCH, MARCH) == 26


def test_a_digest_and_a_span_of_days_must_hold_for_the_same_source(
    sample_assistant: Assistant,
) -> None:
    assert sample_assistant.papers(Filters(digests=("Mar 14",), since=APRIL)) == []


def test_since_after_until_is_an_error(sample_assistant: Assistant) -> None:
    with pytest.raises(InputError, match="2025-04-22 is after until 2025-03-14"):
        sample_assistant.ask("agents?", filters=Filters(since=APRIL, until=MARCH))


@given(st.none() | st.dates(), st.none() | st.dates())
def test_a_filter_that_matches_nothing_keeps_nothing(
    sample_assistant: Assistant, since: date | None, until: date | None
) -> None:
    if since and until and since > until:
        since, until = until, since
    papers = sample_assistant.papers()
    kept = allowed(papers, Filters(since=since, until=until))
    for paper, keep in zip(papers, kept, strict=True):
        assert keep == any(
            source.date is not None
            and (since is None or source.date >= since)
            and (until is None or source.date <= until)
            for source in paper.sources
        )


def test_the_digests_of_an_index_are_listed_oldest_first(sample_assistant: Assistant) -> None:
    assert tuple(sample_assistant.digests()) == DIGESTS


@given(st.text(max_size=60))
def test_any_text_names_a_digest_or_is_an_error(text: str) -> None:
    with contextlib.suppress(InputError):
        assert find_digests(text, DIGESTS)


def test_a_key_names_one_digest_and_no_other() -> None:
    twins = (Digest("a.txt", MARCH, 1), Digest("b.txt", MARCH, 2), Digest("a.txt", APRIL, 3))
    old = Digest("old.jsonl", date(1850, 1, 1), 1)
    for digest in (*twins, old):
        assert find_digests(digest.key, (*twins, old)) == [digest]


def test_of_many_digests_a_message_names_the_newest() -> None:
    many = [Digest(f"{n}.txt", date(2025, 1, n), 1) for n in range(1, 29)]
    with pytest.raises(InputError) as error:
        find_digests("May 3", many)
    assert "28.txt" in str(error.value)
    assert "and 20 more" in str(error.value)
