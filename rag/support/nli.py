"""The check of a citation by a model of natural language inference that the user names."""

import re
from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from index.errors import InputError
from rag.support.verdict import UNCHECKED, Verdict

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_ENTAILS = re.compile(r"entail", re.IGNORECASE)
_CONTRADICTS = re.compile(r"contra", re.IGNORECASE)


class NliChecker:
    """A cross-encoder that reads the cited texts as premise and the sentence as hypothesis.

    Entailment is "supported" and contradiction "unsupported". Where neither is the likeliest, the
    sentence is "partly" supported if entailment is likelier than by chance among the labels.
    The score is the probability of entailment.
    """

    def __init__(self, model: str) -> None:
        """Name the model; it is loaded when it is first asked.

        Args:
            model: A folder, or an id of the Hugging Face hub such as
                `cross-encoder/nli-deberta-v3-small`.
        """
        self.name = f"nli {model}"
        self._model = model
        self._lock = Lock()

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        """Check one sentence against the texts it cites, one a line.

        The tokenizer cuts the end of texts that are longer than the model can read.

        Raises:
            InputError: the model cannot be loaded, or does not say which label is entailment.
        """
        if not cited:
            return UNCHECKED
        # One at a time: a tokenizer fails where two threads set how it cuts.
        with self._lock:
            model, labels = self._loaded
            found = model.predict([("\n".join(cited), sentence)], apply_softmax=True)
        shares = np.asarray(found, dtype=np.float64)[0]
        likeliest = labels[int(shares.argmax())]
        entailed = float(np.clip(shares[_entailment(labels)], 0, 1))
        if _ENTAILS.match(likeliest):
            return Verdict("supported", entailed)
        if _CONTRADICTS.match(likeliest):
            return Verdict("unsupported", entailed, "what it cites contradicts it")
        if entailed > 1 / len(labels):
            return Verdict("partly", entailed, "what it cites may not say all of it")
        return Verdict("unsupported", entailed, "what it cites does not say it")

    def check_all(self, sentences: Sequence[str], cited: Sequence[Sequence[str]]) -> list[Verdict]:
        """Check sentences, each against the texts it cites."""
        return [self.check(one, texts) for one, texts in zip(sentences, cited, strict=True)]

    @cached_property
    def _loaded(self) -> tuple["CrossEncoder", list[str]]:
        """The model and its labels, in their order."""
        # Imported here: it brings torch and takes 5-10 s.
        from sentence_transformers import CrossEncoder

        try:
            model = CrossEncoder(self._model)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise InputError(
                f"cannot load the NLI model {self._model!r} ({reason}): give the folder or the "
                "hub id of a cross-encoder"
            ) from error
        named: dict[int, str] = model.config.id2label
        labels = [named[number] for number in sorted(named)]
        if len(_entailments(labels)) != 1:
            raise InputError(
                f"the model {self._model!r} has the labels {', '.join(labels)}, and not "
                "one for entailment: give a model trained on natural language inference"
            )
        return model, labels


def _entailments(labels: Sequence[str]) -> list[int]:
    return [number for number, label in enumerate(labels) if _ENTAILS.match(label)]


def _entailment(labels: Sequence[str]) -> int:
    (number,) = _entailments(labels)
    return number
