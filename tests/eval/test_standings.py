import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from eval.standings import (
    MIDDLE,
    SCALE,
    Standing,
    Vote,
    Winner,
    add_vote,
    groups,
    read_votes,
    scores,
    strengths,
    withdraw_vote,
)
from index.errors import InputError

NOW = datetime(2025, 3, 14, 9, tzinfo=UTC)


def vote(id_: object, left: str, right: str, winner: Winner = "left") -> Vote:
    return Vote(
        id=str(id_), at=NOW, question="Who?", left=left, right=right, winner=winner, index="i1"
    )


def votes(*results: tuple[str, str, Winner, int]) -> list[Vote]:
    return [
        vote(f"{row}-{n}", left, right, winner)
        for row, (left, right, winner, times) in enumerate(results)
        for n in range(times)
    ]


def by_name(standings: Iterable[Standing]) -> dict[str, Standing]:
    return {standing.name: standing for standing in standings}


def test_the_strengths_of_three_are_those_that_the_likelihood_equations_have() -> None:
    won = np.array([[0.0, 8.0, 9.0], [2.0, 0.0, 7.0], [1.0, 3.0, 0.0]])
    found = np.exp(strengths(won, prior=1e-9)[0])
    met = won + won.T
    expected = (met * found[:, None] / (found[:, None] + found[None, :])).sum(axis=1)
    assert won.sum(axis=1) == pytest.approx(expected, abs=1e-6)


def test_ten_times_the_odds_are_four_hundred_points_and_a_tie_is_half_a_win_of_each() -> None:
    found = by_name(scores(votes(("a", "b", "left", 2000), ("a", "b", "right", 200))))
    assert found["a"].score - found["b"].score == pytest.approx(SCALE, abs=2)
    assert (found["a"].score + found["b"].score) / 2 == pytest.approx(MIDDLE)
    tied = by_name(scores(votes(("a", "b", "tie", 3), ("b", "a", "both bad", 4))))
    assert tied["a"].score == pytest.approx(tied["b"].score) == pytest.approx(MIDDLE)
    assert (tied["a"].battles, tied["a"].wins, tied["a"].ties, tied["a"].losses) == (7, 0, 7, 0)


def test_who_was_never_in_one_chain_of_battles_is_in_another_group() -> None:
    given = votes(("a", "b", "left", 2), ("c", "d", "left", 2))
    assert groups(given) == (frozenset("ab"), frozenset("cd"))
    assert groups([*given, vote("x", "b", "c")]) == (frozenset("abcd"),)
    assert groups([]) == ()
    found = by_name(scores(given))
    assert found["a"].score == pytest.approx(found["c"].score)


def test_a_battle_has_one_vote_which_can_be_taken_back_and_given_anew(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    add_vote(path, vote(1, "a", "b"))
    with pytest.raises(InputError, match="has been voted on"):
        add_vote(path, vote(1, "a", "b", "right"))
    withdraw_vote(path, "1", NOW)
    assert read_votes(path) == ()
    with pytest.raises(InputError, match="no such vote"):
        withdraw_vote(path, "1", NOW)
    add_vote(path, vote(1, "a", "b", "tie"))
    assert [each.winner for each in read_votes(path)] == ["tie"]
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        (json.dumps({"id": "2"}), "field at: Field required"),
        (vote(2, "a", "a").model_dump_json(), "'a' against itself"),
        (vote(1, "a", "b").model_dump_json(), "stands twice"),
    ],
)
def test_a_line_that_is_no_vote_is_refused_with_its_number(
    tmp_path: Path, line: str, said: str
) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text(f"{vote(1, 'a', 'b').model_dump_json()}\n{line}\n")
    with pytest.raises(InputError, match=rf"votes\.jsonl:2: .*{said}"):
        add_vote(path, vote(3, "a", "b"))
