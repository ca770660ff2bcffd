"""Does a text support a claim? Three that can be asked, each with the name it has in a report."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from eval.runs import public_name
from index.errors import InputError
from rag.chat import Complete, ReplyError
from rag.support import check

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_ENTAILS = re.compile(r"entail", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")

_SYSTEM = (
    "You check citations. You are given passages and one claim. Decide from the passages alone, "
    "not from what you know, whether they support all of the claim. "
    "Answer with one word: yes or no."
)
_ASK = "<passages>\n{passages}\n</passages>\n\n<claim>\n{claim}\n</claim>\n\nSupported, yes or no?"


class Supports(Protocol):
    """What decides whether texts, read together, support a claim."""

    @property
    def name(self) -> str:
        """What it is called in a report."""

    @property
    def unreadable(self) -> int:
        """How often it gave no verdict; that counted as unsupported."""

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        """Whether the premises, taken together, support all of the claim."""


class VerbatimSupport:
    """The product's own checker: a claim must stand word for word in one of the premises.

    Strict for a system that rewords: what it paraphrases counts as unsupported.
    """

    name = "verbatim"
    unreadable = 0

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        """Whether `rag.support.check` finds the claim supported."""
        return check(claim, premises)[0] == "supported"


class NliSupport:
    """A cross-encoder for natural language inference: its likeliest label must be entailment.

    What it said of a claim and its premises is kept, so nothing is computed twice.
    """

    unreadable = 0

    def __init__(self, model: str) -> None:
        """Name the model; it is loaded when it is first asked.

        Args:
            model: A folder, or an id of the Hugging Face hub such as
                `cross-encoder/nli-deberta-v3-small`.
        """
        self.name = f"nli {public_name(model)}"
        self._model = model
        self._said: dict[tuple[str, str], bool] = {}

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        """Whether the premises, one a line, entail the claim.

        The tokenizer cuts the end of premises that are longer than the model can read.

        Raises:
            InputError: the model cannot be loaded, or does not say which label is entailment.
        """
        pair = ("\n".join(premises), claim)
        if pair not in self._said:
            model, entailment = self._loaded
            self._said[pair] = int(model.predict([pair])[0].argmax()) == entailment
        return self._said[pair]

    @cached_property
    def _loaded(self) -> tuple["CrossEncoder", int]:
        """The model, and which of its labels is entailment."""
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
        labels: dict[int, str] = model.config.id2label
        found = [number for number, label in labels.items() if _ENTAILS.match(label)]
        if len(found) != 1:
            raise InputError(
                f"the model {self._model!r} has the labels {', '.join(labels.values())}, and not "
                "one for entailment: give a model trained on natural language inference"
            )
        return model, found[0]


class JudgeSupport:
    """A chat model that is asked yes or no.

    What it said of a claim and its premises is kept, so nothing is asked twice.
    """

    def __init__(self, complete: Complete, model: str) -> None:
        """Take the model as a function, and its name for the report."""
        self.name = f"judge {public_name(model)}"
        self.unreadable = 0
        """Replies that began with neither yes nor no, or were none; they count as unsupported."""
        self._complete = complete
        self._said: dict[tuple[str, tuple[str, ...]], bool] = {}

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        """Whether the model's reply begins with yes."""
        asked = (claim, tuple(premises))
        if asked not in self._said:
            self._said[asked] = self._ask(claim, premises)
        return self._said[asked]

    def _ask(self, claim: str, premises: Sequence[str]) -> bool:
        passages = "\n\n".join(premises)
        try:
            reply = self._complete(
                [
                    {"role": "system", "content": _SYSTEM},
                    {"role": "user", "content": _ASK.format(passages=passages, claim=claim)},
                ]
            )
        except ReplyError:
            reply = ""
        word = _WORD.search(reply)
        said = word[0].casefold() if word else ""
        self.unreadable += said not in {"yes", "no"}
        return said == "yes"
