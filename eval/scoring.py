"""Score one answer or one ranking; `eval.figures` pools the scores of a whole run.

Papers match a question's titles by their letters and digits, so LaTeX and case do not matter.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ir_measures import AP, RR, R, Success, nDCG, pytrec_eval

from eval.datasets import Qrels, Question, Rankings
from index import minilm
from index.encoder import LocalEncoder
from index.papers import Paper, letters
from index.text import clean
from rag.chat import ChatError, Complete, Message, ReplyError
from rag.citations import unescape
from rag.schema import Answer, AnswerSentence, Citation, Passage
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
"""The measures of rankings, by their names in metrics.json."""
DEPTH = 100
"""The number of papers kept of each search; MRR and MAP see no more."""


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """One answer measured against its question."""

    question: Question
    answer: Answer
    nuggets_found: tuple[bool, ...]
    papers_cited: tuple[bool, ...]
    references_gold: tuple[bool, ...]
    references_accepted: tuple[bool, ...]
    """Whether each cited paper is gold or may be cited as well."""
    evidence_cited: tuple[bool | None, ...]
    """Whether each gold quote is cited; None where the quote was not located."""
    verbatim: tuple[bool, ...]
    """Whether the indexed paper has the text of each cited passage at its place."""
    words: int
    elapsed_ms: float

    @property
    def refused(self) -> bool:
        """Whether the answer refuses: the abstracts do not say."""
        return self.answer.status == "insufficient_evidence"

    @property
    def rightness(self) -> float:
        """1 for a right answer, 0 for a wrong one, 0.5 for a cautious one that is partly right.

        An unanswerable question is to be refused. An answerable one is to be answered with half of
        its facts, from enough acceptable papers (`Question.least`, or half of the gold ones) that
        are half of the cited ones; an answer about a digest may count in the index and cite
        nothing. Half right is an answer with a notice that cites at most four papers, one of them
        acceptable, unless the question asks for many papers.
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
        """Whether the answer is fully right."""
        return self.rightness == 1

    @property
    def begins_with_evidence(self) -> bool | None:
        """Whether the first cited sentence cites a gold quote; None without either of them."""
        cited = next((s.citations[0] for s in self.answer.sentences if s.citations), None)
        if cited is None or not self.question.evidence:
            return None
        paper = next(r.paper for r in self.answer.references if r.number == cited.reference)
        title = letters(paper.title)
        quotes = (each.quote for each in self.question.evidence if letters(each.paper) == title)
        return any(_is_cited(quote, paper.abstract, [cited]) for quote in quotes)


def score_answer(
    question: Question, answer: Answer, indexed: Sequence[Paper], elapsed_ms: float
) -> AnswerScore:
    """Score an answer that took `elapsed_ms`, given every paper of its index."""
    stored = {paper.id: paper.abstract for paper in indexed}
    titled = {letters(paper.title): paper.abstract for paper in indexed}
    gold = {letters(title) for title in question.papers}
    accepted = gold | {letters(title) for title in question.also}
    cited = {letters(reference.paper.title): reference.passages for reference in answer.references}
    titles = [letters(reference.paper.title) for reference in answer.references]
    quotes = [(letters(evidence.paper), evidence.quote) for evidence in question.evidence]
    return AnswerScore(
        question=question,
        answer=answer,
        nuggets_found=nuggets_found(question.nuggets, answer.text),
        papers_cited=tuple(letters(title) in cited for title in question.papers),
        references_gold=tuple(title in gold for title in titles),
        references_accepted=tuple(title in accepted for title in titles),
        evidence_cited=tuple(
            _is_cited(quote, titled.get(title, ""), cited.get(title, ())) for title, quote in quotes
        ),
        verbatim=tuple(
            stored.get(reference.paper.id, "")[passage.start : passage.end] == passage.text
            for reference in answer.references
            for passage in reference.passages
        ),
        # A dash or a bullet is not a word.
        words=sum(any(map(str.isalnum, word)) for word in plain_text(answer.text).split()),
        elapsed_ms=elapsed_ms,
    )


def plain_text(markdown: str) -> str:
    """Strip [1] markers, bold marks and backslash escapes from an answer."""
    return unescape(re.sub(r"\s*\[\d+\]", "", markdown)).strip()


def nuggets_found(nuggets: Sequence[Sequence[str]], markdown: str) -> tuple[bool, ...]:
    """Return whether the text states each fact: whether one of its wordings occurs there.

    Case, white space and compatibility forms (`M³ViT`, `m3vit`; Unicode NFKC) do not matter.
    Voorhees 2003, "Overview of the TREC 2003 question answering track".
    """
    text = _folded(plain_text(markdown))
    return tuple(any(_folded(wording) in text for wording in nugget) for nugget in nuggets)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def quote_span(quote: str, abstract: str) -> tuple[int, int] | None:
    """Locate a quote in the stored abstract: code points, `end` exclusive; None if it is absent.

    It is searched verbatim first, then in the cleaned forms of both.
    """
    start = abstract.find(quote)
    if start >= 0:
        return start, start + len(quote)
    cleaned, wanted = clean(abstract), clean(quote).text
    start = cleaned.text.find(wanted) if wanted else -1
    return cleaned.stored_span(start, start + len(wanted)) if start >= 0 else None


def _is_cited(quote: str, abstract: str, cited: Iterable[Passage | Citation]) -> bool | None:
    """Return whether a cited passage overlaps a quote; None if the abstract lacks the quote."""
    if (span := quote_span(quote, abstract)) is None:
        return None
    return any(passage.start < span[1] and span[0] < passage.end for passage in cited)


class Supports:
    """Asks a checker, by default the product's, whether texts together support a claim fully."""

    def __init__(self, checker: Checker | None = None) -> None:
        self._checker = checker or LocalChecker(LocalEncoder.open(minilm.NAME))
        self.name = self._checker.name
        self.unreadable = 0
        """How often there was no verdict, which counts as unsupported."""

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        """Return whether the claim is supported; raise ChatError if a judge cannot be reached."""
        support = self._checker.check(claim, premises).support
        problem: str | None = getattr(self._checker, "problem", None)
        if problem and "could not be asked" in problem:
            raise ChatError(problem)
        self.unreadable += bool(premises) and support == "unchecked"
        return support == "supported"


def or_nothing(complete: Complete) -> Complete:
    """Wrap a chat model so that a refused reply is an empty one."""

    def ask(messages: list[Message]) -> str:
        try:
            return complete(messages)
        except ReplyError:
            return ""

    return ask


def alce(answer: Answer, supports: Supports) -> tuple[float, float] | None:
    """Return the recall and precision of an answer's citations, in [0, 1]; None for a refusal.

    Gao, Yen, Yu & Chen 2023, "Enabling large language models to generate text with citations".
    A sentence counts for recall if it cites something and all its citations together support it. A
    citation is precise if its sentence counts and it is not irrelevant: it is irrelevant if it does
    not support the sentence by itself while the others do without it. A passage is the cited
    stretch of an abstract under its paper's title. All citations of a sentence count; ALCE's code
    looks at the first three. Precision is 0 where nothing is cited, as in ALCE.
    """
    if answer.status != "answered" or not answer.sentences:
        return None
    found = [_judge(sentence, answer, supports) for sentence in answer.sentences]
    cited, precise = zip(*found, strict=True)
    recall = sum(each is not None for each in precise) / len(precise)
    return recall, sum(each or 0 for each in precise) / sum(cited) if any(cited) else 0.0


def _judge(sentence: AnswerSentence, answer: Answer, supports: Supports) -> tuple[int, int | None]:
    """Count the passages that a sentence cites, and the precise ones; None if unsupported."""
    papers = {reference.number: reference.paper for reference in answer.references}
    passages = [
        f"Title: {papers[at.reference].title}\n{papers[at.reference].abstract[at.start : at.end]}"
        for at in dict.fromkeys(sentence.citations)
    ]
    if not passages or not supports(sentence.text, passages):
        return len(passages), None
    if len(passages) == 1:
        return 1, 1
    return len(passages), sum(
        supports(sentence.text, [passage])
        or not supports(sentence.text, [*passages[:at], *passages[at + 1 :]])
        for at, passage in enumerate(passages)
    )


def ranked(hits: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Adjust the scores of `hits` (paper id, score), best first, so that trec_eval keeps the order.

    It compares scores as 32-bit floats and orders equal ones by descending id; so a score that does
    not fall is lowered by the smallest step. A repeated paper keeps its first place.
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
    for metric in pytrec_eval.iter_calc(list(names), qrels, run):
        values[metric.query_id][names[metric.measure]] = metric.value
    return values


def mean_metrics(per_query: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each measure over the queries; 0 without queries."""
    count = max(1, len(per_query))
    return {name: sum(values[name] for values in per_query.values()) / count for name in MEASURES}
