"""Texts about many papers: one note on each, then a text from the notes, citations carried through.

The notes are written in batches of whole abstracts (map), and put together under headings (reduce).
What the model leaves out or cannot support is filled in with quotes, so no paper is lost.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

from index.store import Index
from rag.chat import Asking, ChatError, ReplyError, StoppedError, tokens_of
from rag.citations import Block, Claim
from rag.evidence import leading
from rag.retrieval import passage_rows
from rag.schema import Progress
from rag.support import Checker, Verdict
from rag.synthesis.drafting import Task, Written
from rag.synthesis.grounding import Grounder, in_context
from rag.synthesis.prompts import contributions, gathering
from rag.synthesis.sheet import Sheet, Statement, lay_out, read_statements

MOST_PAPERS = 120
BATCH = 10
"""Abstracts of one request at most."""
SIDE_BY_SIDE = 4
"""Requests at the same time."""
_TOKENS_OF_NOTE = 80
_QUOTED = Verdict("supported", 1.0)

Notes = dict[int, Claim]
"""What is said of each paper, by its row."""


class ManyPapers:
    """Writes a text about many papers."""

    def __init__(
        self, index: Index, task: Task, asking: Asking, ground: Callable[[Sheet], Grounder]
    ) -> None:
        """Begin; `ground` grounds the notes on the papers of a sheet."""
        self._index = index
        self._task = task
        self._asking = asking
        self._ground = ground

    def write(
        self, rows: Sequence[int], budget: int, checker: Checker
    ) -> Generator[Progress, None, Written]:
        """Have the text written; what is told on the way is progress.

        Args:
            rows: Of the papers, in the order in which they are told where the model gives none.
            budget: Tokens of a batch of abstracts.
            checker: Whether notes support a sentence made from several.

        Raises:
            ChatError: the model gave no note at all.
        """
        notes, problem = yield from self._read(self._batches(rows, budget), len(rows))
        if problem and not notes:
            raise problem
        missing = [row for row in rows if row not in notes]
        spans = self._ground(Sheet(self._index, (), ())).span
        for row in missing:
            if (at := leading(self._index, row)) is not None:
                notes[row] = Claim(self._index.passages[at].text, (spans(at),), _QUOTED)
        told = {row: notes[row] for row in rows if row in notes}
        yield Progress(stage="write", text=f"Writing about {len(told)} papers")
        blocks = self._gathered(told, checker)
        notice = None
        if problem or len(missing) > len(told) // 2:
            why = f": {problem}" if problem else ""
            notice = f"{len(missing)} of the {len(told)} papers are quoted, not summed up{why}."
        return Written(tuple(blocks), notice=notice)

    def _batches(self, rows: Sequence[int], budget: int) -> list[Sheet]:
        """All papers on sheets of whole abstracts within the budget."""
        left = [row for row in rows if passage_rows(self._index, row)]
        sheets: list[Sheet] = []
        while left:
            sheets.append(lay_out(self._index, left[:BATCH], budget))
            left = [row for row in left if row not in sheets[-1].papers]
        return sheets

    def _read(
        self, sheets: Sequence[Sheet], count: int
    ) -> Generator[Progress, None, tuple[Notes, ChatError | None]]:
        """The notes on the papers of all sheets, and why some are missing."""
        tokens = sum(tokens_of(sheet.text) for sheet in sheets)
        if len(sheets) > 1:
            cost = f"{round(tokens, -2):,} tokens{self._asking.priced(tokens)}"
            plan = f"{count} abstracts in {len(sheets) + 1} requests, about {cost}"
            yield Progress(stage="plan", text=plan)
        notes: Notes = {}
        problem: ChatError | None = None
        pool = ThreadPoolExecutor(SIDE_BY_SIDE)
        try:
            read = 0
            for sheet, asked in [(sheet, pool.submit(self._notes, sheet)) for sheet in sheets]:
                first, read = read + 1, read + len(sheet.papers)
                text = f"Reading abstracts {first}–{read} of {count}"
                yield Progress(stage="read", text=text)
                try:
                    notes |= asked.result()
                except StoppedError:
                    raise
                except ChatError as error:
                    problem = problem or error
        except BaseException:  # given up: nothing more is asked
            self._asking.cancel()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        return notes, problem

    def _notes(self, sheet: Sheet) -> Notes:
        """What the model says of each paper of a sheet and its check supports."""
        messages = contributions(self._task.subject, sheet)
        try:
            tokens = _TOKENS_OF_NOTE * len(sheet.papers)
            reply = self._asking.complete(messages, max_tokens=tokens)
        except ReplyError:
            return {}  # these papers are quoted
        grounder = self._ground(sheet)
        rows = {self._index.papers[row].id: row for row in sheet.papers}
        found: Notes = {}
        for statement in read_statements(reply, sheet.has)[0]:
            claim = grounder.ground(statement)
            cited = {rows[span.paper.id] for span in claim.spans}
            meant = {sheet.papers[address.paper - 1] for address in statement.addresses}
            if len(cited) == 1 and cited <= (meant or cited) and not self._task.drops(claim):
                found.setdefault(cited.pop(), claim)
        return found

    def _gathered(self, notes: Notes, checker: Checker) -> list[Block]:
        """The text made from the notes, and the notes that it leaves out or gets wrong."""
        rows = [*notes]
        titles = [self._index.papers[row].display_title for row in rows]
        listed = [f"{title}: {notes[row].text}" for title, row in zip(titles, rows, strict=True)]
        try:
            messages = gathering(self._task.question, listed)
            reply = self._asking.complete(messages, max_tokens=self._task.max_tokens)
        except StoppedError:
            raise
        except ChatError:
            reply = ""
        statements, _ = read_statements(reply, lambda address: 1 <= address.paper <= len(rows))
        blocks: list[Block] = []
        left = dict(notes)
        for statement in statements:
            own = [rows[a.paper - 1] for a in statement.addresses if a.sentence is None]
            fresh = [left.pop(row) for row in own if row in left]
            claims = _told(statement, [notes[row] for row in own], fresh, checker)
            if statement.heading or not blocks:
                blocks.append(Block((), statement.heading))
            blocks[-1] = Block((*blocks[-1].claims, *claims), blocks[-1].title)
        blocks = [block for block in blocks if block.claims]
        if not left or (self._task.length == "short" and blocks):
            return blocks
        if blocks:
            blocks.append(Block((), "Further papers"))
        bullets = [
            (title, left[row]) for title, row in zip(titles, rows, strict=True) if row in left
        ]
        return [*blocks, *(Block((claim,), title, bullet=True) for title, claim in bullets)]


def _told(
    statement: Statement, notes: Sequence[Claim], fresh: Sequence[Claim], checker: Checker
) -> tuple[Claim, ...]:
    """A sentence made from notes if what they cite supports it, else those not told before."""
    spans = tuple(dict.fromkeys(span for claim in notes for span in claim.spans))
    verdict = checker.check(statement.text, [in_context(span) for span in spans])
    if spans and verdict.support == "supported":
        return (Claim(statement.text, spans, verdict),)
    return tuple(fresh)
