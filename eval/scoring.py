"""How good one answer is: pure functions of a question, its answer and the indexed papers.

`eval.figures` pools the scores of a whole run. Papers are matched to a question's titles by their
letters and digits, so LaTeX and case in a title do not matter.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.datasets import Evidence, Question
from index.papers import Paper, letters
from index.text import clean
from rag.citations import escape, unescape
from rag.schema import Answer, Passage, Reference

MARKER = re.compile(r"\s*\[(\d+)\]")
COUNTED = "digest"
"""The type of questions whose answer may be counted from the index and cite no paper."""
SEVERAL = frozenset({"list", "collection"})
"""Types of questions that ask for many papers: a caution does not excuse the wrong ones."""
MOST_HEDGED, ENOUGH = 4, 0.5
"""Papers that an answer with a caution may cite and still be half right; the share of the facts to
state, and of the cited papers to be acceptable."""


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """One answer measured against its question."""

    question: Question
    answer: Answer
    nuggets_found: tuple[bool, ...]
    nuggets_in_sentences: tuple[bool, ...]
    """Those found without the titles that head an answer's paragraphs."""
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
        of those cited. Half right is an answer with a notice that cites few papers, an acceptable
        one among them.
        """
        question, accepted = self.question, self.references_accepted
        if self.refused or not question.answerable:
            return float(self.refused and not question.answerable)
        if sum(self.nuggets_found) < ENOUGH * len(self.nuggets_found):
            return 0.0
        if not question.papers or (question.type == COUNTED and not accepted):
            return 1.0
        found, least = sum(accepted), question.least or (len(question.papers) + 1) // 2
        if found >= least and found >= ENOUGH * len(accepted):
            return 1.0
        hedged = self.answer.notice is not None and len(accepted) <= MOST_HEDGED
        return 0.5 if found and hedged and question.type not in SEVERAL else 0.0

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
    sentences = escape(" ".join(sentence.text for sentence in answer.sentences))
    return AnswerScore(
        question=question,
        answer=answer,
        nuggets_found=nuggets_found(question.nuggets, answer.text),
        nuggets_in_sentences=nuggets_found(question.nuggets, sentences),
        papers_cited=tuple(letters(title) in references for title in question.papers),
        references_gold=tuple(letters(r.paper.title) in gold for r in answer.references),
        references_accepted=tuple(letters(r.paper.title) in accepted for r in answer.references),
        evidence_cited=tuple(
            _evidence_cited(evidence, by_title, references) for evidence in question.evidence
        ),
        verbatim=tuple(
            _text_of(by_id.get(reference.paper.id), passage) == passage.text
            for reference in answer.references
            for passage in reference.passages
        ),
        words=word_count(answer.text),
        elapsed_ms=elapsed_ms,
    )


def _text_of(paper: Paper | None, passage: Passage) -> str | None:
    return paper.abstract[passage.start : passage.end] if paper else None


def plain_text(markdown: str) -> str:
    """Strip [1] markers, bold marks and backslash escapes: an answer as people read it."""
    return unescape(MARKER.sub("", markdown)).strip()


def word_count(markdown: str) -> int:
    """Count the words that people read: a lone dash or bullet is none, nor is a marker."""
    return sum(any(map(str.isalnum, word)) for word in plain_text(markdown).split())


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
