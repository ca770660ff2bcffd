"""The fit of the check of citations: what it learns from, and that it learns."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from eval.fitting.check import fit, labelled, look, scored
from eval.fitting.claims import EDITS, Example, made_examples
from index import sample
from index.papers import Paper
from index.readers import read

CLAIMS = Path(__file__).parent / "claims.jsonl"


@pytest.fixture(scope="module")
def papers() -> list[Paper]:
    files = sorted(Path(sample.__file__).parent.glob("*.txt"))
    return [each for each in read(files, year=2025) if isinstance(each, Paper)]


def test_claims_are_made_true_and_false_and_the_same_every_time(papers: list[Paper]) -> None:
    found = made_examples(papers, "sample", 30)
    assert found == made_examples(papers, "sample", 30)
    kinds = Counter(each.kind for each in found)
    assert {"reworded", "verbatim", "negation", "opposite", "name", "both", "addition"} <= {*kinds}
    assert 0.25 < sum(each.supported for each in found) / len(found) < 0.65
    for each in found:
        assert each.claim.strip()
        if each.kind == "verbatim":
            assert any(text.endswith(each.claim) for text in each.cited)
        if each.kind in EDITS:
            assert not any(text.endswith(f": {each.claim}") for text in each.cited)


def test_the_hand_written_claims_quote_the_sample(papers: list[Paper]) -> None:
    by_title = {paper.title: " ".join(paper.abstract.split()) for paper in papers}
    for line in CLAIMS.read_text(encoding="utf-8").splitlines():
        for at in json.loads(line)["evidence"]:
            assert " ".join(at["quote"].split()) in by_title[at["title"]]
    kinds = Counter(each.kind for each in labelled(CLAIMS, "sample"))
    assert kinds["paraphrase"] >= 50
    assert sum(count for kind, count in kinds.items() if kind != "p") >= 200


def test_a_network_learns_what_it_is_shown_and_reads_the_same_in_the_product() -> None:
    stored = "FooNet: FooNet reads an image in 3 ms and needs no labels."
    examples = [
        Example("FooNet reads an image in 3 ms.", (stored,), True, "reworded", "a"),
        Example("It needs no labels.", (stored,), True, "reworded", "a"),
        Example("FooNet reads an image in 9 ms.", (stored,), False, "number", "a"),
        Example("Bogs are wet in May.", (stored,), False, "stranger", "a"),
    ] * 30
    seen = look(examples)
    weights = fit(seen)
    found = [score for _, score in scored(weights, seen[:4])]
    assert min(found[:2]) > max(found[2:])
    again = [score for _, score in scored(fit(seen), seen[:4])]
    np.testing.assert_allclose(found, again, atol=1e-4)
