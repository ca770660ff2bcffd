"""Where each sentence that a model wrote comes from, and whether that supports it.

What a model cites is kept if it supports the sentence. Otherwise the sentence is laid against the
rest of the abstracts, and cites what supports it there. If nothing does, it cites nothing: a
citation is never attached because one was wanted.
"""

import re
from collections.abc import Sequence

import numpy as np

from index.encoder import Encoder
from rag.citations import Claim, Span
from rag.support import UNCHECKED, AnswerChecker, Checker, Verdict, same_words
from rag.support.numbers import names
from rag.synthesis.sheet import Address, Sheet, Statement

_NOWHERE = "no sentence of the abstracts is found that says this"
_LOOKED_AT = 6
_MOST_CITED = 6
_LONGEST_REMARK = 15
_OF_PAPERS = re.compile(
    r"(?:(?:all|both|none|neither|each|some|most) of )?(?:they|them|these|both|none|all"
    r"|the(?:se)? (?:papers|abstracts|works|studies|answers?))\b",
    re.IGNORECASE,
)
_MOST_PAIRS = 3
_RANK = {"supported": 3, "partly": 2, "unchecked": 1, "unsupported": 0}

Found = tuple[tuple[int, ...], Verdict]
"""Passages, and whether they support a sentence."""


class Grounder:
    """Grounds statements in a sheet."""

    def __init__(self, sheet: Sheet, encoder: Encoder, checker: Checker) -> None:
        """Begin.

        Args:
            sheet: What the model was given.
            encoder: The index's: finds what a sentence is nearest to.
            checker: Whether that supports it.
        """
        self._sheet = sheet
        self._index = sheet.index
        self._encode = encoder.encode_query
        self._checker = checker
        self._everything = [row for rows in sheet.passages for row in rows]

    def ground(self, statement: Statement) -> Claim:
        """A statement with the passages that support it, and what its check says."""
        text, cited = statement.text, self._sheet.rows(statement.addresses)
        if not cited and is_remark(text):
            return Claim(text, (), UNCHECKED)
        rows, verdict = self._of_cited(text, statement.addresses, cited)
        for elsewhere in (self._others(text, cited), self._everything):
            if verdict.support == "supported":
                break
            others, other = self._best(text, elsewhere)
            if not rows or other.support == "supported":
                rows, verdict = others, other
        if verdict.support == "unsupported" or not rows or verdict == UNCHECKED:
            return Claim(text, (), Verdict("unsupported", verdict.score or 0.0, verdict.reason))
        if verdict.support == "unchecked" and not cited:  # nobody says that it rests on these
            return Claim(text, (), Verdict("unsupported", verdict.score, _NOWHERE))
        return Claim(text, tuple(map(self.span, rows)), verdict)

    def check_again(self, claims: Sequence[Claim], checker: AnswerChecker) -> list[Claim]:
        """The claims with the verdicts of a slower checker; their own where it gives none."""
        at = [place for place, claim in enumerate(claims) if claim.spans]
        cited = [[in_context(span) for span in claims[place].spans] for place in at]
        verdicts = checker.check_all([claims[p].text for p in at], cited)
        checked = list(claims)
        for place, verdict in zip(at, verdicts, strict=True):
            if verdict.support != "unchecked":
                spans = () if verdict.support == "unsupported" else claims[place].spans
                checked[place] = Claim(claims[place].text, spans, verdict)
        return checked

    def nearest(self, text: str, count: int = 2) -> list[str]:
        """The sentences of the sheet that a text is nearest to, best first."""
        rows = self._near(text, self._everything)[:count]
        return [self._index.passages[row].text for row in rows]

    def span(self, row: int) -> Span:
        """A passage as what a claim rests on."""
        passage = self._index.passages[row]
        return Span(self._index.papers[int(self._index.owner[row])], passage.start, passage.end)

    def _of_cited(self, text: str, addresses: Sequence[Address], cited: Sequence[int]) -> Found:
        """What the model cites: all of it, or the best of a paper that it cites as a whole."""
        if not cited:
            return (), UNCHECKED
        if len(cited) <= _MOST_CITED:
            verdict = self._check(text, cited)
            if verdict.support == "supported" or all(a.sentence for a in addresses):
                return tuple(cited), verdict
        return self._best(text, cited)

    def _others(self, text: str, cited: Sequence[int]) -> list[int]:
        """Where else a sentence is most likely to stand: in the papers that it cites or names."""
        named = {row for name in self._index.names.read(text) for row in name.own}
        papers = {int(self._index.owner[row]) for row in cited} | named
        return [row for row in self._everything if int(self._index.owner[row]) in papers]

    def _best(self, text: str, rows: Sequence[int]) -> Found:
        """The passage that supports a sentence best, or two that do so together."""
        near = self._near(text, rows)
        if not near:
            return (), UNCHECKED
        best = max((((row,), self._check(text, [row])) for row in near), key=_order)
        if best[1].support == "supported" or len(near) < 2:
            return best
        first = best[0][0]
        pairs = [tuple(sorted((first, row))) for row in near if row != first][:_MOST_PAIRS]
        return max([best, *((pair, self._check(text, pair)) for pair in pairs)], key=_order)

    def _near(self, text: str, rows: Sequence[int]) -> list[int]:
        """The passages nearest to a text, best first."""
        if not rows:
            return []
        cosines = self._index.passage_vectors[list(rows)] @ self._encode(text)
        return [rows[int(at)] for at in np.argsort(-cosines, kind="stable")[:_LOOKED_AT]]

    def _check(self, text: str, rows: Sequence[int]) -> Verdict:
        spans = [self.span(row) for row in rows]
        if same_words(text, [span.text for span in spans]):
            return Verdict("supported", 1.0)
        return self._checker.check(text, [in_context(span) for span in spans])


def in_context(span: Span) -> str:
    """A passage after the title of its paper: "it" there may be "MindSearch" in a sentence."""
    return f"{span.paper.display_title}: {span.text}"


def is_remark(text: str) -> bool:
    """Whether a sentence is about the answer itself, as "They fall into three groups" is.

    It is short, speaks of the papers by a pronoun, and has no name and no number in digits.
    """
    is_short = len(text.split()) <= _LONGEST_REMARK and bool(_OF_PAPERS.match(text))
    return is_short and not names(text) and not re.search(r"\d", text)


def _order(found: Found) -> tuple[int, float]:
    return _RANK[found[1].support], found[1].score or 0.0
