"""Answers written by a chat model from whole abstracts, every sentence grounded as it comes.

A text about many papers is one note on each, written in batches of abstracts, and then a text from
the notes, citations carried through. What the model leaves out or cannot support is quoted there,
so no paper is lost.
"""

import re
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from index.store import Index
from rag.chat import Asking, ChatError, ReplyError, numbered_lines, tokens_of
from rag.citations import Block, Claim, compose
from rag.evidence import leading
from rag.quote import quote
from rag.retrieval import passage_rows
from rag.schema import Delta, Length, Progress
from rag.settings import Unsupported
from rag.support import AnswerChecker, Checker
from rag.synthesis.prompts import (
    STRUCTURE,
    Sheet,
    contributions,
    gathering,
    lay_out,
    repairing,
    writing,
)
from rag.synthesis.statements import Grounder, Statement, in_context, read_statements
from rag.wording import Kind

ONE_EACH = frozenset({Kind.PAPERS, Kind.SIMILAR, Kind.CHOOSE})
"""Kinds whose answers are bullets, a paper each."""
_MOST_REPAIRED = 6
"""Sentences that the model is asked to mend; with more of them the reply as a whole is doubtful."""
_DECLINES = re.compile(
    r"^(?:i['’]?m |i am )?(?:sorry|unable)\b|^i (?:can(?:not|['’]t)|won['’]t|must decline)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Task:
    """What is to be written, and under which rules."""

    question: str
    """Standing alone."""
    subject: str | None
    """What it is about; None if it is about the papers as a whole."""
    kind: Kind
    max_tokens: int
    unsupported: Unsupported = "repair"
    length: Length = "normal"
    strict: bool = False
    """Whether a sentence that is supported only in part fails its check too."""
    parts: tuple[str, ...] = ()
    """The sub-questions it was planned into, if any."""

    def fails(self, claim: Claim) -> bool:
        """Whether the check of a claim says that the abstracts do not state it.

        Strictly, whether it does not say that they do; a remark about the answer states nothing.
        """
        if claim.verdict is None or claim.verdict.support == "supported":
            return False
        return claim.verdict.support == "unsupported" or (self.strict and bool(claim.spans))

    def drops(self, claim: Claim) -> bool:
        """Whether a claim is left out."""
        return self.unsupported == "drop" and self.fails(claim)


@dataclass(frozen=True)
class Written:
    """What came of it."""

    blocks: tuple[Block, ...] = ()
    says_nothing: bool = False
    """Whether the model says that the abstracts do not answer."""
    notice: str | None = None
    """What a reader should know of it: that it was cut off, or why there is nothing."""


Headed = tuple[str | None, Claim]
"""A claim, and the heading above it if it is the first under one."""


@dataclass(frozen=True)
class Draft:
    """An answer that is written from one sheet."""

    task: Task
    asking: Asking
    sheet: Sheet
    grounder: Grounder
    checker: AnswerChecker | None
    """Has the last word on sentences that were grounded, if there is one."""
    _grounded: dict[Statement, Claim] = field(default_factory=dict)

    def write(self) -> Generator[Progress | Delta, None, Written]:
        """Write the answer, yielding progress and text.

        Raises:
            ChatError: the model cannot be asked, or gave nothing that can be used.
        """
        yield Progress(stage="write", text="Writing")
        headed, says_nothing, was_cut = yield from self._read()
        claims = [claim for _, claim in headed]
        tokens = self.task.max_tokens
        cut = f"The answer was cut off at the limit of {tokens} tokens (ABSTRACTQA_ANSWER_TOKENS)."
        if not claims:
            return Written(says_nothing=says_nothing, notice=cut if was_cut else None)
        if _DECLINES.match(claims[0].text) and not claims[0].spans:
            return Written(notice=f"The model declined: “{claims[0].text}”")
        settled = yield from self._settle(claims)
        kept = [(at, claim) for (at, _), claim in zip(headed, settled, strict=True) if claim]
        if not any(claim.spans for _, claim in kept):
            notice = "Nothing that the model wrote could be found in the abstracts."
            return Written(says_nothing=says_nothing, notice=notice)
        return Written(tuple(self._arrange(kept)), notice=cut if was_cut else None)

    def _read(self) -> Generator[Delta, None, tuple[list[Headed], bool, bool]]:
        """Take a reply in while it comes: its claims, whether it says nothing, and was cut off."""
        task, asking, has = self.task, self.asking, self.sheet.has
        structured = "response_format" not in asking.model.refused
        messages = writing(
            task.question, task.kind, self.sheet, task.parts,
            length=task.length, structured=structured,
        )  # fmt: skip
        options = {"response_format": STRUCTURE} if structured else {}
        text, shown = "", ""
        with asking.stream(messages, max_tokens=task.max_tokens, **options) as stream:
            for text in stream:
                # Before its first reply is whole it may be that a model thinks aloud.
                is_answer = text.startswith("{") or asking.model.streams_thoughts is not None
                claims = self._claims(read_statements(text, has, whole=False)[0])
                if new := self._new_text(claims, shown, is_answer=is_answer):
                    shown += new
                    yield Delta(text=new)
            was_cut = stream.reply.cut
        statements, says_nothing = read_statements(text, has)
        if was_cut and statements and not _is_ended(statements[-1].text):
            statements.pop()  # the sentence in the middle of which it stopped
        claims = self._claims(statements)
        if new := self._new_text(claims, shown, is_answer=True):
            yield Delta(text=new)
        return claims, says_nothing, was_cut

    def _claims(self, statements: Sequence[Statement]) -> list[Headed]:
        """Statements, each grounded once; one that is there twice is left out."""
        fresh = list(dict.fromkeys(statements))
        ground, known = self.grounder.ground, self._grounded
        known.update({each: ground(each) for each in fresh if each not in known})
        return [(each.heading, known[each]) for each in fresh]

    def _new_text(self, claims: Sequence[Headed], shown: str, *, is_answer: bool) -> str:
        """What is new of the answer's text, if it goes on from what was shown."""
        drops = self.task.drops
        kept = [(h, c) for h, c in claims if (c.spans or is_answer) and not drops(c)]
        whole = compose(self._arrange(kept)).text
        return whole[len(shown) :] if whole.startswith(shown) else ""

    def _settle(self, claims: Sequence[Claim]) -> Generator[Progress, None, list[Claim | None]]:
        """The claims checked as a whole, and mended once where they fail; None: left out."""
        cited = sum(len(claim.spans) for claim in claims)
        yield Progress(stage="check", text=f"Checking {cited} citation{'s' * (cited != 1)}")
        checked: list[Claim | None] = list(self._check(claims))
        failing = [at for at, claim in enumerate(checked) if claim and self.task.fails(claim)]
        if failing and self.task.unsupported == "repair" and len(failing) <= _MOST_REPAIRED:
            count = f"{len(failing)} sentence{'s' * (len(failing) != 1)}"
            yield Progress(stage="repair", text=f"Asking for {count} again")
            for place, claim in self._mend([claims[at].text for at in failing]).items():
                checked[failing[place]] = claim
        return [None if claim and self.task.drops(claim) else claim for claim in checked]

    def _check(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        return self.grounder.check_again(claims, self.checker) if self.checker else claims

    def _mend(self, texts: Sequence[str]) -> dict[int, Claim | None]:
        """Sentences that the model wrote anew and that hold now, by their place in `texts`.

        None where it found nothing to say; what still fails is not there.
        """
        messages = repairing([(text, self.grounder.nearest(text)) for text in texts])
        try:
            reply = self.asking.complete(messages, max_tokens=80 * len(texts))
        except ChatError:
            return {}  # what was written counts all the same
        mended: dict[int, Claim | None] = {}
        fresh: dict[int, Claim] = {}
        for number, text in numbered_lines(reply):
            place = number - 1
            statements, _ = read_statements(text, lambda _: False)
            if place not in range(len(texts)):
                continue
            if text.strip(" .*\"'`").lower() == "drop":
                mended[place] = None
            elif len(statements) == 1 and (claim := self.grounder.ground(statements[0])).spans:
                fresh[place] = claim
        for place, claim in zip(fresh, self._check([*fresh.values()]), strict=True):
            if not self.checker or (claim.verdict and claim.verdict.support == "supported"):
                mended[place] = claim
        return mended

    def _arrange(self, claims: Sequence[Headed]) -> list[Block]:
        """Claims as paragraphs under headings, or as bullets under the titles of their papers."""
        blocks: list[Block] = []
        for heading, claim in claims:
            papers = {span.paper.id: span.paper for span in claim.spans}
            bullet = self.task.kind in ONE_EACH and len(papers) == 1
            title = next(iter(papers.values())).display_title if bullet else heading
            last = blocks[-1] if blocks else None
            if last and last.bullet == bullet and (title == last.title if bullet else not title):
                blocks[-1] = Block((*last.claims, claim), last.title, bullet)
            else:
                blocks.append(Block((claim,), title, bullet))
        return blocks


def _is_ended(text: str) -> bool:
    """Whether a text ends where a sentence does."""
    return text.rstrip("\"”’」』）')]").endswith((".", "!", "?", "。", "！", "？", "…"))


MOST_PAPERS = 120
"""Papers that a text is written about."""
BATCH = 10
"""Abstracts of one request at most."""

Notes = dict[int, Claim]
"""A sentence on each paper, by its row."""


@dataclass(frozen=True)
class ManyPapers:
    """A text about more papers than one request holds."""

    index: Index
    task: Task
    asking: Asking
    ground: Callable[[Sheet], Grounder]
    """Grounds the notes on the papers of a sheet."""

    def write(
        self, rows: Sequence[int], budget: int, checker: Checker
    ) -> Generator[Progress, None, Written]:
        """Write the text about the papers of these rows, yielding progress.

        `budget` is in tokens of a batch of abstracts; `checker` says whether notes support a
        sentence made from several. Raises ChatError where the model gave no note at all.
        """
        notes, problem = yield from self._read(self._batches(rows, budget), len(rows))
        if problem and not notes:
            raise problem
        missing = [row for row in rows if row not in notes]
        for row in missing:
            if (at := leading(self.index, row)) is not None:
                notes[row] = quote(self.index, at)
        noted = {row: notes[row] for row in rows if row in notes}
        yield Progress(stage="write", text=f"Writing about {len(noted)} papers")
        blocks = self._gathered(noted, checker)
        notice = None
        if problem or len(missing) > len(noted) // 2:
            why = f": {problem}" if problem else ""
            notice = f"{len(missing)} of the {len(noted)} papers are quoted, not summed up{why}."
        return Written(tuple(blocks), notice=notice)

    def _batches(self, rows: Sequence[int], budget: int) -> list[Sheet]:
        """All papers on sheets of whole abstracts within the budget."""
        left = [row for row in rows if passage_rows(self.index, row)]
        sheets: list[Sheet] = []
        while left:
            sheets.append(lay_out(self.index, left[:BATCH], budget))
            left = [row for row in left if row not in sheets[-1].papers]
        return sheets

    def _read(
        self, sheets: Sequence[Sheet], count: int
    ) -> Generator[Progress, None, tuple[Notes, ChatError | None]]:
        """The notes on the papers of all sheets, and why some are missing."""
        tokens = sum(tokens_of(sheet.text) for sheet in sheets)
        if len(sheets) > 1:
            cost = f"{round(tokens, -2):,} tokens{self.asking.priced(tokens)}"
            plan = f"{count} abstracts in {len(sheets) + 1} requests, about {cost}"
            yield Progress(stage="plan", text=plan)
        notes: Notes = {}
        problem: ChatError | None = None
        read = 0
        pool = ThreadPoolExecutor(4)
        try:
            for sheet, asked in [(sheet, pool.submit(self._notes, sheet)) for sheet in sheets]:
                first, read = read + 1, read + len(sheet.papers)
                text = f"Reading abstracts {first}–{read} of {count}"
                yield Progress(stage="read", text=text)
                try:
                    notes |= asked.result()
                except ChatError as error:
                    problem = problem or error
        except BaseException:  # given up: nothing more is asked
            self.asking.cancel()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        return notes, problem

    def _notes(self, sheet: Sheet) -> Notes:
        """What the model says of each paper of a sheet and its check supports."""
        messages = contributions(self.task.subject, sheet)
        try:
            reply = self.asking.complete(messages, max_tokens=80 * len(sheet.papers))
        except ReplyError:
            return {}  # these papers are quoted
        grounder = self.ground(sheet)
        rows = {self.index.papers[row].id: row for row in sheet.papers}
        found: Notes = {}
        for statement in read_statements(reply, sheet.has)[0]:
            claim = grounder.ground(statement)
            cited = {rows[span.paper.id] for span in claim.spans}
            meant = {sheet.papers[address.paper - 1] for address in statement.addresses}
            if len(cited) == 1 and cited <= (meant or cited) and not self.task.drops(claim):
                found.setdefault(cited.pop(), claim)
        return found

    def _gathered(self, notes: Notes, checker: Checker) -> list[Block]:
        """The text made from the notes, and the notes that it leaves out or gets wrong."""
        rows = [*notes]
        titles = {row: self.index.papers[row].display_title for row in rows}
        listed = [f"{titles[row]}: {notes[row].text}" for row in rows]
        try:
            messages = gathering(self.task.question, listed)
            reply = self.asking.complete(messages, max_tokens=self.task.max_tokens)
        except ChatError:
            reply = ""
        statements, _ = read_statements(reply, lambda address: 1 <= address.paper <= len(rows))
        blocks: list[Block] = []
        left = dict(notes)
        for statement in statements:
            own = [rows[a.paper - 1] for a in statement.addresses if a.sentence is None]
            fresh = [left.pop(row) for row in own if row in left]
            claims = _of_notes(statement, [notes[row] for row in own], fresh, checker)
            if statement.heading or not blocks:
                blocks.append(Block((), statement.heading))
            blocks[-1] = Block((*blocks[-1].claims, *claims), blocks[-1].title)
        blocks = [block for block in blocks if block.claims]
        if not left or (self.task.length == "short" and blocks):
            return blocks
        further = [Block((), "Further papers")] if blocks else []
        bullets = (Block((claim,), titles[row], bullet=True) for row, claim in left.items())
        return [*blocks, *further, *bullets]


def _of_notes(
    statement: Statement, notes: Sequence[Claim], fresh: Sequence[Claim], checker: Checker
) -> tuple[Claim, ...]:
    """A sentence made from notes if what they cite supports it, else the notes not used before."""
    spans = tuple(dict.fromkeys(span for claim in notes for span in claim.spans))
    verdict = checker.check(statement.text, [in_context(span) for span in spans])
    if spans and verdict.support == "supported":
        return (Claim(statement.text, spans, verdict),)
    return tuple(fresh)
