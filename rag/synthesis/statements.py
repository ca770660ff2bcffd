"""Parse the sentences of a chat model's reply, and ground each in the abstracts.

A reply is JSON, or text with markers: one or more numbers in square brackets, as in [1.2, 2.1].
A sentence keeps the citations that support it, or else cites what does so elsewhere, or nothing: a
citation is never attached only because one was wanted.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from html import unescape
from typing import Any

import numpy as np
from pydantic_core import from_json

from index.encoder import Encoder
from index.passages import sentence_spans
from index.store import Index
from rag.citations import Claim, Span, quote
from rag.support import UNCHECKED, Checker, JudgeChecker, Verdict, same_words
from rag.support.numbers import names
from rag.synthesis.prompts import SENTINEL, Address, Sheet


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a reply in plain text, and the addresses that the model cites for it."""

    text: str
    addresses: tuple[Address, ...] = ()
    heading: str | None = None
    """The heading above the sentence, if it is the first one under that heading."""


Has = Callable[[Address], bool]
"""Tells whether the sheet has an address."""

_MARK = re.compile(
    r"(?i)[ \t]*[\[【〔]+\^?\s*(?:[a-z]+\.? )?"
    r"(\d{1,4}(?:\.\d{1,3})?(?:[\s,;&–-]+(?:and |paper |sentence )?\d{1,4}(?:\.\d{1,3})?)*)"
    r"\s*(?:†[^\]】]*)?[\]】〕]+"
)
_NUMBER = re.compile(r"(\d{1,4})(?:\.(\d{1,3}))?(?:\s*[–-]\s*(?:\d{1,4}\.)?(\d{1,3}))?")
_OPENING = re.compile(r"^\s*(?:[-*+•–>]\s+|\(?\d{1,2}[.)]\s+)*(?:(?:final )?answer:\s*)?", re.I)
_EMPHASIS = re.compile(r"\*\*|__|`+|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)")
_CLOSES = ("\n", "].", "]!", "]?", "]。", "】.", "】。")
"""Ends of a text after which neither the sentence nor its addresses go on."""
_SOURCES = frozenset("reference references source sources citation citations".split())
"""Headings of lists of references; no statement follows them."""


def read_statements(text: str, has: Has, *, whole: bool = True) -> tuple[list[Statement], bool]:
    """Parse the statements of a reply, and whether it says that the abstracts do not answer.

    If the reply is not `whole` yet, a last statement that may go on is left out.
    """
    begun = text[text.find("{") :] if "{" in text else ""
    if not begun[1:].lstrip().startswith('"sentences"'):
        if not whole and text.lstrip("` \n").removeprefix("json").lstrip().startswith("{"):
            return [], False  # JSON of which too little has arrived
        found = _parse_marked(text, has)
        claims = [each for each in found if SENTINEL.lower() not in each.text.lower()]
        is_open = not whole and not text.rstrip(" ").endswith(_CLOSES)
        return (claims[:-1] if is_open else claims), len(claims) < len(found)
    try:
        items, is_closed = _parse_json(begun.partition("```")[0])
    except ValueError:
        return _parse_marked(text, has), False
    shown = items if whole or is_closed else items[:-1]
    return [each for item in shown for each in _parse_item(item, has)], whole and not items


def _parse_json(text: str) -> tuple[list[Any], bool]:
    """Parse JSON that may be incomplete; return its sentences, and whether the last is complete."""
    begun, is_closed = text.rstrip(" \n,"), True
    for end in ("", "]}"):
        with suppress(ValueError):
            reply = from_json(begun + end)
            break
    else:
        reply, is_closed = from_json(text, allow_partial=True), False
    listed = reply.get("sentences")
    return listed if isinstance(listed, list) else [None], is_closed


def _parse_item(item: object, has: Has) -> list[Statement]:
    """Return the statements of an item of a structured reply, each with all that the item cites."""
    sentence = item if isinstance(item, dict) else {"text": item}
    cited = tuple(filter(has, _parse_addresses(str(sentence.get("cites") or ""))))
    found = _parse_marked(str(sentence.get("text") or ""), has)
    return [replace(s, addresses=tuple(dict.fromkeys((*s.addresses, *cited)))) for s in found]


def _parse_marked(text: str, has: Has) -> list[Statement]:
    found: list[Statement] = []
    heading: str | None = None
    for line in unescape(text).splitlines():
        if line.strip(" \t#*_:").casefold() in _SOURCES:
            break
        if above := _heading(line):
            heading = above
            continue
        for each in _parse_line(_EMPHASIS.sub("", _OPENING.sub("", line)), has):
            found.append(replace(each, heading=heading))
            heading = None
    # Leave out "Here are the papers:" and "Sure!".
    return [each for each in found if each.addresses or not each.text.endswith((":", "!"))]


def _heading(line: str) -> str:
    """Return a heading line ("## Merging", "**Merging**:") without its marks; "" for others."""
    bare = line.strip().removesuffix(":")
    is_bold = bare.startswith("**") and bare.endswith("**") and bare.count("**") == 2
    is_bold = is_bold and len(bare) <= 80 and not _MARK.search(bare)
    if bare.startswith("#") or is_bold:
        return _MARK.sub("", bare).strip(" #*:")
    return ""


def _parse_line(line: str, has: Has) -> Iterator[Statement]:
    """Yield the sentences of a line; an address belongs to the sentence that it is in or after."""
    text, at = "", 0
    marks: list[tuple[int, str]] = []
    for mark in _MARK.finditer(line):
        text += line[at : mark.start()]
        marks.append((len(text), mark[1]))
        at = mark.end()
        if line[at : at + 1].isalnum():
            text += " "
    text += line[at:]
    spans = [at for at in sentence_spans(text) if any(map(str.isalnum, text[slice(*at)]))]
    begins = [start for start, _ in spans[1:]]
    for (start, end), until in zip(spans, [*begins, len(text)], strict=False):
        numbers = " ".join(of for place, of in marks if start < place <= until)
        cited = dict.fromkeys(filter(has, _parse_addresses(numbers)))
        yield Statement(" ".join(text[start:end].split()), tuple(cited))


def _parse_addresses(numbers: str) -> Iterator[Address]:
    """Yield the addresses in "1.2, 2.1-2.3"; a range ends at most twenty after its first one."""
    for paper, sentence, to in _NUMBER.findall(numbers):
        first = int(sentence or paper)
        for each in range(first, min(int(to or first), first + 20) + 1):
            yield Address(int(paper), each) if sentence else Address(each)


_PAPER = re.compile(r"\bPaper (\d{1,3})\b(:?)(?!\.\d)")
"""A paper by its number on the sheet, which means nothing to readers."""
_OF_PAPERS = re.compile(
    r"(?i)(?:(?:all|both|none|neither|each|some|most) of )?(?:they|them|these|both|none|all"
    r"|the(?:se)? (?:papers|abstracts|works|studies|answers?))\b"
)
_WORST_FIRST = ("unsupported", "unchecked", "partly", "supported")

Found = tuple[tuple[int, ...], Verdict]
"""Rows of passages, and the verdict on whether they support a sentence."""


class Grounder:
    """Grounds statements in the abstracts of a sheet."""

    def __init__(self, sheet: Sheet, encoder: Encoder, checker: Checker) -> None:
        self.sheet, self._index, self._checker = sheet, sheet.index, checker
        self._encode = cache(encoder.encode_query)
        self._everything = [row for rows in sheet.passages for row in rows]
        self._grounded: dict[Statement, Claim] = {}

    def ground(self, statement: Statement) -> Claim:
        """Return a statement as a claim with the passages that support it; keeps the result."""
        if statement not in self._grounded:
            claim, numbers = self._ground(statement), {at.paper for at in statement.addresses}
            papers = claim.papers or tuple(self.sheet.papers[at - 1] for at in sorted(numbers))
            self._grounded[statement] = replace(claim, heading=statement.heading, papers=papers)
        return self._grounded[statement]

    def ground_all(self, statements: Iterable[Statement]) -> list[Claim]:
        """Ground the statements that a reply makes, each once."""
        return [self.ground(each) for each in dict.fromkeys(statements)]

    def _ground(self, statement: Statement) -> Claim:
        text, addressed = self._name_papers(statement.text), self.sheet.rows(statement.addresses)
        if not addressed and is_remark(text):
            return Claim(text, (), UNCHECKED)
        if titled := self._titled(text):
            return titled
        owner, mentioning = self._index.owner, papers_mentioning(self._index, text)
        able = [row for row in self._everything if int(owner[row]) in mentioning]
        cited = [row for row in addressed if row in able]
        rows, verdict = self._check_cited(text, statement.addresses, cited)
        papers = {int(owner[row]) for row in cited}
        papers |= {row for name in self._index.names.read(text) for row in name.own}
        of_papers = [row for row in able if int(owner[row]) in papers]
        for elsewhere in (of_papers, able):
            if verdict.support == "supported":
                break
            others, other = self._best(text, elsewhere)
            if not rows or other.support == "supported":
                rows, verdict = others, other
        if verdict.support == "unchecked" and not addressed:  # the model did not cite these either
            nowhere = "no sentence that was read says this"
            verdict = Verdict("unsupported", verdict.score, nowhere)
        if verdict.support == "unsupported" or not rows or verdict == UNCHECKED:
            return Claim(text, (), Verdict("unsupported", verdict.score or 0.0, verdict.reason))
        return Claim(text, self._spans(rows), verdict)

    def _titled(self, text: str) -> Claim | None:
        """Return the title of a paper as a claim: supported only if the abstract says the same."""
        for row, passages in zip(self.sheet.papers, self.sheet.passages, strict=True):
            if same_words(text, [self._index.papers[row].display_title]):
                same = [at for at in passages if same_words(text, [self._index.passages[at].text])]
                only = Verdict("unsupported", 0.0, "this is only the title of a paper")
                verdict = Verdict("supported", 1.0) if same else only
                return Claim(text, self._spans(same[:1]), verdict, papers=(row,))
        return None

    def check_again(self, claims: Sequence[Claim], judge: JudgeChecker | None) -> list[Claim]:
        """Return the claims with the verdicts of a judge, where it gives any."""
        checked = [*claims]
        cited = [[in_context(span) for span in claim.spans] for claim in claims]
        verdicts = judge.check_all([claim.text for claim in claims], cited) if judge else []
        for at, verdict in enumerate(verdicts):
            if verdict.support != "unchecked":
                spans = () if verdict.support == "unsupported" else claims[at].spans
                checked[at] = replace(claims[at], spans=spans, verdict=verdict)
        return checked

    def nearest(self, text: str) -> list[str]:
        """Return the two sentences of the sheet that are nearest to a text, best first."""
        return [self._index.passages[row].text for row in self._near(text, self._everything)[:2]]

    def _name_papers(self, text: str) -> str:
        """Replace "Paper 2" in a sentence by the name or title of the paper."""

        def name(match: re.Match[str]) -> str:
            if not self.sheet.has(Address(int(match[1]))):
                return match[0]
            if match[2] and match.start() == 0:
                return ""  # "Paper 2: OSWorld: …"
            row = self.sheet.papers[int(match[1]) - 1]
            title = f"“{self._index.papers[row].display_title}”"
            return (self._index.names.called(row) or title) + match[2]

        return _PAPER.sub(name, text).strip()

    def _check_cited(self, text: str, addresses: Sequence[Address], cited: Sequence[int]) -> Found:
        """Check what the model cites: all of it, or the best of over six or of a whole paper."""
        if 0 < len(cited) <= 6:
            found = self._check(text, *cited)
            if found[1].support == "supported" or all(at.sentence for at in addresses):
                return found
        return self._best(text, cited)

    def _best(self, text: str, rows: Sequence[int]) -> Found:
        """Find the passage that supports a sentence best, or two that do so together."""
        if not rows:
            return (), UNCHECKED
        near = self._near(text, rows)
        first, verdict = best = max((self._check(text, row) for row in near), key=_order)
        if verdict.support == "supported":
            return best
        others = [row for row in near if row not in first][:3]
        return max([best, *(self._check(text, *first, row) for row in others)], key=_order)

    def _near(self, text: str, rows: Sequence[int]) -> list[int]:
        cosines = self._index.passage_vectors[list(rows)] @ self._encode(text)
        return [rows[int(at)] for at in np.argsort(-cosines, kind="stable")[:6]]

    def _check(self, text: str, *rows: int) -> Found:
        spans = self._spans(sorted(rows))
        verdict = Verdict("supported", 1.0)
        if not same_words(text, [span.text for span in spans]):
            verdict = self._checker.check(text, [in_context(span) for span in spans])
        return tuple(sorted(rows)), verdict

    def _spans(self, rows: Iterable[int]) -> tuple[Span, ...]:
        return tuple(span for row in rows for span in quote(self._index, row).spans)


def papers_mentioning(index: Index, text: str) -> Collection[int]:
    """Return the rows of the papers that may support a sentence: what one found is not another's.

    If it begins with the name of a paper of the index, written as a name or as the paper writes it,
    they are those that mention it or another paper named; else all.
    """
    named = index.names.read(text)
    begins = bool(named) and text[: named[0].start].strip(' “"').lower() in ("", "the")
    called = {index.names.called(row) for row in named[0].own} if begins else set()
    if not called or not (named[0].proper or named[0].text in called):
        return range(len(index.papers))
    return {row for name in named if name.own for row in name.mentioned}


def in_context(span: Span) -> str:
    """Put the title of its paper before a passage: "it" may stand for "MindSearch" of the title."""
    return f"{span.paper.display_title}: {span.text}"


def is_remark(text: str) -> bool:
    """Return whether a sentence is about the answer itself: "They fall into three groups"."""
    is_short = len(text.split()) <= 15 and bool(_OF_PAPERS.match(text))
    return is_short and not names(text) and not any(map(str.isdigit, text))


def _order(found: Found) -> tuple[int, float]:
    return _WORST_FIRST.index(found[1].support), found[1].score or 0.0
