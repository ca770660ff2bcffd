"""How good one answer is: pure functions of a question, its answer and the indexed papers.

`eval.metrics.summary` pools the scores of a whole run. Papers are matched to a question's titles by
their letters and digits, so LaTeX and case in a title do not matter.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from eval.datasets import Question
from eval.metrics.rightness import rightness
from eval.metrics.spans import begins_with_evidence, evidence_cited, span_errors
from index.lexical import tokenize
from index.papers import Paper, letters
from rag.citations import escape, unescape
from rag.schema import Answer

MARKER = re.compile(r"\s*\[(\d+)\]")
FALSE_PREMISE = "false-premise"
"""The type of questions that take for granted what is not so; their facts are what corrects it."""

_GRAM = 4
_WORD = re.compile(r"[^\W\d_]+")


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
    nuggets_partial: tuple[bool, ...]
    papers_cited: tuple[bool, ...]
    references_gold: tuple[bool, ...]
    references_accepted: tuple[bool, ...]
    """Those that are gold, or may be cited beside gold papers."""
    evidence_cited: tuple[bool | None, ...]
    spans: int
    span_errors: tuple[str, ...]
    marker_errors: tuple[str, ...]
    words: int
    redundancy: float | None
    elapsed_ms: float

    @property
    def confidence(self) -> float | None:
        """How sure the system says it is, in [0, 1]; None if it does not say."""
        return self.answer.confidence

    @property
    def refused(self) -> bool:
        """Whether the answer is that the abstracts do not say."""
        return self.answer.status == "insufficient_evidence"

    @property
    def nugget_recall(self) -> float | None:
        """Share of the question's facts that the text states."""
        return share(self.nuggets_found)

    @property
    def nugget_recall_lenient(self) -> float | None:
        """The same, with half a fact for each that is stated in part.

        The credit of the AutoNuggetizer for partial support (Pradeep et al. 2025, "The great
        nugget recall", TREC 2024 RAG), here without a model.
        """
        if not self.nuggets_found:
            return None
        credit = sum(self.nuggets_found) + 0.5 * sum(self.nuggets_partial)
        return credit / len(self.nuggets_found)

    @property
    def nugget_recall_sentences(self) -> float | None:
        """Share of the question's facts that the cited sentences state, titles left out."""
        return share(self.nuggets_in_sentences)

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
    def right_papers(self) -> bool:
        """Whether the first paper cited is gold, and half of the cited and of the gold are both."""
        precision, recall = self.citation_precision or 0, self.citation_recall or 0
        return precision >= 0.5 and recall >= 0.5 and self.references_gold[0]

    @property
    def rightness(self) -> float:
        """How right the answer is: 0, 0.5 or 1 (`eval.metrics.rightness`)."""
        accepted = self.references_accepted
        return rightness(self.question, self.answer, accepted, self.nugget_recall)

    @property
    def right(self) -> bool:
        """Whether the question was handled as it should be, without reserve."""
        return self.rightness == 1

    @property
    def begins_with_evidence(self) -> bool | None:
        """Whether the first cited sentence cites a gold quote; None if there is none of either."""
        return begins_with_evidence(self.question.evidence, self.answer)

    @property
    def yes_no_right(self) -> bool | None:
        """Whether the text begins with the right one of yes, no and maybe.

        Another beginning is wrong. None if the question is not of that kind.
        """
        if self.question.answer is None:
            return None
        return first_word(self.answer.text) == self.question.answer

    @property
    def accepted_false_premise(self) -> bool | None:
        """Whether a question with a false premise was answered without correcting it.

        Corrected is what states one of the question's facts. None for every other question.
        """
        if self.question.type != FALSE_PREMISE:
            return None
        return not self.refused and not any(self.nuggets_found)


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
    accepted = gold | {letters(title) for title in question.also}
    references = {letters(reference.paper.title): reference for reference in answer.references}
    return AnswerScore(
        question=question,
        answer=answer,
        nuggets_found=nuggets_found(question.nuggets, answer.text),
        nuggets_in_sentences=nuggets_found(
            question.nuggets, escape(" ".join(sentence.text for sentence in answer.sentences))
        ),
        nuggets_partial=nuggets_partial(question.nuggets, answer.text),
        papers_cited=tuple(letters(title) in references for title in question.papers),
        references_gold=tuple(letters(r.paper.title) in gold for r in answer.references),
        references_accepted=tuple(letters(r.paper.title) in accepted for r in answer.references),
        evidence_cited=tuple(
            evidence_cited(evidence, by_title, references) for evidence in question.evidence
        ),
        spans=sum(len(s.citations) for s in answer.sentences)
        + sum(len(r.passages) for r in answer.references),
        span_errors=span_errors(answer, by_id),
        marker_errors=marker_errors(answer),
        words=word_count(answer.text),
        redundancy=redundancy(answer.text),
        elapsed_ms=elapsed_ms,
    )


def plain_text(markdown: str) -> str:
    """An answer as people read it: without [1] markers, bold marks and backslash escapes."""
    return unescape(MARKER.sub("", markdown)).strip()


def words_of(markdown: str) -> list[str]:
    """Words as people read them: a lone dash or bullet is none, nor is a marker."""
    return [word for word in plain_text(markdown).split() if any(map(str.isalnum, word))]


def word_count(markdown: str) -> int:
    """How many words people read."""
    return len(words_of(markdown))


def first_word(markdown: str) -> str | None:
    """The first word that is letters alone, in lower case; None if there is none."""
    found = _WORD.search(plain_text(markdown))
    return found[0].casefold() if found else None


def redundancy(markdown: str) -> float | None:
    """The share of four words in a row that were there before, in [0, 1]; None if there are none.

    1 - distinct / all, of the runs of four words, case aside: seq-rep-4 (Welleck et al. 2020,
    "Neural text generation with unlikelihood training").
    """
    words = [word.casefold() for word in words_of(markdown)]
    grams = [tuple(words[at : at + _GRAM]) for at in range(len(words) - _GRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else None


def nuggets_found(nuggets: Sequence[Sequence[str]], markdown: str) -> tuple[bool, ...]:
    """Which facts the text states: those with a wording that occurs in it.

    Case, white space and compatibility forms (`M³ViT`, `m3vit`; Unicode NFKC) do not matter.
    Only the text counts, not the titles of its references: it is what people read. Nugget
    recall goes back to Voorhees 2003, "Overview of the TREC 2003 question answering track".
    """
    text = _folded(plain_text(markdown))
    return tuple(any(_folded(wording) in text for wording in nugget) for nugget in nuggets)


def nuggets_partial(nuggets: Sequence[Sequence[str]], markdown: str) -> tuple[bool, ...]:
    """Which facts the text states in part: all stems of a wording are in it, in any order.

    A fact that it states outright is not stated in part.
    """
    held = set(tokenize(plain_text(markdown)))
    return tuple(
        not outright and any(_all_held(wording, held) for wording in nugget)
        for nugget, outright in zip(nuggets, nuggets_found(nuggets, markdown), strict=True)
    )


def _all_held(wording: str, held: set[str]) -> bool:
    stems = set(tokenize(wording))
    return bool(stems) and stems <= held


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
