"""Which papers are the rows of a table, and what is refused."""

import re
from datetime import date

import pytest
from tabling import MakeTable, ids

from index.errors import InputError
from rag.schema import Filters
from rag.tables.columns import DEFAULT_COLUMNS, check_columns


def test_the_rows_are_the_papers_about_the_subject_best_first(table: MakeTable) -> None:
    made = table("paper kites", ["method"])
    assert set(ids(made)) == {"glide", "string"}
    scores = [row.score for row in made.rows]
    assert scores == sorted(scores, reverse=True)


def test_a_comparison_has_its_papers_and_a_question_that_none_fits_the_reason(
    table: MakeTable,
) -> None:
    assert set(ids(table("Compare GlideBench and StringNet", ["method"]))) == {"glide", "string"}
    made = table("recipes for sourdough bread", ["method"])
    assert made.rows == ()
    assert made.reason == "None of the abstracts is about this."


def test_papers_that_are_named_win_over_the_question(table: MakeTable) -> None:
    named = ["Soil moisture of meadows", "glide"]
    assert ids(table("paper kites", ["method"], papers=named)) == ["soil", "glide"]
    assert ids(table("paper kites", ["method"], papers=["stringnet"], limit=1)) == ["string"]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Soil Moisture of Medows", "nearest title is 'Soil Moisture of Meadows'"),
        ("Quantum Chromodynamics", "no paper in the index is called 'Quantum Chromodynamics'"),
        ("paper kites", "2 papers fit 'paper kites'"),
        (" ", "a paper to compare is empty"),
    ],
)
def test_a_paper_that_is_unknown_or_not_one_is_told(
    table: MakeTable, title: str, said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        table("kites", ["method"], papers=[title])


def test_a_digest_that_the_question_names_limits_the_rows(table: MakeTable) -> None:
    assert ids(table("paper kites in the Mar 14 digest", ["method"])) == ["glide"]
    made = table("papers in the Apr 22 digest", ["method"])
    assert set(ids(made)) == {"string", "soil"}
    made = table("papers in the May 2 digest", ["method"])
    assert made.rows == ()
    assert "There is no digest of May 2" in (made.reason or "")


def test_filters_limit_the_rows(table: MakeTable) -> None:
    made = table("paper kites", ["method"], filters=Filters(since=date(2025, 4, 1)))
    assert ids(made) == ["string"]
    made = table("paper kites", ["method"], filters=Filters(since=date(2026, 1, 1)))
    assert made.reason == "No abstract is left after the filters (dated from Jan 1, 2026)."
    with pytest.raises(InputError, match="does not pass the filters"):
        table("kites", ["method"], papers=["glide"], filters=Filters(since=date(2025, 4, 1)))


def test_no_more_rows_than_the_limit_and_it_says_so(table: MakeTable) -> None:
    made = table("paper kites", ["method"], limit=1)
    assert len(made.rows) == 1
    assert made.notice == "1 of 2 papers that fit are shown."


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([], "no column is named"),
        (["method", " "], "a column has no name"),
        (["x"] * 13, "13 columns are too many: give at most 12"),
        (["method", "Method"], "'Method' is there twice"),
        (["y" * 81], "has 81 characters"),
    ],
)
def test_columns_that_cannot_be_used_are_refused_in_one_line(columns: list[str], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as refused:
        check_columns(columns)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "options", "said"),
    [
        (("kites", "method"), {}, "such as ['method']"),
        (("kites", ["method"]), {"papers": "glide"}, "such as ['glide']"),
        (("kites", ["method"]), {"limit": 0}, "limit must be at least 1"),
        ((" ", ["method"]), {}, "question is empty"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    table: MakeTable, asked: tuple[object, ...], options: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        table(*asked, **options)


def test_without_columns_the_usual_ones_are_taken_and_that_is_said(table: MakeTable) -> None:
    made = table("paper kites")
    assert made.columns == DEFAULT_COLUMNS
    assert made.notice == "No columns were named, so these are the usual ones."
    assert made.mode == "extractive"
    assert made.model is None
