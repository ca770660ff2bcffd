"""Does a text support a claim? The checkers of `rag.support`, each as a measure asks it."""

from collections.abc import Sequence
from typing import Protocol

from eval.runs import public_name
from index import minilm
from index.encoder import Encoder, LocalEncoder
from rag.chat import ChatError, Complete, Message, ReplyError
from rag.support import Checker, Verdict, check
from rag.support.asking import JudgeChecker, NliChecker
from rag.support.local import LocalChecker


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

    def score(self, claim: str, premises: Sequence[str]) -> float | None:
        """How sure it is that they do, from 0 to 1; None if it does not say."""


class CheckerSupport:
    """A checker of `rag.support`: only what it calls supported counts, and not what it does partly.

    What it said of a claim and its premises is kept, so nothing is computed or asked twice.
    """

    def __init__(self, checker: Checker) -> None:
        """Take the checker, which has its name in reports."""
        self.name = checker.name
        self.unreadable = 0
        """Claims that it left unchecked, though there was something to check them against."""
        self._checker = checker
        self._said: dict[tuple[str, tuple[str, ...]], Verdict] = {}

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        """Whether the checker finds the claim supported."""
        return self._verdict(claim, premises).support == "supported"

    def score(self, claim: str, premises: Sequence[str]) -> float | None:
        """The checker's score."""
        return self._verdict(claim, premises).score

    def _verdict(self, claim: str, premises: Sequence[str]) -> Verdict:
        asked = (claim, tuple(premises))
        if asked not in self._said:
            said = self._said[asked] = self._checker.check(*asked)
            self.unreadable += bool(premises) and said.support == "unchecked"
        return self._said[asked]


class LocalSupport(CheckerSupport):
    """The product's own checker, `rag.support.local`; every sentence of a claim has to hold."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        """Check with an encoder, by default the bundled one."""
        super().__init__(LocalChecker(encoder or _bundled()))


def _bundled() -> Encoder:
    return LocalEncoder.open(minilm.NAME)


class _Verbatim:
    name = "verbatim"

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        return Verdict(*check(sentence, cited))


class VerbatimSupport(CheckerSupport):
    """A claim must stand word for word in one of the premises.

    Strict for a system that rewords: what it paraphrases counts as unsupported.
    """

    def __init__(self) -> None:
        super().__init__(_Verbatim())


class NliSupport(CheckerSupport):
    """A cross-encoder for natural language inference: its likeliest label must be entailment."""

    def __init__(self, model: str) -> None:
        """Name the model, a folder or an id of the Hugging Face hub; it is loaded when asked.

        Asking raises `InputError` if it cannot be loaded or is no model of inference.
        """
        super().__init__(NliChecker(model))
        self.name = f"nli {public_name(model)}"


class _Judge(JudgeChecker):
    """The judge of the product that stops where no model can be asked, and measures nothing."""

    def __init__(self, complete: Complete, name: str) -> None:
        def replying(messages: list[Message]) -> str:
            try:
                return complete(messages)
            except ReplyError:
                return ""

        super().__init__(replying, name)

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        verdict = super().check(sentence, cited)
        if self.problem and "could not be asked" in self.problem:
            raise ChatError(self.problem)
        return verdict


class JudgeSupport(CheckerSupport):
    """A chat model that is asked yes or no; one that cannot be asked raises `ChatError`."""

    def __init__(self, complete: Complete, model: str) -> None:
        """Take the model as a function, and its name for the report."""
        super().__init__(_Judge(complete, public_name(model)))
