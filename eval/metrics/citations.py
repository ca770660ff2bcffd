"""Citation recall and precision as in ALCE: does what a sentence cites support it?

Gao, Yen, Yu & Chen 2023, "Enabling large language models to generate text with citations", and the
authors' code. Whether a text supports a claim is decided by an `eval.support.Supports`, so a
figure means something only beside its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.support import Supports
from rag.schema import Answer, AnswerSentence


@dataclass(frozen=True, slots=True)
class Alce:
    """How the sentences of one answer are cited, in numbers."""

    sentences: int
    cited: int
    """Sentences that cite something."""
    supported: int
    """Sentences that all they cite, taken together, supports."""
    citations: int
    precise: int
    """Citations of supported sentences that are not irrelevant."""

    @property
    def recall(self) -> float:
        """Supported sentences / sentences, in [0, 1]."""
        return self.supported / self.sentences

    @property
    def precision(self) -> float:
        """Precise citations / citations, in [0, 1]; 0 where nothing is cited, as in ALCE's code."""
        return self.precise / self.citations if self.citations else 0.0


def alce(answer: Answer, supports: Supports) -> Alce | None:
    """Measure the citations of an answer; None if it is a refusal or has no sentences.

    - A sentence counts for recall if it cites at least one passage and the passages it cites, in
      one text, support it.
    - A citation is precise if its sentence counts for recall and it is not irrelevant: irrelevant
      is one that alone does not support the sentence while the others without it do.

    A sentence that cites nothing lowers recall, whatever it says. Our own sentences that count
    papers of the index are such: they rest on no passage, and an exception for them would be one
    for every sentence that leaves out its citation.

    Sentences are those of the answer's own schema, not cut anew, and a passage is the stretch of
    an abstract that is cited, under the title of its paper, as ALCE shows its documents to the
    checker. All citations of a sentence count; ALCE's code looks at the first three.
    """
    if answer.status != "answered" or not answer.sentences:
        return None
    found = [_judge(sentence, answer, supports) for sentence in answer.sentences]
    return Alce(
        sentences=len(found),
        cited=sum(citations > 0 for citations, _ in found),
        supported=sum(precise is not None for _, precise in found),
        citations=sum(citations for citations, _ in found),
        precise=sum(precise or 0 for _, precise in found),
    )


def _judge(sentence: AnswerSentence, answer: Answer, supports: Supports) -> tuple[int, int | None]:
    """How many passages a sentence cites, and how many precisely; None if not supported."""
    passages = cited_passages(sentence, answer)
    if not passages or not supports(sentence.text, passages):
        return len(passages), None
    if len(passages) == 1:
        return 1, 1
    precise = 0
    for number, passage in enumerate(passages):
        others = [*passages[:number], *passages[number + 1 :]]
        precise += supports(sentence.text, [passage]) or not supports(sentence.text, others)
    return len(passages), precise


def cited_passages(sentence: AnswerSentence, answer: Answer) -> Sequence[str]:
    """The stretches that a sentence cites, each once, under the titles of their papers."""
    papers = {reference.number: reference.paper for reference in answer.references}
    return [
        f"Title: {papers[at.reference].title}\n{papers[at.reference].abstract[at.start : at.end]}"
        for at in dict.fromkeys(sentence.citations)
    ]
