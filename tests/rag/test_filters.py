"""Filters bind: digests by file or date, since and until, words of the title."""

import contextlib
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from made_up import JULY, JUNE, LIBRARY, cited, paper

from index.errors import InputError
from rag import Assistant, Filters
from rag.digests import Digest, allowed, find_digests

DIGESTS = (
    Digest("june.txt", JUNE, 9), Digest("july.txt", JULY, 9), Digest("records.txt", None, 1)
)  # fmt: skip


@pytest.mark.parametrize(
    "named",
    ["june.txt", "june", "JUNE.TXT", "Jun 3", "june 3, 2024", "June 3rd", "3 June 2024",
     "2024-06-03", " June 3 "],
)  # fmt: skip
def test_a_digest_is_named_by_file_stem_or_date(library: Assistant, named: str) -> None:
    found = library.papers(Filters(digests=(named,)))
    assert len(found) == 9
    assert all(JUNE in {source.date for source in paper.sources} for paper in found)


def test_filters_bind_together_and_may_be_a_dictionary(library: Assistant) -> None:
    both = ("June 3", "July 15")
    assert len(library.papers(Filters(digests=both))) == 15
    every = library.papers(Filters(digests=both, every_digest=True))
    assert {paper.id for paper in every} == {"hivescan", "crackmap", "quake"}
    assert library.papers(Filters(digests=("June 3",), since=JULY)) == []
    shown = paper("cube", "On M$^{3}$ViT models", "M3ViT is a model.")
    for text in ("m³vit", "M$^{3}$", None, "", "  "):
        assert allowed([shown], Filters(title=text)).all(), "as it is shown, and as it is stored"
    wanted = {"digests": ["June 3"], "until": "2024-06-30"}
    assert library.papers(wanted) == library.papers(Filters(digests=("June 3",)))
    assert library.search("bees", filters={"title": "hive"})
    assert library.ask("What is HiveScan?", filters={}).status == "answered"


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"digests": ["May 3"]}, "'May 3'.* Jun 3, 2024 \\(june.txt\\)"),
        ({"digests": [""]}, "'.* Jun 3, 2024 \\(june.txt\\)"),
        ({"digests": ["2024-13-45"]}, "'2024-13-45'.* Jun 3, 2024 \\(june.txt\\)"),
        ({"since": JULY, "until": JUNE}, "2024-07-15 is after until 2024-06-03"),
        ({"digest": "June 3"}, "unknown filter 'digest'; filters are digests, every_digest, since"),
        ({"digests": 3}, "filter digests: "),
        ({"since": "soon"}, "filter since: "),
        ("June 3", "filters must be a Filters or a dictionary, not 'June 3'"),
        ({"papers": ["smoke", "gone"]}, "the index has no paper 'gone': it may have been removed"),
    ],
)
def test_filters_that_cannot_be_are_refused(library: Assistant, filters: Any, message: str) -> None:
    for call in (library.ask, library.search, library.stream, library.table):
        with pytest.raises(InputError, match=message) as error:
            call("bees?", filters=filters)
        assert "\n" not in str(error.value)


@given(st.none() | st.dates(date(2018, 1, 1)), st.none() | st.dates(date(2018, 1, 1)))
@example(date(2019, 6, 1), None)
def test_since_and_until_are_inclusive_of_days(since: date | None, until: date | None) -> None:
    if since and until and since > until:
        since, until = until, since
    kept = allowed(LIBRARY, Filters(since=since, until=until))
    for each, keep in zip(LIBRARY, kept, strict=True):
        days = [(at.date, at.date) for at in each.sources if at.date]
        days += [(date(2019, 1, 1), date(2019, 12, 31))] if each.year else []
        fits = any((not since or first >= since) and (not until or last <= until)
                   for first, last in days)  # fmt: skip
        assert keep == (fits or (since is None and until is None))


@given(st.text(max_size=60))
def test_any_text_names_a_digest_or_is_an_error(text: str) -> None:
    with contextlib.suppress(InputError):
        assert find_digests(text, DIGESTS)


def test_a_key_names_one_digest_and_a_message_names_the_newest(library: Assistant) -> None:
    assert tuple(library.digests()) == DIGESTS, "the oldest first"
    twins = (Digest("a.txt", JUNE, 1), Digest("b.txt", JUNE, 2), Digest("a.txt", JULY, 3))
    for digest in twins:
        assert find_digests(digest.key, twins) == [digest]
    many = [Digest(f"{n}.txt", date(2025, 1, n), 1) for n in range(1, 29)]
    with pytest.raises(InputError, match=r"28\.txt.* and 20 more"):
        find_digests("May 3", many)


def test_only_papers_that_are_named_by_their_ids_answer(certain: Assistant) -> None:
    one, three = {"papers": ("smoke",)}, {"papers": ("smoke", "lamps", "hivescan")}
    assert [paper.id for paper in certain.papers(one)] == ["smoke"]
    # What is asked is asked of them, whether or not it says so.
    assert set(cited(certain.ask("What does it show?", filters=one))) == {"smoke"}
    assert set(cited(certain.ask("Compare these papers.", filters=three))) == {*three["papers"]}
    refused = certain.ask("What is CrackMap?", filters=three)
    assert "(only the 3 papers chosen)" in (refused.reason or "")
    counted = certain.ask("How many papers are there?", filters=three).text
    assert "Of the papers that pass the filters, 3 are left." in counted
    listed = certain.ask("List the papers of the July 15 digest", filters=three)
    assert cited(listed) == ["hivescan", "smoke"]
    alone = certain.ask("Which papers are like HiveScan?", filters={"papers": ["hivescan"]})
    assert alone.reason == "No other paper is left after the filters (only the paper chosen)."
    # They have to pass the other filters, too.
    both, none = (Filters(papers=ids, title="smoke") for ids in (("lamps", "smoke"), ("lamps",)))
    answer = certain.ask("What does it propose?", filters=both)
    assert set(cited(answer)) <= {"smoke"}
    assert "does not pass the filters" in f"{answer.reason} {answer.notice}"
    refused = certain.ask("What does it propose?", filters=none)
    assert "No abstract is left after the filters" in (refused.reason or "")


def test_a_name_among_chosen_papers_is_that_one(certain: Assistant, doubting: Assistant) -> None:
    filters = Filters(papers=("hivescan", "wagglenet", "lamps"))
    answer = certain.ask("How many photographs was HiveScan trained on?", filters=filters)
    assert cited(answer) == ["hivescan"]
    compared = certain.ask("How does HiveScan differ from these papers?", filters=filters)
    assert set(cited(compared)) == set(filters.papers)
    refused = doubting.ask("Does WaggleNet charge a licence fee?", filters=filters)
    assert refused.reason == "The abstract of “WaggleNet” does not state this."
    refused = doubting.ask("Do they charge a licence fee?", filters=filters)
    assert refused.reason == "The abstracts of the chosen papers do not state this."


def test_a_comparison_tells_which_of_its_papers_the_filters_leave_out(library: Assistant) -> None:
    june = Filters(digests=("June 3",))
    lack = "does not pass the filters (from the digest of Jun 3, 2024)."
    two = library.ask("Compare WaggleNet and CrustCam", filters=june)
    assert two.reason == f"“CrustCam” {lack}"
    three = library.ask("Compare WaggleNet, CrustCam and HiveScan", filters=june)
    assert set(cited(three)) == {"wagglenet", "hivescan"}
    assert f"“CrustCam” {lack}" in (three.notice or "")
    chosen = Filters(papers=("wagglenet", "crust"), digests=("June 3",))
    assert "“CrustCam” does not pass" in (library.ask("Compare them.", filters=chosen).reason or "")
    table = library.table("Compare WaggleNet and CrustCam", ["method"], filters=june)
    assert [row.paper.id for row in table.rows] == ["wagglenet"]
    assert f"“CrustCam” {lack}" in (table.notice or "")
    table = library.table("Compare CrustCam and BreadNet", ["method"], filters=june)
    assert (table.rows, table.reason) == ((), f"“CrustCam” {lack}")
