from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from eval.feedback import MIDDLE, SCALE, Standing, Vote, Winner, append, read_votes, scores
from eval.statistics import bootstrap_mean, compare, holm


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draws = np.random.default_rng(2).random((100, 60)) < 0.9
    found = [bootstrap_mean(draw.astype(float)) for draw in draws]
    held = sum(each is not None and each.low <= 0.9 <= each.high for each in found)
    assert 0.88 <= held / 100 <= 0.99


def test_p_is_the_share_of_all_ways_to_flip_signs_that_are_as_extreme() -> None:
    gains = [0.5, 0.25, -0.125, 1.0, 0.75, 0.0]
    names = "abcdef"
    found = compare(dict.fromkeys(names, 0.0), dict(zip(names, gains, strict=True)))
    flips = [np.dot(signs, gains) for signs in product([1, -1], repeat=len(gains))]
    as_extreme = sum(flip >= sum(gains) - 1e-12 for flip in flips)
    assert found is not None
    assert found.p == pytest.approx(2 * as_extreme / len(flips))
    corrected = holm({"x": 0.03, "y": 0.01, "z": 0.04, "w": 0.9})
    assert corrected == pytest.approx({"y": 0.04, "x": 0.09, "z": 0.09, "w": 0.9})


NOW = datetime(2025, 3, 14, 9, tzinfo=UTC)


def vote(id_: object, left: str, right: str, winner: Winner | None = "left") -> Vote:
    return Vote(
        id=str(id_), at=NOW, question="Who?", left=left, right=right, winner=winner, index="i1"
    )


def standings(*results: tuple[str, str, Winner, int]) -> dict[str, Standing]:
    votes = [
        vote(f"{row}-{n}", left, right, winner)
        for row, (left, right, winner, times) in enumerate(results)
        for n in range(times)
    ]
    return {standing.name: standing for standing in scores(votes)}


def test_ten_times_the_odds_are_four_hundred_points_and_a_tie_is_half_a_win_of_each() -> None:
    found = standings(("a", "b", "left", 2000), ("a", "b", "right", 200))
    assert found["a"].score - found["b"].score == pytest.approx(SCALE, abs=2)
    assert (found["a"].score + found["b"].score) / 2 == pytest.approx(MIDDLE)
    tied = standings(("a", "b", "tie", 3), ("b", "a", "both bad", 4))
    assert tied["a"].score == pytest.approx(tied["b"].score) == pytest.approx(MIDDLE)
    assert (tied["a"].battles, tied["a"].wins, tied["a"].ties, tied["a"].losses) == (7, 0, 7, 0)


def test_a_battle_has_one_vote_which_can_be_taken_back_and_given_anew(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    for winner in ("left", "right", None):
        append(path, vote(1, "a", "b", winner))
    assert read_votes(path) == []
    append(path, vote(1, "a", "b", "left"))
    with path.open("a") as file:  # as earlier versions took it back
        file.write('{"withdrawn": "1", "at": "2025-03-14T09:00:00Z"}\n')
    assert read_votes(path) == []
    append(path, vote(1, "a", "b", "tie"))
    assert [each.winner for each in read_votes(path)] == ["tie"]
