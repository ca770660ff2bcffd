"""Fitting the check of citations: how it is measured, and that the product has what was found."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.calibrate_support import calibrate_support, held_out, run
from eval.datasets import Claim
from eval.support_calibration import Calibration, as_json, calibration_text
from eval.support_examples import look_at_claims, look_at_edits
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag.support.fitted import FITTED
from rag.support.local import LocalChecker

FACTS = [
    ("MindSearch searches the web", "MindSearch is a framework that searches the web in parallel."),
    ("agents recover from errors", "We show that agents recover from errors by planning again."),
    ("the cost of training falls", "Sharing weights means that the cost of training falls."),
    ("heads keep the memory", "Some attention heads keep the memory of long documents."),
    ("robots read reminders", "In homes, robots read reminders that users leave for them."),
    (
        "judges prefer long texts",
        "Studies of bias say that judges prefer long texts to short ones.",
    ),
]


def claims(facts: Sequence[tuple[str, str]] = FACTS) -> list[Claim]:
    """Each fact with its own text, and with that of the other of its pair."""
    return [
        Claim(id=f"{row}-{off}", claim=f"It is said that {fact}.", label=label, evidence=text)
        for row, (fact, _) in enumerate(facts)
        for off, label in ((0, "supported"), (1, "not_supported"))
        for text in [facts[row ^ off][1]]
    ]


@pytest.fixture(scope="module")
def checker(encoder: SentenceEncoder) -> LocalChecker:
    return LocalChecker(encoder)


@pytest.fixture(scope="module")
def small(encoder: SentenceEncoder) -> Calibration:
    sentences = [text for _, text in FACTS]
    sets = {"facts": claims(), "half": claims(FACTS[:4])}
    return calibrate_support(sets, sentences, encoder, folds=2)


def test_it_tells_facts_of_a_text_from_those_of_another(small: Calibration) -> None:
    figures = small.sets["half"]
    assert (figures.claims, figures.supported) == (8, 4)
    assert figures.now == 1
    assert figures.unseen == 1
    assert small.supported.precision >= 0.9
    assert small.supported.threshold >= small.partly.threshold


def test_its_text_has_every_set_edit_and_coefficient(small: Calibration) -> None:
    text = calibration_text(small)
    assert {"facts", "half", "opposed", "shift"} <= set(text.replace("|", " ").split())
    for passed in small.edits:
        assert passed.kind in text
        assert passed.supported + passed.partly <= 1


def test_programs_get_the_same_figures(small: Calibration) -> None:
    found = json.loads(json.dumps(as_json(small)))
    assert found["sets"]["half"]["now"] == 1
    assert found["model"]["weights"] == dict(small.model.weights)
    assert found["model"]["supported"]["threshold"] == small.supported.threshold
    assert {each["kind"] for each in found["edits"]} == {each.kind for each in small.edits}


def test_one_label_alone_is_refused(encoder: SentenceEncoder) -> None:
    alone = [claim for claim in claims() if claim.label == "supported"]
    with pytest.raises(InputError, match="alone: claims of both labels"):
        calibrate_support({"alone": alone}, [], encoder)


def test_claims_that_share_a_text_are_in_one_group(checker: LocalChecker) -> None:
    apart = [claim for claim in claims() if claim.label == "supported"]
    assert len({each.group for each in look_at_claims(apart, checker)}) == len(FACTS)
    assert len({each.group for each in look_at_claims(claims(), checker)}) == len(FACTS) / 2


def test_edits_are_labelled_by_what_they_do(checker: LocalChecker) -> None:
    examples = look_at_edits(["We propose a tool that reduces the cost of 40 agents."], checker)
    labels = {each.kind: each.supported for each in examples}
    assert labels["number"] is False
    assert labels["opposite"] is False
    assert labels["passive"] is True


def test_the_name_of_another_paper_is_checked_beside_its_sentence(checker: LocalChecker) -> None:
    said = ["MindSearch searches the web in parallel.", "WebPlanner splits questions into parts."]
    (found, back) = [each for each in look_at_edits(said, checker) if each.kind == "another paper"]
    assert not found.supported
    assert found.found[0].missing_names == back.found[0].missing_names == ()


def test_too_few_claims_apart_are_refused(encoder: SentenceEncoder) -> None:
    with pytest.raises(InputError, match="few: 5 claims or more"):
        calibrate_support({"few": claims()}, [], encoder)


def test_held_out_verdicts_repeat_themselves(checker: LocalChecker) -> None:
    sets = {
        name: look_at_claims(claims(part), checker)
        for name, part in (("a", FACTS[:4]), ("b", FACTS[2:]))
    }
    assert held_out(sets, 2, 1) == held_out(sets, 2, 1)
    assert held_out(sets, 2, 1) != held_out(sets, 2, 3)


@pytest.fixture(scope="module")
def found(shared: Path, encoder: SentenceEncoder) -> Calibration:
    folder = shared / "faithfulness"
    files = [folder / "scifact_claims.jsonl", folder / "ragtruth_qa.jsonl"]
    return run(files, shared / "questions" / "dev.jsonl", encoder)


@pytest.mark.slow
def test_the_product_has_the_coefficients_that_the_fit_gives(found: Calibration) -> None:
    assert dict(FITTED.weights) == pytest.approx(dict(found.model.weights), abs=0.02)
    assert (FITTED.bias, FITTED.shift) == pytest.approx(
        (found.model.bias, found.model.shift), abs=0.02
    )
    assert (FITTED.supported, FITTED.partly) == pytest.approx(
        (found.model.supported, found.model.partly), abs=0.02
    )


@pytest.mark.slow
def test_supported_claims_are_told_from_others_where_nothing_was_fitted(
    found: Calibration,
) -> None:
    assert found.sets["scifact_claims"].folds.mean >= 0.79
    assert found.sets["ragtruth_qa"].folds.mean >= 0.75
    assert found.supported.precision >= 0.9
    assert found.supported.recall >= 0.4


@pytest.mark.slow
def test_false_edits_do_not_pass_and_rewordings_do(found: Calibration) -> None:
    def share(*, true: bool, partly: bool) -> float:
        kinds = [each for each in found.edits if each.true is true and each.kind != "another paper"]
        passed = [each.supported + (each.partly if partly else 0) for each in kinds]
        return float(np.average(passed, weights=[each.edits for each in kinds]))

    # Whose name stands there is seen in part only: the kind has a bound of its own.
    false = {each.kind: each for each in found.edits if not each.true}
    assert false.pop("another paper").supported <= 0.45
    assert sum(each.edits for each in false.values()) >= 200
    assert max(each.supported for each in false.values()) <= 0.1
    assert share(true=False, partly=False) <= 0.02
    assert share(true=True, partly=True) >= 0.85
