"""Texts about many papers: one note on each, then a text from the notes, citations carried through.

The notes are written in batches of whole abstracts (map), and put together under headings (reduce).
What the model leaves out or cannot support is filled in with quotes, so no paper is lost.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from index.store import Index
from rag.chat import Asking, ChatError, ReplyError, StoppedError, tokens_of
from rag.citations import Block, Claim
from rag.evidence import leading
from rag.retrieval import passage_rows
from rag.schema import Progress
from rag.support import Checker, Verdict
from rag.synthesis.generative import Written
from rag.synthesis.grounding import Grounder, in_context
from rag.synthesis.prompts import contributions, gathering
from rag.synthesis.sheet import Sheet, lay_out
from rag.synthesis.statements import Statement, read_statements

MOST_PAPERS = 120
BATCH = 10
"""Abstracts of one request at most."""
SIDE_BY_SIDE = 4
"""Requests at the same time."""
_TOKENS_OF_NOTE = 80
_QUOTED = Verdict("supported", 1.0)


@dataclass(frozen=True)
class Subject:
    """What is to be written about which papers."""

    question: str
    about: str | None
    """None if it is about the papers as a whole."""
    papers: tuple[int, ...]
    """Rows, in the order in which they are told where the model gives none."""
    max_tokens: int
    budget: int
    """Tokens of a batch of abstracts."""
    brief: bool = False
    """Whether papers that the text leaves out are left out."""
    wholly: bool = False
    """Whether a note that the check is not sure of is replaced by a quote."""


Ground = Callable[[Sheet], Grounder]
Gathering = Generator[Progress, None, Written]


def write_about_many(
    index: Index, subject: Subject, asking: Asking, ground: Ground, checker: Checker
) -> Gathering:
    """Have a text about many papers written; what is told on the way is progress.

    Args:
        index: The index.
        subject: What it is about.
        asking: The chat model.
        ground: Grounds the notes on the papers of a sheet.
        checker: Whether notes support a sentence made from several.

    Raises:
        ChatError: the model gave no note at all.
    """
    sheets = _batches(index, subject)
    tokens = sum(tokens_of(sheet.text) for sheet in sheets)
    if len(sheets) > 1:
        yield Progress(
            stage="plan",
            text=f"{len(subject.papers)} abstracts in {len(sheets) + 1} requests, about"
            f" {round(tokens, -2):,} tokens{asking.priced(tokens)}",
        )
    notes: dict[int, Claim] = {}
    problem: ChatError | None = None
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        asked = [pool.submit(_notes, sheet, subject, asking, ground(sheet)) for sheet in sheets]
        read = 0
        for sheet, each in zip(sheets, asked, strict=True):
            first, read = read + 1, read + len(sheet.papers)
            yield Progress(
                stage="read", text=f"Reading abstracts {first}–{read} of {len(subject.papers)}"
            )
            try:
                notes |= each.result()
            except StoppedError:
                raise
            except ChatError as error:
                problem = problem or error
    except BaseException:  # given up: nothing more is asked
        asking.cancel()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    if problem and not notes:
        raise problem
    missing = [row for row in subject.papers if row not in notes]
    whole = Sheet(index, (), ())
    for row in missing:
        if (at := leading(index, row)) is not None:
            span = ground(whole).span(at)
            notes[row] = Claim(index.passages[at].text, (span,), _QUOTED)
    rows = [row for row in subject.papers if row in notes]
    yield Progress(stage="write", text=f"Writing about {len(rows)} papers")
    blocks = _gathered(index, subject, [(row, notes[row]) for row in rows], asking, checker)
    notice = None
    if problem or len(missing) > len(rows) // 2:
        why = f": {problem}" if problem else ""
        notice = f"{len(missing)} of the {len(rows)} papers are quoted, not summed up{why}."
    return Written(tuple(blocks), notice=notice)


def _batches(index: Index, subject: Subject) -> list[Sheet]:
    """All papers on sheets of whole abstracts within the budget."""
    left = [row for row in subject.papers if passage_rows(index, row)]
    sheets: list[Sheet] = []
    while left:
        sheet = lay_out(index, left[:BATCH], subject.budget)
        if not sheet.papers:
            break
        sheets.append(sheet)
        left = [row for row in left if row not in set(sheet.papers)]
    return sheets


def _notes(sheet: Sheet, subject: Subject, asking: Asking, grounder: Grounder) -> dict[int, Claim]:
    """What the model says of each paper of a sheet and its check supports, by the paper's row."""
    messages = contributions(subject.about, sheet)
    try:
        reply = asking.complete(messages, max_tokens=_TOKENS_OF_NOTE * len(sheet.papers))
    except ReplyError:
        return {}  # these papers are quoted
    found: dict[int, Claim] = {}
    for statement in read_statements(reply, sheet.has)[0]:
        claim = grounder.ground(statement)
        of = {int(sheet.papers[a.paper - 1]) for a in statement.addresses}
        ids = {span.paper.id for span in claim.spans}
        is_sure = claim.verdict is not None and claim.verdict.support == "supported"
        if claim.spans and len(ids) == 1 and (is_sure or not subject.wholly):
            row = next((r for r in sheet.papers if sheet.index.papers[r].id in ids), None)
            if row is not None and (not of or row in of):
                found.setdefault(row, claim)
    return found


def _gathered(
    index: Index,
    subject: Subject,
    notes: Sequence[tuple[int, Claim]],
    asking: Asking,
    checker: Checker,
) -> list[Block]:
    """The text made from the notes, and the notes that it leaves out or gets wrong."""
    claims = [claim for _, claim in notes]
    try:
        reply = asking.complete(
            gathering(subject.question, [_note(index, row, claim) for row, claim in notes]),
            max_tokens=subject.max_tokens,
        )
        statements, _ = read_statements(reply, lambda address: 1 <= address.paper <= len(notes))
    except StoppedError:
        raise
    except ChatError:
        statements = []
    blocks: list[Block] = []
    told: set[int] = set()
    for statement in statements:
        places = [a.paper - 1 for a in statement.addresses if a.sentence is None]
        fresh = [notes[place][1] for place in places if place not in told]
        told_now = _told(statement, [notes[place][1] for place in places], fresh, checker)
        told.update(places)
        if statement.heading or not blocks:
            blocks.append(Block((), statement.heading))
        blocks[-1] = Block((*blocks[-1].claims, *told_now), blocks[-1].title)
    blocks = [block for block in blocks if block.claims]
    rest = [place for place in range(len(notes)) if place not in told]
    if rest and not (subject.brief and blocks):
        heading = "Further papers" if blocks else None
        for at, place in enumerate(rest):
            title = index.papers[notes[place][0]].display_title
            if heading and at == 0:
                blocks.append(Block((), heading))
            blocks.append(Block((claims[place],), title, bullet=True))
    return [block for block in blocks if block.claims or block.title]


def _told(
    statement: Statement, notes: Sequence[Claim], fresh: Sequence[Claim], checker: Checker
) -> tuple[Claim, ...]:
    """A sentence made from notes if what they cite supports it, else those not told before."""
    spans = tuple(dict.fromkeys(span for claim in notes for span in claim.spans))
    verdict = checker.check(statement.text, [in_context(span) for span in spans])
    if spans and verdict.support == "supported":
        return (Claim(statement.text, spans, verdict),)
    return tuple(fresh)


def _note(index: Index, row: int, claim: Claim) -> str:
    return f"{index.papers[row].display_title}: {claim.text}"
