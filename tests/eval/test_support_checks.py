from pathlib import Path

import pytest

from eval.support import JudgeSupport, NliSupport, Supports, VerbatimSupport
from index.errors import InputError


def test_the_products_checker_wants_the_words_of_one_premise() -> None:
    support: Supports = VerbatimSupport()
    assert support.name == "verbatim"
    assert support("Bogs are wet", ["Ferns vary.", "All bogs are  wet in May."])
    assert not support("Bogs are dry", ["Bogs are wet."])
    assert not support("vary bogs", ["Ferns vary.", "Bogs are wet."])
    assert not support("Bogs are wet", [])


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "bogs", "are", "wet", "dry", "ferns", "vary"]


def tiny_nli(folder: Path, labels: list[str], always: int = 0) -> Path:
    """A BERT of a few thousand numbers whose classifier gives the label `always`."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.eye(len(labels))[always])
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("labels", "always", "supported"),
    [
        (["contradiction", "entailment", "neutral"], 1, True),
        (["contradiction", "entailment", "neutral"], 0, False),
        (["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], 1, False),
        (["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], 0, True),
        (["entailment", "not_entailment"], 0, True),
        (["entailment", "not_entailment"], 1, False),
    ],
)
def test_a_cross_encoder_supports_what_it_says_is_entailed_in_its_own_order_of_labels(
    tmp_path: Path, labels: list[str], always: int, supported: bool
) -> None:
    support: Supports = NliSupport(str(tiny_nli(tmp_path / "tiny", labels, always)))
    assert support.name == "nli tiny"
    assert support("bogs are wet", ["bogs are wet", "ferns vary"]) is supported


def test_premises_longer_than_the_model_can_read_are_cut(tmp_path: Path) -> None:
    support = NliSupport(str(tiny_nli(tmp_path / "tiny", ["entailment", "neutral"])))
    assert support("bogs are wet", ["ferns vary are bogs dry " * 50])


def test_a_model_without_entailment_or_no_model_at_all_is_said_in_one_line(tmp_path: Path) -> None:
    sentiment = NliSupport(str(tiny_nli(tmp_path / "other", ["good", "bad"])))
    with pytest.raises(InputError, match="has the labels good, bad, and not one for entailment"):
        sentiment("bogs are wet", ["bogs are wet"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="cannot load the NLI model") as error:
        NliSupport(str(tmp_path / "empty"))("bogs are wet", ["bogs are wet"])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("reply", "supported", "unreadable"),
    [
        ("yes", True, 0),
        ("**Yes**, they do.", True, 0),
        ("No. Yes would be wrong.", False, 0),
        ("Perhaps yes", False, 1),
        ("", False, 1),
        ("42", False, 1),
    ],
)
def test_a_judge_must_begin_with_yes_and_nonsense_is_counted(
    reply: str, supported: bool, unreadable: int
) -> None:
    judge = JudgeSupport(lambda messages: reply, "some-model")
    assert judge("Bogs are wet.", ["Bogs are wet."]) is supported
    assert judge.unreadable == unreadable


def test_a_judge_sees_the_claim_and_every_premise_and_is_asked_once() -> None:
    asked: list[list[dict[str, str]]] = []

    def complete(messages: list[dict[str, str]]) -> str:
        asked.append(messages)
        return "yes"

    judge: Supports = JudgeSupport(complete, "some-model")
    assert judge("Bogs {are} wet.", ["Bogs are wet.", "Ferns vary."])
    assert judge("Bogs {are} wet.", ["Bogs are wet.", "Ferns vary."])
    assert judge.name == "judge some-model"
    ((system, user),) = asked
    assert (system["role"], user["role"]) == ("system", "user")
    for text in ("Bogs {are} wet.", "Bogs are wet.", "Ferns vary."):
        assert text in user["content"]
