"""Answers written by a chat model, from numbered evidence, every sentence grounded as it comes."""

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from index.papers import letters
from index.text import clean_text
from rag.chat import Asking, ChatError, StoppedError
from rag.citations import Block, Claim
from rag.names import title_name
from rag.question import Kind
from rag.schema import Delta, Progress
from rag.settings import Unsupported
from rag.support import Checker
from rag.synthesis.draft import Draft
from rag.synthesis.grounding import Grounder, says_nothing
from rag.synthesis.markers import Address
from rag.synthesis.prompts import SENTINEL, repairing, writing
from rag.synthesis.reader import DraftReader, Line, Piece, Read, Sentence
from rag.synthesis.sheet import Sheet

MOST_REPAIRED = 6
"""Sentences that the model is asked to mend; with more of them the reply as a whole is doubtful."""
_NUMBERED = re.compile(r"^\W*(?P<number>\d{1,2})[.):]\s*(?P<text>.+)$", re.MULTILINE)
_DROP = re.compile(r"\W*drop\b", re.IGNORECASE)
_MOST_NAMED = 3

Writing = Generator[Progress | Delta, None, "Written"]


@dataclass(frozen=True)
class Task:
    """What is to be written, and under which rules."""

    question: str
    kind: Kind
    sheet: Sheet
    unsupported: Unsupported
    max_tokens: int
    parts: tuple[str, ...] = ()
    """The sub-questions it was planned into, if any."""
    opening: Claim | None = None
    """What the answer begins with, whatever the model writes."""


@dataclass(frozen=True)
class Written:
    """What came of it: blocks of claims, or the reason why there are none."""

    blocks: tuple[Block, ...]
    reason: str | None = None


def write(
    task: Task, asking: Asking, grounder: Grounder, checker: Checker | None = None
) -> Writing:
    """Have an answer written; what is told on the way is progress and text.

    Args:
        task: What to write.
        asking: The chat model.
        grounder: Grounds its sentences; it has the last word where there is no `checker`.
        checker: A slower checker for the sentences that were found supported.

    Raises:
        ChatError: the model cannot be asked, or gave nothing that can be used.
    """
    draft = Draft(grounder.may_be_title)
    if task.opening:
        draft.begin_line(bullet=False)
        draft.end_sentence(task.opening)
    reader = DraftReader(task.sheet.names(), pieces=task.kind is not Kind.LIST)
    yield Progress(stage="write", text="Writing")
    refused = False
    head: str | None = ""
    messages = writing(task.question, task.kind, task.sheet, task.parts)
    with closing(asking.stream(messages, max_tokens=task.max_tokens)) as pieces:
        for piece in pieces:
            if head is not None:
                head += piece
                said, sentinel = letters(head), letters(SENTINEL)
                if said.startswith(sentinel):
                    refused = True
                    break
                if sentinel.startswith(said):
                    continue
                found, head = reader.feed(head), None
            else:
                found = reader.feed(piece)
            yield from _take(found, draft, grounder, task)
    if not refused:
        yield from _take([*reader.feed(head or ""), *reader.finish()], draft, grounder, task)
        draft.end_line()
        yield from _settle(draft, task, asking, grounder, checker)
    if not any(claim.spans for claim in draft.claims):
        said_so = refused or all(says_nothing(claim.text) for claim in draft.claims)
        return Written((), _reason(task.sheet, said_so=said_so))
    kept = [None if letters(c.text) == letters(SENTINEL) else c for c in draft.claims]
    draft.replace(kept)
    return Written(tuple(draft.blocks()))


def _take(
    found: Sequence[Read], draft: Draft, grounder: Grounder, task: Task
) -> Generator[Delta, None, None]:
    """Put what was read into the draft, and show what is new of it."""
    for read in found:
        match read:
            case Line(bullet):
                draft.begin_line(bullet=bullet)
            case Piece(text):
                if task.unsupported != "drop":  # what may be dropped is not shown before its check
                    draft.grow(text)
            case Sentence(text, addresses):
                claim = _sentence(text, addresses, draft, grounder, task)
                drops = claim is not None and _fails(claim) and task.unsupported == "drop"
                draft.end_sentence(None if drops else claim)
    if new := draft.show():
        yield Delta(text=new)


def _sentence(
    text: str, addresses: Sequence[Address], draft: Draft, grounder: Grounder, task: Task
) -> Claim | None:
    """The claim that a sentence makes; None if it is the title that a line begins with."""
    entry = grounder.entry(text) if draft.begins_line else None
    if entry is None:
        return grounder.ground(text, addresses)
    number, title, rest = entry
    if draft.in_bullet or task.kind is Kind.LIST:
        draft.head_line(title, grounder.quote(number))
    return grounder.ground_entry(number, rest, addresses) if rest else None


def _settle(
    draft: Draft, task: Task, asking: Asking, grounder: Grounder, checker: Checker | None
) -> Generator[Progress, None, None]:
    """Check the draft as a whole, and have what fails mended once."""
    cited = sum(len(claim.spans) for claim in draft.claims)
    yield Progress(stage="check", text=f"Checking {cited} citation{'s' * (cited != 1)}")
    if checker:
        draft.replace([grounder.recheck(claim, checker) for claim in draft.claims])
    failing = [claim for claim in draft.claims if _fails(claim)]
    if failing and task.unsupported == "drop":
        draft.replace([None if _fails(claim) else claim for claim in draft.claims])
    elif failing and task.unsupported == "repair" and len(failing) <= MOST_REPAIRED:
        count = f"{len(failing)} sentence{'s' * (len(failing) != 1)}"
        yield Progress(stage="repair", text=f"Asking for {count} again")
        mended = _mend(failing, asking, grounder)
        changes = [mended.get(claim.text, claim) for claim in draft.claims]
        draft.replace(changes)


def _fails(claim: Claim) -> bool:
    return claim.verdict is not None and claim.verdict.support == "unsupported"


def _mend(failing: Sequence[Claim], asking: Asking, grounder: Grounder) -> dict[str, Claim | None]:
    """Claims that the model wrote anew and that hold now, by the text they replace.

    None where it found nothing to say; what still fails stays as it was.
    """
    asked = repairing([(claim.text, grounder.nearest(claim.text)) for claim in failing])
    try:
        reply = asking.complete(asked, max_tokens=80 * len(failing))
    except StoppedError:
        raise
    except ChatError:
        return {}  # what was written counts all the same
    mended: dict[str, Claim | None] = {}
    for match in _NUMBERED.finditer(reply):
        at = int(match["number"]) - 1
        if not 0 <= at < len(failing):
            continue
        if _DROP.match(match["text"]):
            mended[failing[at].text] = None
            continue
        (claim, *more) = _sentences(match["text"], grounder) or (None,)
        if claim and not more and claim.spans:
            mended[failing[at].text] = claim
    return mended


def _sentences(text: str, grounder: Grounder) -> list[Claim]:
    reader = DraftReader({})
    found = [*reader.feed(text), *reader.finish()]
    return [grounder.ground(read.text, ()) for read in found if isinstance(read, Sentence)]


def _reason(sheet: Sheet, *, said_so: bool) -> str:
    """Why there is no answer, by the papers that were looked at."""
    papers = [f"“{title_name(at.paper) or clean_text(at.paper.title)}”" for at in sheet.papers]
    shown = ", ".join(papers[:_MOST_NAMED]) + (" and others" if papers[_MOST_NAMED:] else "")
    if said_so:
        return f"The abstracts that come nearest, {shown}, do not answer this."
    return f"Nothing that was written about this could be found in the nearest abstracts, {shown}."
