"""What a chat model is shown, so that it writes a question for an abstract.

Promptagator's recipe (Dai et al. 2023, "Promptagator: few-shot dense retrieval from 8 examples"):
at most eight examples of the task, then an abstract of the user's own. Beside the question we ask
for its answer and the sentence that holds it, so that each can be checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.datasets import load_questions
from eval.metrics.spans import quote_span
from index.errors import InputError
from index.papers import Paper, letters
from index.text import clean_text
from rag.chat import Message

MOST_EXAMPLES = 8

# In this order a weak model asks for what is there, and does not put the answer into the question.
_TASK = """\
You write questions that a researcher asks of a collection of paper abstracts, to test a search \
tool. For each abstract choose one sentence that says what was done or found, and write a \
question about one detail in it.
- The reader sees neither title nor abstract: say in the question what it is about.
- Never write "this paper", "the study" or "the authors". Use your own words, not the title's.
- The question must not contain its answer.
Reply in three lines:
Sentence: the sentence of the abstract, copied word for word
Question: one question that the sentence answers
Answer: a few words, copied from the sentence"""


@dataclass(frozen=True, slots=True)
class Example:
    """An abstract with a question as it should be written."""

    title: str
    abstract: str
    question: str
    answer: str
    sentence: str


BUILT_IN = (
    Example(
        title="Quiet Hours: Scheduling Hearing-Aid Updates by Listening",
        abstract=(
            "Hearing aids should install updates when nobody speaks to their wearer. We train a "
            "small classifier on the device that predicts the next silent quarter of an hour "
            "from the sounds of the past day. In a field trial with 61 wearers it interrupted a "
            "conversation only twice in a month."
        ),
        question="How many people tried hearing aids that wait for silence before they update?",
        answer="61 wearers",
        sentence=(
            "In a field trial with 61 wearers it interrupted a conversation only twice in a month."
        ),
    ),
    Example(
        title="Counting Gulls with Fewer Labels",
        abstract=(
            "Surveys of seabird colonies rely on photographs in which every bird was marked by "
            "hand. GullCount learns from photographs with one number each, the total of birds. "
            "It does so by comparing crops of the same picture, whose counts must add up. On "
            "cliffs it has not seen, its error is half that of density maps."
        ),
        question=(
            "What lets a bird counter learn from photographs that were labelled with nothing but "
            "a total?"
        ),
        answer="comparing crops of the same picture",
        sentence=("It does so by comparing crops of the same picture, whose counts must add up."),
    ),
    Example(
        title="On the Limits of Rewriting Legal Text with Language Models",
        abstract=(
            "Plain-language versions of contracts are more and more written by language models. "
            "We compare 400 clauses with their rewritings and find that conditions are lost far "
            "more often than they are invented. The loss is worst in clauses with nested "
            "exceptions, and larger models do not reduce it."
        ),
        question="Where do models that simplify contracts leave out the most conditions?",
        answer="clauses with nested exceptions",
        sentence=(
            "The loss is worst in clauses with nested exceptions, and larger models do not reduce "
            "it."
        ),
    ),
)


def load_examples(path: Path, papers: Sequence[Paper]) -> tuple[Example, ...]:
    """The first `MOST_EXAMPLES` examples of a questions file, each about a paper of the index.

    Raises:
        InputError: the file is broken (the message has the line), or an example has no quote of
            an indexed paper or no nugget (the message has its id).
    """
    by_title = {letters(paper.title): paper for paper in papers}
    examples: list[Example] = []
    for question in load_questions(path)[:MOST_EXAMPLES]:
        evidence = next(iter(question.evidence), None)
        paper = by_title.get(letters(evidence.paper)) if evidence else None
        if evidence is None or paper is None or not question.nuggets:
            raise InputError(
                f"{path}: question {question.id!r} is no example: it needs a nugget, and as"
                " evidence a quote of a paper in the index"
            )
        if quote_span(evidence.quote, paper.abstract) is None:
            raise InputError(
                f"{path}: question {question.id!r}: its quote is not in the abstract of"
                f" {paper.title!r}; copy it word for word"
            )
        examples.append(
            Example(
                title=paper.title,
                abstract=paper.abstract,
                question=question.question,
                answer=question.nuggets[0][0],
                sentence=evidence.quote,
            )
        )
    return tuple(examples)


def conversation(paper: Paper, examples: Sequence[Example]) -> list[Message]:
    """The task, the examples as turns that went well, and the paper to write a question for."""
    turns: list[Message] = [{"role": "system", "content": _TASK}]
    for example in examples:
        reply = (
            f"Sentence: {clean_text(example.sentence)}\n"
            f"Question: {example.question}\nAnswer: {example.answer}"
        )
        turns.append({"role": "user", "content": _shown(example.title, example.abstract)})
        turns.append({"role": "assistant", "content": reply})
    return [*turns, {"role": "user", "content": _shown(paper.title, paper.abstract)}]


def _shown(title: str, abstract: str) -> str:
    return f"Title: {clean_text(title)}\nAbstract: {clean_text(abstract)}"
