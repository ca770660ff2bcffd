"""How good one answer is: pure functions of a question, its answer and the indexed papers.

`eval.metrics.summary` pools the scores of a whole run. Papers are matched to a question's titles by
their letters and digits, so LaTeX and case in a title do not matter.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.datasets import Evidence, Question
from index.papers import Paper, letters
from index.text import clean
from rag.citations import unescape
from rag.schema import Answer, Reference

MARKER = re.compile(r"\s*\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """One answer measured against its question.

    The shares (`nugget_recall` and its kin) are in [0, 1], or None where there is nothing to
    share: a question without nuggets, an answer that cites nothing.
    """

    question: Question
    answer: Answer
    nuggets_found: tuple[bool, ...]
    papers_cited: tuple[bool, ...]
    references_gold: tuple[bool, ...]
    evidence_cited: tuple[bool | None, ...]
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
        """Share of the cited papers that are gold."""
        return share(self.references_gold)

    @property
    def citation_recall(self) -> float | None:
        """Share of the gold papers that are cited."""
        return share(self.papers_cited)

    @property
    def evidence_recall(self) -> float | None:
        """Share of the gold quotes, of those that could be located, with a cited span on them."""
        return share([cited for cited in self.evidence_cited if cited is not None])

    @property
    def right_papers(self) -> bool:
        """Whether the first paper cited is gold, and half of the cited and of the gold are both."""
        precision, recall = self.citation_precision or 0, self.citation_recall or 0
        return precision >= 0.5 and recall >= 0.5 and self.references_gold[0]


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
    by_id = {paper.id: paper for paper in indexed}
    by_title = {letters(paper.title): paper for paper in indexed}
    gold = {letters(title) for title in question.papers}
    references = {letters(reference.paper.title): reference for reference in answer.references}
    return AnswerScore(
        question=question,
        answer=answer,
        nuggets_found=nuggets_found(question.nuggets, answer.text),
        papers_cited=tuple(letters(title) in references for title in question.papers),
        references_gold=tuple(letters(r.paper.title) in gold for r in answer.references),
        evidence_cited=tuple(
            evidence_cited(evidence, by_title, references) for evidence in question.evidence
        ),
        spans=sum(len(s.citations) for s in answer.sentences)
        + sum(len(r.passages) for r in answer.references),
        span_errors=span_errors(answer, by_id),
        marker_errors=marker_errors(answer),
        words=word_count(answer.text),
        elapsed_ms=elapsed_ms,
    )


def plain_text(markdown: str) -> str:
    """An answer as people read it: without [1] markers, bold marks and backslash escapes."""
    return unescape(MARKER.sub("", markdown)).strip()


def word_count(markdown: str) -> int:
    """Words as people read them: a lone dash or bullet is none, nor is a marker."""
    return sum(any(map(str.isalnum, word)) for word in plain_text(markdown).split())


def nuggets_found(nuggets: Sequence[Sequence[str]], markdown: str) -> tuple[bool, ...]:
    """Which facts the text states: those with a wording that occurs in it.

    Case, white space and compatibility forms (`M³ViT`, `m3vit`; Unicode NFKC) do not matter.
    Only the text counts, not the titles of its references: it is what people read. Nugget
    recall goes back to Voorhees 2003, "Overview of the TREC 2003 question answering track".
    """
    text = _folded(plain_text(markdown))
    return tuple(any(_folded(wording) in text for wording in nugget) for nugget in nuggets)


def evidence_cited(
    evidence: Evidence, by_title: Mapping[str, Paper], references: Mapping[str, Reference]
) -> bool | None:
    """Whether a cited passage of the quote's paper overlaps the quote.

    Both mappings are keyed by `letters(title)`. None if the paper is not in the index or the
    quote not in its abstract, so that a wrong quote is not the answer's fault.
    """
    key = letters(evidence.paper)
    span = quote_span(evidence.quote, by_title[key].abstract) if key in by_title else None
    if span is None:
        return None
    start, end = span
    passages = references[key].passages if key in references else ()
    return any(passage.start < end and start < passage.end for passage in passages)


def quote_span(quote: str, abstract: str) -> tuple[int, int] | None:
    """Where a quote stands in the stored abstract: code points, `end` exclusive, or None.

    A quote that is not there letter for letter is looked for in the cleaned forms of both.
    """
    start = abstract.find(quote)
    if start >= 0:
        return start, start + len(quote)
    cleaned, wanted = clean(abstract), clean(quote).text
    start = cleaned.text.find(wanted) if wanted else -1
    return cleaned.stored_span(start, start + len(wanted)) if start >= 0 else None


def span_errors(answer: Answer, by_id: Mapping[str, Paper]) -> tuple[str, ...]:
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
    for sentence in answer.sentences:
        for citation in sentence.citations:
            start, end = citation.start, citation.end
            inside = (p.start <= start < end <= p.end for p in passages.get(citation.reference, ()))
            if not any(inside):
                errors.append(
                    f"citation [{start}, {end}) of [{citation.reference}] is in no passage of it"
                )
    return tuple(errors)


def marker_errors(answer: Answer) -> tuple[str, ...]:
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


def share(flags: Sequence[bool]) -> float | None:
    """The share of true ones, in [0, 1]; None of none."""
    return sum(flags) / len(flags) if flags else None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
