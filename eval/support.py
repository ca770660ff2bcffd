"""Does what an answer cites support it? The checkers of `rag.support`, and ALCE's two figures.

Gao, Yen, Yu & Chen 2023, "Enabling large language models to generate text with citations", and the
authors' code. A figure means something only beside the name of the checker that decided.
"""

from collections.abc import Sequence

from eval.runs import public_name
from index import minilm
from index.encoder import Encoder, LocalEncoder
from rag.chat import ChatError, Complete, Message, ReplyError
from rag.schema import Answer, AnswerSentence
from rag.support import Checker, JudgeChecker
from rag.support.local import LocalChecker


class Supports:
    """Whether texts, read together, support a claim, by a checker of `rag.support`.

    Only what the checker calls supported counts, and not what it does partly.
    """

    def __init__(self, checker: Checker, name: str | None = None) -> None:
        """Take the checker, and its name in reports if that is another than its own."""
        self.name = name or checker.name
        self.unreadable = 0
        """How often it gave no verdict; that counted as unsupported."""
        self._checker = checker

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        """Whether the checker finds the claim supported.

        Raises:
            ChatError: the checker is a chat model that cannot be asked.
        """
        support = self._checker.check(claim, premises).support
        problem: str | None = getattr(self._checker, "problem", None)
        if problem and "could not be asked" in problem:
            raise ChatError(problem)
        self.unreadable += bool(premises) and support == "unchecked"
        return support == "supported"


def local_support(encoder: Encoder | None = None) -> Supports:
    """Check by the product's own checker, `rag.support.local`, with the bundled encoder."""
    return Supports(LocalChecker(encoder or LocalEncoder.open(minilm.NAME)))


def judge_support(complete: Complete, model: str) -> Supports:
    """Check by a chat model, of this name in reports, that is asked yes or no."""
    return Supports(JudgeChecker(or_nothing(complete), public_name(model)))


def or_nothing(complete: Complete) -> Complete:
    """Ask a chat model, and take a reply that is refused for an empty one."""

    def ask(messages: list[Message]) -> str:
        try:
            return complete(messages)
        except ReplyError:
            return ""

    return ask


def alce(answer: Answer, supports: Supports) -> tuple[float, float] | None:
    """The recall and the precision of an answer's citations, in [0, 1]; None of a refusal.

    A sentence counts for recall if it cites something, and all it cites, in one text, supports it.
    A citation is precise if its sentence counts and it is not irrelevant: irrelevant is one that
    alone does not support the sentence while the others without it do. A passage is the stretch of
    an abstract that is cited, under the title of its paper, as ALCE shows documents to the checker.
    All citations of a sentence count; ALCE's code looks at the first three. Where nothing is cited
    precision is 0, as there.
    """
    if answer.status != "answered" or not answer.sentences:
        return None
    found = [_judge(sentence, answer, supports) for sentence in answer.sentences]
    citations = sum(cited for cited, _ in found)
    precise = sum(precise or 0 for _, precise in found)
    recall = sum(precise is not None for _, precise in found) / len(found)
    return recall, precise / citations if citations else 0.0


def _judge(sentence: AnswerSentence, answer: Answer, supports: Supports) -> tuple[int, int | None]:
    """How many passages a sentence cites, and how many precisely; None if not supported."""
    papers = {reference.number: reference.paper for reference in answer.references}
    passages = [
        f"Title: {papers[at.reference].title}\n{papers[at.reference].abstract[at.start : at.end]}"
        for at in dict.fromkeys(sentence.citations)
    ]
    if not passages or not supports(sentence.text, passages):
        return len(passages), None
    if len(passages) == 1:
        return 1, 1
    precise = 0
    for number, passage in enumerate(passages):
        others = [*passages[:number], *passages[number + 1 :]]
        precise += supports(sentence.text, [passage]) or not supports(sentence.text, others)
    return len(passages), precise
