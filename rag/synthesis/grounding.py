"""Where each sentence that a model wrote comes from, and whether that supports it.

A model says by markers what a sentence rests on; it may forget them, or be wrong. Its citations
are kept if they support the sentence. Otherwise the sentence is laid against the rest of the
evidence, and cites what supports it there. If nothing does, it cites nothing: a citation is never
attached because one was wanted.
"""

import re
from collections.abc import Sequence

from index.papers import letters
from index.store import Index
from rag.citations import Claim, Span
from rag.names import own_names
from rag.retrieval import passage_rows
from rag.support import UNCHECKED, Checker, Verdict
from rag.support.align import best_support
from rag.support.local import LocalChecker
from rag.synthesis.markers import Address
from rag.synthesis.prompts import SENTINEL
from rag.synthesis.sheet import Sheet

_CANDIDATES = 40
_CITED_AT_MOST = 4
_NAMES = 4
_RANK = {"supported": 3, "partly": 2, "unsupported": 1, "unchecked": 0}
_SAYING = (
    r"(?:say|state|mention|provide|contain|specify|give|discuss|include|describe|report|answer"
    r"|explain|address|indicate|name|cover|speak|tell)"
)
_SAYS_NOTHING = re.compile(
    r"\b(?:abstracts?|sentences?|evidence|papers?|sources?|texts?|context|information|passages?)\b"
    rf".{{0,60}}?(?:\bnot|n[’']t)\b (?:\w+ly )?{_SAYING}\w*\b"
    r"|\b(?:no|not enough|insufficient) (?:\w+ )?(?:information|mention|evidence|details?)\b"
    r"|\b(?:not|isn[’']t|aren[’']t) (?:explicitly |directly |specifically )?"
    r"(?:mentioned|stated|given|provided|specified|described|said|reported|discussed)\b"
    r"|\b(?:cannot|can[’']t|could not|unable to) (?:be )?(?:answer|determine|find|tell|infer)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(?:title|paper)\s*:\s*", re.IGNORECASE)
_TITLE_END = re.compile(r"(?=:\s|\s[-–—]\s|\s\()|(?<=\))(?=[:\s]|$)")
_PART_OF_DATE = re.compile(r"\s*\([\d-]{0,10}\)?$")
_DATE = re.compile(r"\s*\(\d{4}(?:-\d\d-\d\d)?\)\s*$")
_LEADS_IN = re.compile(r"[^.!?\d]{0,120}:$")


class Grounder:
    """Grounds the sentences of one reply in one sheet."""

    def __init__(self, index: Index, sheet: Sheet, checker: LocalChecker) -> None:
        self._index = index
        self._sheet = sheet
        self._checker = checker
        rows = [row for at in sheet.papers for row in passage_rows(index, at.row)]
        self._everything = tuple(rows) if len(rows) <= _CANDIDATES else sheet.all_rows

    def ground(self, text: str, addresses: Sequence[Address]) -> Claim:
        """A sentence with the spans that support it, and what its check said."""
        if _LEADS_IN.fullmatch(text) or letters(text) == letters(SENTINEL):
            return Claim(text, (), UNCHECKED)
        named = self._sheet.rows(addresses)
        rows, verdict = self._best_of(text, named)
        if verdict.support != "supported":
            others, other = self._best_of(text, self._everything)
            if _better(other, verdict):
                rows, verdict = others, other
        if verdict.support == "unsupported" and says_nothing(text):
            return Claim(text, (), UNCHECKED)
        if verdict.support in ("unsupported", "unchecked"):
            return Claim(text, (), Verdict("unsupported", verdict.score or 0.0, verdict.reason))
        return Claim(text, tuple(map(self._span, rows)), verdict)

    def entry(self, text: str) -> tuple[int, str, str] | None:
        """The number and title of the paper that a bullet begins with, and what it goes on with."""
        said = _LABEL.sub("", text)
        ends = [len(said), *(match.end() for match in _TITLE_END.finditer(said))]
        for at in sorted(ends, reverse=True):  # the longest: a title may begin with a name
            head = letters(_DATE.sub("", said[:at]))
            for number, names in self._sheet.names().items():
                if head and head in map(letters, names):
                    rest = said[at:].strip(" -–—:")
                    title = self._sheet.papers[number - 1].paper.display_title
                    return number, title, rest[:1].upper() + rest[1:]
        return None

    def may_be_title(self, text: str) -> bool:
        """Whether a beginning may become the title of a paper of the sheet."""
        bare = letters(_PART_OF_DATE.sub("", _LABEL.sub("", text)))
        titles = [letters(name) for names in self._sheet.names().values() for name in names]
        return any(title.startswith(bare) for title in (*titles, "title"))

    def quote(self, number: int) -> Claim:
        """The best sentence of a paper of the sheet, as it stands there."""
        row = self._sheet.papers[number - 1].best
        return Claim(self._index.passages[row].text, (self._span(row),), Verdict("supported", 1.0))

    def ground_entry(self, number: int, text: str, addresses: Sequence[Address]) -> Claim:
        """What is said of one paper of a list: only that paper can support it."""
        own = [address for address in addresses if address.paper == number]
        claim = self.ground(text, own or [Address(number)])
        paper = self._sheet.papers[number - 1].paper
        if any(span.paper.id != paper.id for span in claim.spans):
            wrong = f"what supports it is not in “{paper.display_title}”"
            return Claim(text, (), Verdict("unsupported", 0.0, wrong))
        return claim

    def nearest(self, text: str, limit: int = 2) -> tuple[str, ...]:
        """The sentences of the sheet that a sentence comes nearest to, for its repair."""
        found, _ = best_support(
            text, self._texts(self._sheet.all_rows, text), self._checker, limit=limit
        )
        return tuple(self._index.passages[self._sheet.all_rows[at]].text for at in found)

    def recheck(self, claim: Claim, checker: Checker) -> Claim:
        """The claim with the verdict of another checker; its own if that one gives none."""
        if not claim.spans:
            return claim
        verdict = checker.check(claim.text, [_in_context(span, claim.text) for span in claim.spans])
        if verdict.support == "unchecked":
            return claim
        spans = () if verdict.support == "unsupported" else claim.spans
        return Claim(claim.text, spans, verdict)

    def _best_of(self, text: str, rows: Sequence[int]) -> tuple[tuple[int, ...], Verdict]:
        """The fewest of some passages that support a sentence as well as any, in their order."""
        if not rows:
            return (), Verdict("unsupported", 0.0, "no sentence of the evidence says this")
        texts = self._texts(rows, text)
        found, verdict = best_support(text, texts, self._checker)
        chosen = tuple(sorted(rows[at] for at in found))
        if verdict.support != "supported" and 2 < len(rows) <= _CITED_AT_MOST:
            together = self._checker.check(text, texts)
            if _better(together, verdict):
                return tuple(sorted(rows)), together
        return chosen, verdict

    def _texts(self, rows: Sequence[int], text: str) -> list[str]:
        return [_in_context(self._span(row), text) for row in rows]

    def _span(self, row: int) -> Span:
        passage = self._index.passages[row]
        return Span(self._index.papers[int(self._index.owner[row])], passage.start, passage.end)


def says_nothing(text: str) -> bool:
    """Whether a sentence only says that something is not said."""
    return bool(_SAYS_NOTHING.search(text))


def _in_context(span: Span, sentence: str) -> str:
    """A passage after what its paper is called: "it" there may be "MindSearch" in a sentence."""
    title = span.paper.display_title
    if letters(title) not in letters(sentence):
        title = ", ".join(own_names(span.paper)[:_NAMES])
    return f"{title}: {span.text}" if title else span.text


def _better(one: Verdict, other: Verdict) -> bool:
    """Whether a verdict is better by its word, not by its score alone."""
    return _RANK[one.support] > _RANK[other.support]
