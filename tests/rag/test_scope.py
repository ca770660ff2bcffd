"""What a question says of digests and dates decides which papers may answer it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import JULY, JUNE, cited, keeps_the_promises

from index import minilm
from index.papers import Dating
from rag import Assistant
from rag.citations import unescape
from rag.digests import Digest, with_days
from rag.fitted import record
from rag.scope import Scope, read_scope
from rag.wording import Reader

MAY = date(2024, 5, 6)
DIGESTS = (Digest("may.txt", MAY, 9), Digest("june.txt", JUNE, 9), Digest("july.txt", JULY, 9))
DAYS = {digest.key: digest.date for digest in DIGESTS}


def within(scope: Scope) -> list[date | None]:
    return [DAYS[key] for key in scope.filters.digests]


UNSCOPED = (
    "Was it released on May 3, 2024?",
    "Which novel issues does the digest raise?",
    "Which paper solves both issues?",
    "Which papers use a decoder 3 layers deep?",
)


@pytest.mark.parametrize(
    ("question", "rest", "wanted"),
    [
        ("What was in the June 3 digest about kites?", "What was about kites?", [JUNE]),
        ("In the July 15 digest, who flies?", "who flies?", [JULY]),
        ("What is new in the latest digest?", "What is new?", [JULY]),
        ("Who flies in the oldest newsletter?", "Who flies?", [MAY]),
        ("Who flies in the 2024-06-03 digest?", "Who flies?", [JUNE]),
        *((stays, stays, []) for stays in UNSCOPED),
    ],
)
def test_digests_are_taken_out_of_a_question(question: str, rest: str, wanted: list[date]) -> None:
    scope = read_scope(question, DIGESTS, dates=False)
    assert (scope.text, within(scope)) == (rest, wanted)
    assert scope.is_empty == (not wanted)
    if wanted:
        with_dates = read_scope(question, DIGESTS)
        assert (with_dates.text, within(with_dates)) == (rest, wanted)
        assert (with_dates.filters.since, with_dates.filters.until) == (None, None)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("Which papers on kites came before June 3?", None, date(2024, 6, 2)),
        ("papers on kites until 2020", None, date(2019, 12, 31)),
        ("kites since July 2024", date(2024, 7, 1), None),
        ("kites since 2023", date(2023, 1, 1), None),
        ("papers on kites in 2019", date(2019, 1, 1), date(2019, 12, 31)),
    ],
)
def test_dates_of_papers_are_spans(question: str, since: date | None, until: date | None) -> None:
    scope = read_scope(question, DIGESTS)
    assert (scope.filters.since, scope.filters.until) == (since, until)
    assert not any(word in scope.text for word in ("20", "June", "July"))
    assert "kites" in scope.text
    elsewhere = read_scope(question, DIGESTS, dates=False)
    assert (elsewhere.filters.since, elsewhere.filters.until) == (None, None)


@pytest.mark.parametrize(
    ("question", "wanted", "without", "every"),
    [
        ("Which papers are only in the June 3 digest?", [JUNE], [MAY, JULY], False),
        ("Which papers are missing from the June 3 digest?", [], [JUNE], False),
        ("Who flies in the July 15 digest, but not in the June 3 digest?", [JULY], [JUNE], False),
        ("Compared with the May 6 digest, what is new in June 3?", [JUNE], [MAY], False),
        ("Isn't KiteNet in the June 3 digest?", [JUNE], [], False),
        ("What changed between the digests?", [JULY], [JUNE], False),
        ("Summarise the June 3 digest and the July 15 digest", [JUNE, JULY], [], False),
        ("Which papers on kites are in the June 3 and July 15 digests?", [JUNE, JULY], [], False),
        ("Is KiteNet in both?", [JUNE, JULY], [], True),
        ("Which papers are in both the May 6 and the June 3 digest?", [MAY, JUNE], [], True),
    ],
)
def test_digests_are_any_each_or_none(
    question: str, wanted: list[date], without: list[date], every: bool
) -> None:
    encode = minilm.shared(minilm.bundled_folder()).encode
    scope = read_scope(question, DIGESTS, Reader(record(), encode).relation)
    assert (within(scope), [DAYS[key] for key in scope.without]) == (wanted, without)
    assert scope.filters.every_digest is every


@given(st.text(max_size=60))
def test_any_question_has_a_scope_that_chooses_from_the_digests(text: str) -> None:
    scope = read_scope(f"digest {text} June 3 {text}", DIGESTS)
    assert {*scope.filters.digests, *scope.without} <= DAYS.keys()
    assert "\x00" not in scope.text or "\x00" in text


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which papers in the June 3 digest are about bridges?", {"crackmap", "bridgesong"}),
        ("Which papers in both digests are about bridges?", {"crackmap"}),
        ("Which papers about sourdough appeared in 2019?", {"rye"}),
    ],
)
def test_only_papers_in_scope_answer(certain: Assistant, question: str, expected: set[str]) -> None:
    answer = certain.ask(question)
    keeps_the_promises(answer)
    assert set(cited(answer)) == expected


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What is in the May 3 digest about bees?", "May 3"),
        ("Which papers of the 2023-06-03 digest study bread?", "2023-06-03"),
    ],
)
def test_an_unknown_digest_is_refused(library: Assistant, question: str, named: str) -> None:
    answer = library.ask(question)
    keeps_the_promises(answer)
    told = f"There is no digest of {named}; available: Jun 3, 2024"
    assert unescape(answer.text).startswith(told), "not the fault of the abstracts"


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("What did I add today?", "What were in the digest of Jul 16, 2024?"),
        ("Show today's papers", "Show the papers of the digest of Jul 16, 2024"),
        ("What is new since yesterday?", "What is new since Jul 15, 2024?"),
        ("What do today's agents lack?", "What do today's agents lack?"),
        ("Is this used today?", "Is this used today?"),
    ],
)
def test_a_day_on_which_papers_came_is_a_date(question: str, read: str) -> None:
    assert with_days(question, date(2024, 7, 16)) == read


@pytest.mark.parametrize(
    ("dated", "called"),
    [
        ("day", "Mar 3, 2025"),
        ("week", "the week of Mar 3, 2025"),
        ("month", "March 2025"),
        ("year", "2025"),
        ("added", "x.txt, added Mar 3, 2025"),
    ],
)
def test_a_digest_is_called_by_what_its_date_says(dated: Dating, called: str) -> None:
    assert Digest("x.txt", date(2025, 3, 3), 1, dated).label == called
