"""Votes are kept, replaced and withdrawn; they become questions, and scores of the arena."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from handmade import BOGS, MOSS, REFUSAL, answer, reference

from eval import feedback
from eval.datasets import Message
from eval.feedback import FILE, Feedback, append, case, is_case, load
from index.errors import InputError
from rag.schema import Filters

NOW = datetime(2025, 5, 2, 12, 30, tzinfo=UTC)
CITED = answer(
    "It trains on 40 ferns. [1] Bogs are wet. [2]",
    reference(1, MOSS, "We train Moss$^{2}$Net on 40 ferns."),
    reference(2, BOGS, "Bogs are wet."),
)


def vote(id_: str = "t1", way: Any = "up", **more: Any) -> Feedback:
    given = more.pop("of", CITED).model_copy(update={"question": more.pop("question", "How many?")})
    return Feedback.on(given, vote=way, id=id_, asked=NOW, **more)


def test_the_last_vote_comes_back_from_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    history, filters = ([Message(role="user", content="Mosses?")], Filters(digests=("Mar 14",)))
    last = vote("a", "down", reason="wrong\npaper “é”", history=history, filters=filters)
    for each in (vote("a"), vote("b"), last, vote("b", None)):
        append(folder / FILE, each)
    assert load(folder) == [last]
    assert oct((folder / FILE).stat().st_mode & 0o777) == "0o600"


def test_half_a_line_is_cut_off_by_the_next_vote_and_a_bad_one_told(tmp_path: Path) -> None:
    append(tmp_path / FILE, vote("a"))
    with (tmp_path / FILE).open("a") as file:
        file.write('{"id": "half", "filters": {}')
    append(tmp_path / FILE, vote("b"))
    assert [each.id for each in load(tmp_path)] == ["a", "b"]
    with (tmp_path / FILE).open("a") as file:
        file.write('{"id": "x"}\n')
    with pytest.raises(InputError, match=rf"^{tmp_path / FILE}:3: .*$"):
        load(tmp_path)


def test_what_an_upvoted_answer_cites_is_right_and_a_downvoted_one_says_nothing_of_it() -> None:
    found = case(vote(reason="just so"))
    assert (found.answerable, found.type) == (True, "upvoted")
    assert found.papers == (MOSS.title, BOGS.title)
    assert [(e.paper, e.quote) for e in found.evidence] == [
        (MOSS.title, "We train Moss$^{2}$Net on 40 ferns."),
        (BOGS.title, "Bogs are wet."),
    ]
    assert found.nuggets == (("Moss²Net", "40"),), "the other sentence has no number and no name"
    assert "just so" in str(found.note)
    assert case(vote(question="Is Moss²Net trained on 40 ferns?")).nuggets == ()
    down = case(vote(way="down", reason="not the paper"))
    assert (down.type, down.papers, down.evidence, down.nuggets) == ("downvoted", (), (), ())
    assert "not the paper" in str(down.note)
    assert "Counting Bogs" in str(down.note)


def test_a_refusal_is_a_case_unless_filters_may_have_caused_it() -> None:
    assert not case(vote(of=REFUSAL)).answerable
    assert case(vote(way="down", of=REFUSAL)).answerable
    assert not is_case(vote(of=REFUSAL, filters=Filters(title="moss")))
    assert is_case(vote(filters=Filters(title="moss")))
    assert "moss" in str(case(vote(filters=Filters(title="moss"))).note)


def battle(
    id_: object, left: str, right: str, winner: feedback.Winner | None = "left"
) -> feedback.Vote:
    return feedback.Vote(
        id=str(id_), at=NOW, question="Who?", left=left, right=right, winner=winner, index="i1"
    )


def standings(*results: tuple[str, str, feedback.Winner, int]) -> dict[str, feedback.Standing]:
    votes = [
        battle(f"{row}-{n}", left, right, winner)
        for row, (left, right, winner, times) in enumerate(results)
        for n in range(times)
    ]
    return {standing.name: standing for standing in feedback.scores(votes)}


def test_ten_times_the_odds_are_four_hundred_points_and_a_tie_is_half_a_win_of_each() -> None:
    found = standings(("a", "b", "left", 2000), ("a", "b", "right", 200))
    assert found["a"].score - found["b"].score == pytest.approx(feedback.SCALE, abs=2)
    assert (found["a"].score + found["b"].score) / 2 == pytest.approx(feedback.MIDDLE)
    tied = standings(("a", "b", "tie", 3), ("b", "a", "both bad", 4))
    assert tied["a"].score == pytest.approx(tied["b"].score) == pytest.approx(feedback.MIDDLE)
    assert (tied["a"].battles, tied["a"].wins, tied["a"].ties, tied["a"].losses) == (7, 0, 7, 0)


def test_a_battle_has_one_vote_which_can_be_taken_back_and_given_anew(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    for winner in ("left", "right", None):
        append(path, battle(1, "a", "b", winner))
    assert feedback.read_votes(path) == []
    append(path, battle(1, "a", "b", "left"))
    with path.open("a") as file:  # as earlier versions took it back
        file.write('{"withdrawn": "1", "at": "2025-03-14T09:00:00Z"}\n')
    assert feedback.read_votes(path) == []
    append(path, battle(1, "a", "b", "tie"))
    assert [each.winner for each in feedback.read_votes(path)] == ["tie"]
