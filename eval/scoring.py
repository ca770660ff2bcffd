"""How good one answer or one ranking is; `eval.figures` pools the scores of a whole run.

Papers are matched to a question's titles by their letters and digits, so LaTeX and case in a title
do not matter. Rankings are measured by `pytrec_eval` (trec_eval's own code), through `ir_measures`.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ir_measures import AP, RR, R, Success, nDCG, pytrec_eval

from eval.datasets import Evidence, Qrels, Question, Rankings
from index import minilm
from index.encoder import LocalEncoder
from index.papers import Paper, letters
from index.text import clean
from rag.chat import ChatError, Complete, Message, ReplyError
from rag.citations import unescape
from rag.schema import Answer, AnswerSentence, Reference
from rag.support import Checker
from rag.support.local import LocalChecker

MEASURES = {
    "nDCG@10": nDCG @ 10,
    "MRR": RR,
    "MAP": AP,
    "R@5": R @ 5,
    "R@10": R @ 10,
    "R@100": R @ 100,
    "hit@1": Success @ 1,
}
"""What is measured of rankings, by the name it has in metrics.json."""
DEPTH = 100
"""Papers kept of each search; MRR and MAP look no deeper."""


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """One answer measured against its question."""

    question: Question
    answer: Answer
    nuggets_found: tuple[bool, ...]
    papers_cited: tuple[bool, ...]
    references_gold: tuple[bool, ...]
    references_accepted: tuple[bool, ...]
    """Those that are gold, or may be cited beside gold papers."""
    evidence_cited: tuple[bool | None, ...]
    """Of each gold quote; None where the quote could not be located."""
    verbatim: tuple[bool, ...]
    """Of each cited passage: whether the indexed paper says it there.

    The schema of answers holds the rest: citations are passages, markers and references pair.
    """
    words: int
    elapsed_ms: float

    @property
    def refused(self) -> bool:
        """Whether the answer is that the abstracts do not say."""
        return self.answer.status == "insufficient_evidence"

    @property
    def citation_precision_lenient(self) -> float | None:
        """Share of the cited papers that are acceptable, in [0, 1]; None if no paper is gold."""
        return share(self.references_accepted) if self.question.papers else None

    @property
    def rightness(self) -> float:
        """1 for a right answer, 0 for a wrong one, 0.5 for a cautious one that is partly right.

        An unanswerable question is refused. An answerable one is answered with half of its facts,
        from enough acceptable papers (`Question.least`, or half of the gold ones), which are half
        of those cited; one about a digest may be counted from the index and cite nothing. Half
        right is an answer with a notice that cites at most four papers, an acceptable one among
        them, unless many papers are asked for.
        """
        question, accepted = self.question, self.references_accepted
        if self.refused or not question.answerable:
            return float(self.refused and not question.answerable)
        if 2 * sum(self.nuggets_found) < len(self.nuggets_found):
            return 0.0
        if not question.papers or (question.type == "digest" and not accepted):
            return 1.0
        found, least = sum(accepted), question.least or (len(question.papers) + 1) // 2
        if found >= least and 2 * found >= len(accepted):
            return 1.0
        hedged = self.answer.notice is not None and len(accepted) <= 4
        return 0.5 if found and hedged and question.type not in ("list", "collection") else 0.0

    @property
    def is_right(self) -> bool:
        """Whether the question was handled as it should be, without reserve."""
        return self.rightness == 1

    @property
    def begins_with_evidence(self) -> bool | None:
        """Whether the first cited sentence cites a gold quote; None if there is none of either."""
        cited = next((s.citations[0] for s in self.answer.sentences if s.citations), None)
        if cited is None or not self.question.evidence:
            return None
        paper = next(r.paper for r in self.answer.references if r.number == cited.reference)
        title = letters(paper.title)
        quotes = (each.quote for each in self.question.evidence if letters(each.paper) == title)
        spans = filter(None, (quote_span(quote, paper.abstract) for quote in quotes))
        return any(cited.start < end and start < cited.end for start, end in spans)


def score_answer(
    question: Question, answer: Answer, indexed: Sequence[Paper], elapsed_ms: float
) -> AnswerScore:
    """Measure an answer that took so many milliseconds against the papers of its whole index."""
    by_id = {paper.id: paper for paper in indexed}
    by_title = {letters(paper.title): paper for paper in indexed}
    gold = {letters(title) for title in question.papers}
    accepted = gold | {letters(title) for title in question.also}
    references = {letters(reference.paper.title): reference for reference in answer.references}
    return AnswerScore(
        question=question,
        answer=answer,
        nuggets_found=nuggets_found(question.nuggets, answer.text),
        papers_cited=tuple(letters(title) in references for title in question.papers),
        references_gold=tuple(letters(r.paper.title) in gold for r in answer.references),
        references_accepted=tuple(letters(r.paper.title) in accepted for r in answer.references),
        evidence_cited=tuple(
            _evidence_cited(evidence, by_title, references) for evidence in question.evidence
        ),
        verbatim=tuple(
            (paper := by_id.get(reference.paper.id)) is not None
            and paper.abstract[passage.start : passage.end] == passage.text
            for reference in answer.references
            for passage in reference.passages
        ),
        # A lone dash or bullet is no word.
        words=sum(any(map(str.isalnum, word)) for word in plain_text(answer.text).split()),
        elapsed_ms=elapsed_ms,
    )


def plain_text(markdown: str) -> str:
    """Strip [1] markers, bold marks and backslash escapes: an answer as people read it."""
    return unescape(re.sub(r"\s*\[\d+\]", "", markdown)).strip()


def nuggets_found(nuggets: Sequence[Sequence[str]], markdown: str) -> tuple[bool, ...]:
    """Find the facts that the text states: those with a wording that occurs in it.

    Case, white space and compatibility forms (`M³ViT`, `m3vit`; Unicode NFKC) do not matter.
    Voorhees 2003, "Overview of the TREC 2003 question answering track".
    """
    text = _folded(plain_text(markdown))
    return tuple(any(_folded(wording) in text for wording in nugget) for nugget in nuggets)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def share(flags: Sequence[bool]) -> float | None:
    """The share of true ones, in [0, 1]; None of none."""
    return sum(flags) / len(flags) if flags else None


def quote_span(quote: str, abstract: str) -> tuple[int, int] | None:
    """Locate a quote in the stored abstract: code points, `end` exclusive; None if it is not there.

    It is looked for letter for letter, then in the cleaned forms of both.
    """
    start = abstract.find(quote)
    if start >= 0:
        return start, start + len(quote)
    cleaned, wanted = clean(abstract), clean(quote).text
    start = cleaned.text.find(wanted) if wanted else -1
    return cleaned.stored_span(start, start + len(wanted)) if start >= 0 else None


def _evidence_cited(
    evidence: Evidence, by_title: Mapping[str, Paper], references: Mapping[str, Reference]
) -> bool | None:
    """Whether a cited passage overlaps a gold quote; None if there is no such quote to cite."""
    key = letters(evidence.paper)
    span = quote_span(evidence.quote, by_title[key].abstract) if key in by_title else None
    if span is None:
        return None
    start, end = span
    passages = references[key].passages if key in references else ()
    return any(passage.start < end and start < passage.end for passage in passages)


class Supports:
    """Whether texts, read together, support a claim, by a checker of `rag.support`.

    Only what the checker calls supported counts, and not what it does partly. By default it is the
    product's own checker, with the bundled encoder.
    """

    def __init__(self, checker: Checker | None = None) -> None:
        self._checker = checker or LocalChecker(LocalEncoder.open(minilm.NAME))
        self.name = self._checker.name
        self.unreadable = 0
        """How often it gave no verdict; that counted as unsupported."""

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

    Gao, Yen, Yu & Chen 2023, "Enabling large language models to generate text with citations".
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


def ranked(hits: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Score `hits` (paper id, score), best first, so that exactly the order given is measured.

    trec_eval ignores the rank column, compares scores as 32-bit floats and orders equal ones
    by id, backwards; so a score that does not fall is lowered by the least possible step.
    A paper that comes again keeps its first place.
    """
    scores: dict[str, float] = {}
    last = np.float32(np.inf)
    for paper, score in hits:
        if paper not in scores:
            last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
            scores[paper] = float(last)
    return scores


def query_metrics(qrels: Qrels, run: Rankings) -> dict[str, dict[str, float]]:
    """Measure every query of `qrels`: query id → measure's name → value, in [0, 1].

    docs/evaluation.md has the formulas. A query without a ranking scores 0.
    """
    names = {measure: name for name, measure in MEASURES.items()}
    values: dict[str, dict[str, float]] = {query: dict.fromkeys(MEASURES, 0.0) for query in qrels}
    plain_qrels = {query: dict(judged) for query, judged in qrels.items()}
    plain_run = {query: dict(scores) for query, scores in run.items()}
    for metric in pytrec_eval.iter_calc(list(names), plain_qrels, plain_run):
        values[metric.query_id][names[metric.measure]] = metric.value
    return values


def mean_metrics(per_query: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The mean over the queries of each measure, 0 for none."""
    count = max(1, len(per_query))
    return {name: sum(values[name] for values in per_query.values()) / count for name in MEASURES}
