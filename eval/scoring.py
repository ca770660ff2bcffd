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
from rag.schema import Answer, Reference

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
    """One answer measured against its question.

    The shares (`nugget_recall` and its kin) are in [0, 1], or None where there is nothing to
    share: a question without nuggets, an answer that cites nothing.
    """

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
    spans: int
    span_errors: tuple[str, ...]
    marker_errors: tuple[str, ...]
    words: int
    elapsed_ms: float

    @property
    def refused(self) -> bool:
        """Whether the answer is that the abstracts do not say."""
        return self.answer.status == "insufficient_evidence"

    @property
    def nugget_recall(self) -> float | None:
        """Share of the question's facts that the text states."""
        return share(self.nuggets_found)

    @property
    def citation_precision(self) -> float | None:
        """Share of the cited papers that are gold; None too if no paper is."""
        return share(self.references_gold) if self.question.papers else None

    @property
    def citation_precision_lenient(self) -> float | None:
        """The same, with the papers that may be cited beside the gold ones."""
        return share(self.references_accepted) if self.question.papers else None

    @property
    def citation_recall(self) -> float | None:
        """Share of the gold papers that are cited."""
        return share(self.papers_cited)

    @property
    def evidence_recall(self) -> float | None:
        """Share of the gold quotes, of those that could be located, with a cited span on them."""
        return share([cited for cited in self.evidence_cited if cited is not None])

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
        if self.nugget_recall is not None and self.nugget_recall < ENOUGH:
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
    def is_broken(self) -> bool:
        """Whether a span or a marker of the answer is wrong."""
        return bool(self.span_errors or self.marker_errors)

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
    """Measure one answer.

    Args:
        question: What was asked, with its gold papers, quotes and nuggets.
        answer: What came back.
        indexed: Every paper of the index that answered.
        elapsed_ms: Wall-clock milliseconds between question and answer.
    """
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
        spans=sum(len(s.citations) for s in answer.sentences)
        + sum(len(r.passages) for r in answer.references),
        span_errors=_span_errors(answer, {paper.id: paper for paper in indexed}),
        marker_errors=_marker_errors(answer),
        words=word_count(answer.text),
        elapsed_ms=elapsed_ms,
    )


def plain_text(markdown: str) -> str:
    """Strip [1] markers, bold marks and backslash escapes: an answer as people read it."""
    return unescape(MARKER.sub("", markdown)).strip()


def word_count(markdown: str) -> int:
    """Count the words that people read: a lone dash or bullet is none, nor is a marker."""
    return sum(any(map(str.isalnum, word)) for word in plain_text(markdown).split())


def nuggets_found(nuggets: Sequence[Sequence[str]], markdown: str) -> tuple[bool, ...]:
    """Find the facts that the text states: those with a wording that occurs in it.

    Case, white space and compatibility forms (`M³ViT`, `m3vit`; Unicode NFKC) do not matter.
    Only the text counts, not the titles of its references: it is what people read. Nugget
    recall goes back to Voorhees 2003, "Overview of the TREC 2003 question answering track".
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

    A quote that is not there letter for letter is looked for in the cleaned forms of both.
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
    """Whether a cited passage of the quote's paper overlaps the quote.

    None if the paper is not in the index or the quote not in its abstract, so that a wrong quote
    is not the answer's fault.
    """
    key = letters(evidence.paper)
    span = quote_span(evidence.quote, by_title[key].abstract) if key in by_title else None
    if span is None:
        return None
    start, end = span
    passages = references[key].passages if key in references else ()
    return any(passage.start < end and start < passage.end for passage in passages)


def _span_errors(answer: Answer, by_id: Mapping[str, Paper]) -> tuple[str, ...]:
    """What is wrong with the cited spans, one line each; empty if every one is verbatim.

    A passage is verbatim if `abstract[start:end] == text` holds in the *indexed* paper of its
    id; a citation, which carries no text, if it lies inside a passage of its reference.
    """
    errors: list[str] = []
    for reference in answer.references:
        indexed = by_id.get(reference.paper.id)
        for passage in reference.passages:
            span = f"passage [{passage.start}, {passage.end}) of [{reference.number}]"
            if indexed is None:
                errors.append(f"{span}: paper {reference.paper.id} is not in the index")
            elif indexed.abstract[passage.start : passage.end] != passage.text or not passage.text:
                errors.append(f"{span} is not what the abstract says there")
    passages = {reference.number: reference.passages for reference in answer.references}
    for cited in (citation for s in answer.sentences for citation in s.citations):
        inside = (
            passage.start <= cited.start < cited.end <= passage.end
            for passage in passages.get(cited.reference, ())
        )
        if not any(inside):
            span = f"citation [{cited.start}, {cited.end}) of [{cited.reference}]"
            errors.append(f"{span} is in no passage of it")
    return tuple(errors)


def _marker_errors(answer: Answer) -> tuple[str, ...]:
    """How markers and references disagree, one line each; empty if they match.

    Markers must be numbered by first use, and be exactly the references' numbers.
    """
    used = list(dict.fromkeys(int(number) for number in MARKER.findall(answer.text)))
    listed = {reference.number for reference in answer.references}
    errors = [f"marker [{number}] has no reference" for number in used if number not in listed]
    errors += [f"reference [{number}] has no marker" for number in sorted(listed - set(used))]
    if not errors and used != list(range(1, len(used) + 1)):
        errors.append(f"markers are not numbered by first use: {used}")
    return tuple(errors)
