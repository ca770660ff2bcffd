from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from dataset_files import jsonl

from eval.datasets import load_claims
from index.errors import InputError

FLAT = {"id": "c1", "claim": "Moss grows.", "evidence": "It does.", "label": "supported"}
CLAIM = {
    "id": 7,
    "claim": "Moss grows.",
    "evidence": {
        "11": [{"sentences": [0], "label": "SUPPORT"}, {"sentences": [1], "label": "SUPPORT"}],
        "12": [{"sentences": [0], "label": "CONTRADICT"}],
    },
    "cited_doc_ids": [12, 11, 13],
}
CORPUS = [
    {"doc_id": number, "title": f"Title {number}.", "abstract": ["One. ", "Two."]}
    for number in (11, 12, 13)
]


def test_flat_claims_keep_what_the_file_says(tmp_path: Path) -> None:
    (claim,) = load_claims(jsonl(tmp_path / "claims.jsonl", {**FLAT, "question": "Does it?"}))
    assert claim.model_dump() == FLAT


def test_a_scifact_claim_is_paired_with_each_abstract_that_it_cites(tmp_path: Path) -> None:
    jsonl(tmp_path / "corpus.jsonl", *CORPUS)
    claims = load_claims(jsonl(tmp_path / "claims_dev.jsonl", CLAIM))
    assert {claim.id: claim.label for claim in claims} == {
        "7-12": "not_supported",
        "7-11": "supported",
        "7-13": "not_supported",
    }
    assert claims[1].evidence == "Title 11.\nOne. Two."


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({**FLAT, "label": "maybe"}, "claims.jsonl:2: field label"),
        ({**FLAT, "evidence": ""}, "claims.jsonl:2: field evidence"),
        (FLAT, "claims.jsonl:2: id 'c1' stands twice"),
    ],
)
def test_a_broken_flat_claim_is_refused_with_file_and_line(
    tmp_path: Path, second: Any, message: str
) -> None:
    with pytest.raises(InputError) as error:
        load_claims(jsonl(tmp_path / "claims.jsonl", FLAT, second))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({**CLAIM, "id": 8, "cited_doc_ids": [99]}, "claims.jsonl:2: document '99' is not in"),
        ({**CLAIM, "id": 8, "evidence": {"11": [{"label": "YES"}]}}, "field evidence.11.0.label"),
        (CLAIM, "claims.jsonl:2: id '7' stands twice"),
    ],
)
def test_a_broken_scifact_claim_is_refused_with_file_and_line(
    tmp_path: Path, second: Any, message: str
) -> None:
    jsonl(tmp_path / "corpus.jsonl", *CORPUS)
    with pytest.raises(InputError) as error:
        load_claims(jsonl(tmp_path / "claims.jsonl", CLAIM, second))
    assert message in str(error.value)


def test_scifact_claims_without_their_corpus_or_without_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*corpus.jsonl"):
        load_claims(jsonl(tmp_path / "claims_dev.jsonl", CLAIM))
    with pytest.raises(InputError, match=r"claims_test.jsonl:1: field "):
        load_claims(jsonl(tmp_path / "claims_test.jsonl", {"id": 7, "claim": "Moss grows."}))
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InputError, match="holds no records"):
        load_claims(tmp_path / "empty.jsonl")


@pytest.mark.parametrize(
    ("name", "supported", "not_supported"),
    [("scifact_claims", 370, 549), ("ragtruth_qa", 363, 57)],
)
def test_the_shared_claims_load_whole(
    shared: Path, name: str, supported: int, not_supported: int
) -> None:
    claims = load_claims(shared / "faithfulness" / f"{name}.jsonl")
    assert Counter(claim.label for claim in claims) == {
        "supported": supported,
        "not_supported": not_supported,
    }
