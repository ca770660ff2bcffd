"""Votes on answers: kept, replaced, withdrawn, and made questions that are measured as they are."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from handmade import BOGS, MOSS, REFUSAL, answer, reference

from eval.datasets import Message
from eval.feedback import FILE, Feedback, append, case, is_case, load
from index.errors import InputError
from rag.schema import Filters

WHEN = datetime(2025, 5, 2, 12, 30, tzinfo=UTC)
CITED = answer(
    "It trains on 40 ferns. [1] Bogs are wet. [2]",
    reference(1, MOSS, "We train Moss$^{2}$Net on 40 ferns."),
    reference(2, BOGS, "Bogs are wet."),
)


def vote(id_: str = "t1", way: Any = "up", **more: Any) -> Feedback:
    given = more.pop("of", CITED).model_copy(update={"question": more.pop("question", "How many?")})
    return Feedback.on(given, way, more.pop("reason", None), id=id_, asked=WHEN, **more)


def test_a_vote_comes_back_as_it_was_kept_in_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    kept = vote(
        reason="wrong\npaper “é”",
        history=[Message(role="user", content="Mosses?")],
        filters=Filters(digests=("Mar 14",)),
    )
    append(folder, kept)
    assert load(folder) == [kept]
    assert oct((folder / FILE).stat().st_mode & 0o777) == "0o600"
    assert kept.text == "It trains on 40 ferns. [1] Bogs are wet. [2]"


def test_the_last_vote_on_an_answer_counts_and_can_be_withdrawn(tmp_path: Path) -> None:
    for each in (vote("a"), vote("b"), vote("a", "down", reason="no"), vote("b", None)):
        append(tmp_path, each)
    assert [(each.id, each.vote, each.reason) for each in load(tmp_path)] == [("a", "down", "no")]


@pytest.mark.parametrize("line", ["{", '{"id": "x"}', "[]", '{"id": 1e999}'])
def test_a_bad_line_is_told_with_file_and_number(tmp_path: Path, line: str) -> None:
    append(tmp_path, vote())
    with (tmp_path / FILE).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError) as told:
        load(tmp_path)
    assert str(told.value).startswith(f"{tmp_path / FILE}:2: ")
    assert "\n" not in str(told.value)


def test_half_a_line_that_a_kill_left_is_cut_off_by_the_next_vote(tmp_path: Path) -> None:
    append(tmp_path, vote("a"))
    with (tmp_path / FILE).open("a") as file:
        file.write('{"id": "half')
    append(tmp_path, vote("b"))
    assert [each.id for each in load(tmp_path)] == ["a", "b"]


def test_what_an_upvoted_answer_cites_is_right() -> None:
    found = case(vote(reason="just so"))
    assert found.answerable
    assert found.type == "upvoted"
    assert found.papers == (MOSS.title, BOGS.title)
    assert [(e.paper, e.quote) for e in found.evidence] == [
        (MOSS.title, "We train Moss$^{2}$Net on 40 ferns."),
        (BOGS.title, "Bogs are wet."),
    ]
    assert found.nuggets == (("Moss²Net", "40"),), "the other sentence has no number and no name"
    assert found.note is not None
    assert "just so" in found.note


def test_what_the_question_says_itself_is_no_fact_of_its_answer() -> None:
    assert case(vote(question="On how many ferns is moss²net trained?")).nuggets == (("40",),)
    assert case(vote(question="Is Moss²Net trained on 40 ferns?")).nuggets == ()


def test_a_downvoted_answer_says_nothing_of_the_right_one() -> None:
    found = case(vote(way="down", reason="not the paper"))
    assert (found.type, found.papers, found.evidence, found.nuggets) == ("downvoted", (), (), ())
    assert found.note is not None
    assert "not the paper" in found.note
    assert "Counting Bogs" in found.note


def test_an_upvoted_refusal_is_not_answerable_and_a_downvoted_one_is() -> None:
    assert not case(vote(of=REFUSAL)).answerable
    assert case(vote(way="down", of=REFUSAL)).answerable


def test_a_refusal_because_of_filters_is_no_case() -> None:
    filtered = Filters(title="moss")
    assert not is_case(vote(of=REFUSAL, filters=filtered))
    assert is_case(vote(filters=filtered))
    assert "moss" in str(case(vote(filters=filtered)).note)
