from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tiny_nli import tiny_nli

from index.errors import InputError
from rag.support import UNCHECKED, Checker
from rag.support.asking import NliChecker

THREE = ["contradiction", "entailment", "neutral"]


@pytest.mark.parametrize(
    ("labels", "logits", "support", "reason"),
    [
        (THREE, [0, 3, 0], "supported", None),
        (THREE, [3, 0, 0], "unsupported", "contradicts"),
        (THREE, [0, 0, 3], "unsupported", "does not say it"),
        (THREE, [0, 2.9, 3], "partly", "may not say all of it"),
        (["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], [0, 3, 0], "unsupported", "does not say it"),
        (["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], [3, 0, 0], "supported", None),
        (["entailment", "not_entailment"], [1, 0], "supported", None),
        (["entailment", "not_entailment"], [0, 1], "unsupported", "does not say it"),
    ],
)
def test_the_likeliest_label_decides_in_the_models_own_order(
    tmp_path: Path, labels: list[str], logits: list[float], support: str, reason: str | None
) -> None:
    checker: Checker = NliChecker(str(tiny_nli(tmp_path / "tiny", labels, logits)))
    found = checker.check("bogs are wet", ["bogs are wet", "ferns vary"])
    assert found.support == support
    assert found.score is not None
    assert 0 <= found.score <= 1
    assert (found.reason is None) if reason is None else (reason in (found.reason or ""))


def test_the_score_is_the_probability_of_entailment(tmp_path: Path) -> None:
    checker = NliChecker(str(tiny_nli(tmp_path / "tiny", THREE, [0, 1, 0])))
    assert checker.check("bogs are wet", ["ferns vary"]).score == pytest.approx(0.576, abs=0.001)


def test_what_cites_nothing_is_unchecked_and_loads_nothing() -> None:
    assert NliChecker("no/such-model").check("bogs are wet", []) == UNCHECKED


def test_threads_can_share_a_checker(tmp_path: Path) -> None:
    checker = NliChecker(str(tiny_nli(tmp_path / "tiny", THREE, [0, 3, 0])))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: checker.check("bogs " * n, ["ferns vary"]), range(1, 40)))
    assert {verdict.support for verdict in found} == {"supported"}


def test_a_model_without_entailment_or_no_model_at_all_is_said_in_one_line(tmp_path: Path) -> None:
    sentiment = NliChecker(str(tiny_nli(tmp_path / "other", ["good", "bad"], [1, 0])))
    with pytest.raises(InputError, match="has the labels good, bad, and not one for entailment"):
        sentiment.check("bogs are wet", ["bogs are wet"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="cannot load the NLI model") as error:
        NliChecker(str(tmp_path / "empty")).check("bogs are wet", ["bogs are wet"])
    assert "\n" not in str(error.value)
