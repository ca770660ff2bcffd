"""Where each sentence that a model wrote comes from, and whether that supports it.

A model says by markers what a sentence rests on; it may forget them, or be wrong. Its citations
are kept if they support the sentence. Otherwise the sentence is laid against the rest of the
evidence, and cites what supports it there. If nothing does, it cites nothing: a citation is never
attached because one was wanted.
"""

import re
from collections.abc import Collection, Sequence

from index.lexical import tokenize
from index.papers import letters
from index.store import Index
from rag.citations import Claim, Span
from rag.names import own_names, paper_tokens, subjects
from rag.own_work import own_from, speaks_of_others
from rag.retrieval import passage_rows
from rag.support import UNCHECKED, Checker, Verdict
from rag.support.align import best_support
from rag.support.local import LocalChecker
from rag.synthesis.markers import Address
from rag.synthesis.prompts import SENTINEL
from rag.synthesis.sheet import Sheet

_CANDIDATES = 40
_PAPERS = 4
"""Papers whose abstracts a sentence is laid against, those that share most of its words."""
_NAMES = 4
_SHORTEST = 3
_LONGEST_LEAD = 8
_NOTHING = Verdict("unsupported", 0.0, "no sentence of the evidence says this")
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
_LEADS_IN = re.compile(r"(?!.*\s[A-Z][a-z])[^.!?\d]{0,120}:$")
_CLAUSE = re.compile(r"(?:,|;)?\s+(?:while|whereas|but|and)\s+|;\s+")


class Grounder:
    """Grounds the sentences of one reply in one sheet."""

    def __init__(self, index: Index, sheet: Sheet, checker: LocalChecker) -> None:
        self._index = index
        self._sheet = sheet
        self._checker = checker
        rows = [row for at in sheet.papers for row in passage_rows(index, at.row)]
        self._everything = tuple(rows) if len(rows) <= _CANDIDATES else sheet.all_rows
        self._bound: dict[str, int] = {}
        """Sentences of a list that only one paper can support, and its number."""

    def ground(self, text: str, addresses: Sequence[Address]) -> Claim:
        """A sentence with the spans that support it, and what its check said.

        What it rests on stands in one abstract: facts of two papers do not add up to a third. If it
        names papers of the sheet it is theirs, and what it says of several is taken apart.
        """
        if _leads_in(text) or letters(text) == letters(SENTINEL):
            return Claim(text, (), UNCHECKED)
        rows, verdict = self._whole_or_apart(text, self._sheet.rows(addresses), self._about(text))
        if verdict.support == "unsupported" and says_nothing(text):
            return Claim(text, (), UNCHECKED)
        if verdict.support in ("unsupported", "unchecked"):
            return Claim(text, (), Verdict("unsupported", verdict.score or 0.0, verdict.reason))
        return Claim(text, tuple(map(self._span, rows)), verdict)

    def _about(self, text: str) -> set[str]:
        """The ids of the papers of the sheet that a text names."""
        papers = [at.paper for at in self._sheet.papers]
        return {paper.id for paper in subjects(text, papers, self._index.lexical)}

    def _whole_or_apart(
        self, text: str, named: Sequence[int], about: Collection[str]
    ) -> tuple[tuple[int, ...], Verdict]:
        """The passage that supports a sentence, or one for each of its clauses."""
        rows, verdict = self._support(text, named, about)
        if verdict.support == "supported":
            return rows, verdict
        apart, other = self._apart(text, named, about)
        return (apart, other) if _better(other, verdict) else (rows, verdict)

    def _support(
        self, text: str, named: Sequence[int], about: Collection[str]
    ) -> tuple[tuple[int, ...], Verdict]:
        """The passage that supports a sentence: of those named, or else the best there is."""
        rows, verdict = self._best_of(text, named, about)
        if verdict.support != "supported":
            others, other = self._best_of(text, self._everything, about)
            if not rows or _better(other, verdict):
                rows, verdict = others, other
        return rows, verdict

    def _apart(
        self, text: str, named: Sequence[int], about: Collection[str]
    ) -> tuple[tuple[int, ...], Verdict]:
        """What supports the clauses of a sentence, each in the paper it names or all are about.

        The verdict is the worst of them. Passages are not read together in any other way: a name
        from one and a fact from another would make a third.
        """
        clauses = _CLAUSE.split(text)
        if len(clauses) < 2 or min(len(clause.split()) for clause in clauses) < _SHORTEST:
            return (), _NOTHING
        rows: list[int] = []
        worst = Verdict("supported", 1.0)
        for clause in clauses:
            own = self._about(clause) or about
            found, verdict = self._support(clause, named, own if len(own) == 1 else about)
            rows += found
            worst = min(worst, verdict, key=_order)
        return tuple(dict.fromkeys(rows)), worst

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
        self._bound[text] = number
        if _leads_in(text):
            return Claim(text, (), UNCHECKED)
        at = self._sheet.papers[number - 1]
        named = self._sheet.rows(address for address in addresses if address.paper == number)
        rows, verdict = self._whole_or_apart(text, named or at.rows, {at.paper.id})
        if verdict.support == "unsupported" and says_nothing(text):
            return Claim(text, (), UNCHECKED)
        spans = () if verdict.support == "unsupported" else tuple(map(self._span, rows))
        return Claim(text, spans, verdict)

    def reground(self, text: str, before: str) -> Claim:
        """A sentence in the place of another: what only one paper could support stays so."""
        number = self._bound.get(before)
        return self.ground_entry(number, text, ()) if number else self.ground(text, ())

    def nearest(self, text: str, limit: int = 2) -> tuple[str, ...]:
        """The sentences that a sentence comes nearest to, of its paper if it is bound to one."""
        number = self._bound.get(text)
        rows = self._sheet.papers[number - 1].rows if number else self._sheet.all_rows
        found, _ = best_support(text, self._texts(rows, text), self._checker, limit=limit)
        return tuple(self._index.passages[rows[at]].text for at in found)

    def recheck(self, claim: Claim, checker: Checker) -> Claim:
        """The claim with the verdict of another checker; its own if that one gives none."""
        if not claim.spans:
            return claim
        verdict = checker.check(claim.text, [_in_context(span, claim.text) for span in claim.spans])
        if verdict.support == "unchecked":
            return claim
        spans = () if verdict.support == "unsupported" else claim.spans
        return Claim(claim.text, spans, verdict)

    def _best_of(
        self, text: str, rows: Sequence[int], about: Collection[str]
    ) -> tuple[tuple[int, ...], Verdict]:
        """The fewest passages of one paper that support a sentence as well as any of `rows` do."""
        papers: dict[int, list[int]] = {}
        for row in rows:
            papers.setdefault(int(self._index.owner[row]), []).append(row)
        if about:
            papers = {p: r for p, r in papers.items() if self._index.papers[p].id in about}
        if len(papers) > _PAPERS:
            said = set(tokenize(text))
            shared = {
                paper: len(said & paper_tokens(self._index.papers[paper])) for paper in papers
            }
            papers = {p: papers[p] for p in sorted(papers, key=lambda p: -shared[p])[:_PAPERS]}
        best: tuple[tuple[int, ...], Verdict] | None = None
        for own in papers.values():
            found, verdict = best_support(text, self._texts(own, text), self._checker, limit=1)
            if best is None or _order(verdict) > _order(best[1]):
                best = tuple(sorted(own[at] for at in found)), verdict
        return best or ((), _NOTHING)

    def _texts(self, rows: Sequence[int], text: str) -> list[str]:
        return [_in_context(self._span(row), text) for row in rows]

    def _span(self, row: int) -> Span:
        passage = self._index.passages[row]
        return Span(self._index.papers[int(self._index.owner[row])], passage.start, passage.end)


def says_nothing(text: str) -> bool:
    """Whether a sentence only says that something is not said."""
    return bool(_SAYS_NOTHING.search(text))


def _leads_in(text: str) -> bool:
    """Whether a line only announces what follows: "These papers fit:"."""
    return bool(_LEADS_IN.fullmatch(text)) and len(text.split()) <= _LONGEST_LEAD


def _in_context(span: Span, sentence: str) -> str:
    """A passage after what its paper is called: "it" there may be "MindSearch" in a sentence.

    Not so what an abstract says of earlier work, before its own begins or beside it.
    """
    if span.start < own_from(span.paper) or speaks_of_others(span.text):
        return span.text
    title = span.paper.display_title
    called = (
        [title] if letters(title) in letters(sentence) else list(own_names(span.paper)[:_NAMES])
    )
    called = [name for name in called if _is_what_it_is_said_of(name, sentence)]
    return f"{', '.join(called)}: {span.text}" if called else span.text


def _is_what_it_is_said_of(name: str, sentence: str) -> bool:
    """Whether a sentence is said of a name: it opens with it, or ends "… of MindSearch"."""
    said = re.escape(name)
    opens = rf"(?:(?:according to|in|on|for|with|the|of|by)\s+){{0,2}}{said}(?!\w)"
    ends = rf".*\b(?:of|in|on|for|by|with|under)\s+(?:the\s+)?{said}\W*"
    return bool(re.match(rf"\W*{opens}", sentence, re.IGNORECASE)) or bool(
        re.fullmatch(ends, sentence, re.IGNORECASE | re.DOTALL)
    )


def _order(verdict: Verdict) -> tuple[int, float]:
    return _RANK[verdict.support], verdict.score or 0.0


def _better(one: Verdict, other: Verdict) -> bool:
    """Whether a verdict is better by its word, not by its score alone."""
    return _RANK[one.support] > _RANK[other.support]
