from pathlib import Path

from recording import recorded

from eval.leaderboard import abstention_table, against_first, board

IDS = [f"q{number}" for number in range(1, 21)]


def ranking(*missed: str) -> dict[str, float | None]:
    return {id_: float(id_ not in missed) for id_ in IDS}


def test_systems_are_rows_with_intervals_the_best_in_bold_and_p_against_the_first(
    tmp_path: Path,
) -> None:
    ours = recorded(tmp_path / "a", {"nDCG@10": ranking("q1")}, kind="retrieval")
    peer = recorded(
        tmp_path / "b", {"nDCG@10": ranking(*IDS[:12])}, kind="retrieval", system="peer"
    )
    head, _, first, second = board([ours, peer]).splitlines()
    assert head.split("|")[1].strip() == "system"
    assert "| ours" in first
    assert "**.950 [" in first
    assert ".400 [" in second
    assert "**" not in second
    none, p = against_first([ours, peer], "nDCG@10")
    assert none is None
    assert p is not None
    assert p < 0.01
    assert f"{p:.3f}".lstrip("0") in second


def test_refusals_are_counted_by_type_and_needless_ones_apart(tmp_path: Path) -> None:
    run = recorded(
        tmp_path / "a",
        {"refused": {"q1": 1.0, "q2": 0.0, "q3": 1.0, "q4": 1.0, "q5": 0.0}},
        types={"q1": "near-miss", "q2": "near-miss", "q3": "off-topic"},
        unanswerable=frozenset({"q1", "q2", "q3"}),
        metrics={"answers": {"abstention": {"precision": 2 / 3, "recall": 2 / 3}}},
    )
    head, _, row = abstention_table([run]).splitlines()
    assert [cell.strip() for cell in head.split("|")[2:5]] == [
        "near-miss refused",
        "off-topic refused",
        "answerable refused",
    ]
    assert [cell.strip() for cell in row.split("|")[2:5]] == ["1 of 2", "1 of 1", "1 of 2"]
