"""Answers made by hand: what they cite is all that the evaluation looks at."""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from eval.datasets import Evidence, Question
from eval.runs import QuestionScore, Run, load_run
from eval.scoring import AnswerScore, score_answer
from index.papers import Paper
from rag.citations import Span
from rag.schema import Answer, AnswerSentence, Citation, IndexInfo, Passage, Reference, Usage
from rag.support import Verdict

MOSS = Paper(
    id="moss",
    title="Moss^{2}Net: Mosses that Compute",
    abstract="Mosses are small. We train Moss$^{2}$Net on 40 ferns. It scores 91\\% on bogs.",
)
BOGS = Paper(id="bogs", title="Counting Bogs", abstract="Bogs are wet. We count 7 bogs.")
FERNS = Paper(id="ferns", title="A Fern Survey", abstract="Ferns vary. This survey lists them.")
PAPERS = (MOSS, BOGS, FERNS)


def span(paper: Paper, words: str) -> Span:
    start = paper.abstract.index(words)
    return Span(paper, start, start + len(words))


def reference(number: int, paper: Paper, words: str) -> Reference:
    at = span(paper, words)
    passage = Passage(start=at.start, end=at.end, text=words)
    return Reference(number=number, paper=paper, passages=(passage,))


def answer(text: str, *references: Reference) -> Answer:
    """An answer of one sentence that cites every reference's passages; a refusal if no text."""
    citations = tuple(
        Citation(reference=reference.number, start=passage.start, end=passage.end)
        for reference in references
        for passage in reference.passages
    )
    plain = re.sub(r" ?\[\d+\]", "", text)
    sentence = AnswerSentence(text=plain, citations=citations, support="unchecked")
    return Answer(
        question="?",
        standalone_question="?",
        status="answered" if text else "insufficient_evidence",
        reason=None if text else "The abstracts do not say.",
        mode="extractive",
        text=text,
        sentences=(sentence,) if text else (),
        references=references,
        nearest=(),
        usage=Usage(),
        timings_ms={},
        index=IndexInfo(id="i1", papers=3, encoder="e"),
    )


REFUSAL = answer("")


def ask(
    *papers: Paper, kind: str = "fact", quotes: Sequence[tuple[Paper, str]] = (), **more: Any
) -> Question:
    """A question that `papers` answer; unanswerable if none does."""
    evidence = tuple(Evidence(paper=paper.title, quote=quote) for paper, quote in quotes)
    titles = tuple(paper.title for paper in papers)
    given = {"id": "q1", "type": kind, "question": "What?", "answerable": bool(papers), **more}
    return Question(papers=titles, evidence=evidence, **given)


def score(question: Question, given: Answer, elapsed_ms: float = 10) -> AnswerScore:
    """The answer measured against an index of `PAPERS`."""
    return score_answer(question, given, PAPERS, elapsed_ms)


Columns = Mapping[str, Mapping[str, float | None]]
"""Metric → question id → value."""


def recorded(
    folder: Path, columns: Columns, *answers: Answer, system: str = "ours", kind: str = "answers"
) -> Run:
    """A finished run with these values, and these answers in the order of its questions."""
    ids = list(dict.fromkeys(id_ for column in columns.values() for id_ in column))
    asked = [ask(MOSS, id=id_, question=f"What is {id_}?").model_dump(mode="json") for id_ in ids]
    record = {"kind": kind, "system": system, "dataset": {"name": "made-up"}}
    run = Run.begin(folder, "made-up", record, asked)
    for id_, given in zip_longest(ids, answers, fillvalue=REFUSAL):
        run.append({"id": id_, "answer": given.model_dump(mode="json")})
    values = {id_: {name: each.get(id_) for name, each in columns.items()} for id_ in ids}
    scores = [QuestionScore(id=id_, type="fact", values=values[id_]) for id_ in ids]
    run.finish({"run": run.name, **record}, scores)
    return load_run(folder)


class Table:
    """A checker with a table: which passages, by a word of each, support which claim."""

    name = "table"

    def __init__(self, **enough: set[frozenset[str]]) -> None:
        self.enough = enough

    def check(self, sentence: str, cited: Sequence[str]) -> Verdict:
        held = {word for word in ("small", "wet", "vary") for text in cited if word in text}
        enough = any(needed <= held for needed in self.enough.get(sentence, set()))
        return Verdict("supported" if enough else "unsupported", None)
