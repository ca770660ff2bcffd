"""Answers written by a chat model, from numbered evidence, every sentence grounded as it comes."""

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

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
from rag.synthesis.intake import Intake
from rag.synthesis.prompts import repairing, writing
from rag.synthesis.reader import DraftReader
from rag.synthesis.sentences import Piece, Read, Sentence
from rag.synthesis.sheet import Sheet

MOST_REPAIRED = 6
"""Sentences that the model is asked to mend; with more of them the reply as a whole is doubtful."""
_NUMBERED = re.compile(r"^\W*(?P<number>\d{1,2})[.):]\s*(?P<text>.+)$", re.MULTILINE)
_DROP = re.compile(r"\W*drop\W*", re.IGNORECASE)
_MOST_NAMED = 3
_CUT = "The answer was cut off at the limit of {} tokens (ABSTRACTQA_ANSWER_TOKENS)."
_ENDED = re.compile(r"[.!?。！？…][\"”’」』）')\]]*$")

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
    wholly: bool = False
    """Whether a sentence that is supported only in part fails its check too."""
    opening: Claim | None = None
    """What the answer begins with, whatever the model writes."""

    def fails(self, claim: Claim) -> bool:
        """Whether a sentence is not supported, or has something that can be said to be wrong."""
        verdict = claim.verdict
        if verdict is None:
            return False
        failing = ("partly", "unsupported") if self.wholly else ("unsupported",)
        return verdict.support in failing or verdict.lacks_name


@dataclass(frozen=True)
class Written:
    """What came of it: blocks of claims, or the reason why there are none."""

    blocks: tuple[Block, ...]
    reason: str | None = None
    notice: str | None = None
    """What a reader should know of it: that it was cut off."""


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
    drops = task.fails if task.unsupported == "drop" else None
    intake = Intake(grounder, lists=task.kind is Kind.LIST, drops=drops)
    draft = intake.draft
    if task.opening:
        draft.begin_line(bullet=False)
        draft.end_sentence(task.opening)
    yield Progress(stage="write", text="Writing")
    was_cut = yield from _read(task, asking, intake)
    notice = _CUT.format(task.max_tokens) if was_cut else None
    if draft.claims:
        yield from _settle(draft, task, asking, grounder, checker)
    if not any(claim.spans for claim in draft.claims):
        said_so = intake.found_nothing or all(says_nothing(claim.text) for claim in draft.claims)
        return Written((), _reason(task.sheet, said_so=said_so), notice)
    return Written(tuple(draft.blocks()), notice=notice)


def _read(task: Task, asking: Asking, intake: Intake) -> Generator[Delta, None, bool]:
    """Take a reply in while it comes; whether its limit of tokens cut it off."""
    sizes = {number: len(at.rows) for number, at in enumerate(task.sheet.papers, 1)}
    reader = DraftReader(task.sheet.names(), sizes, pieces=task.kind is not Kind.LIST)
    messages = writing(task.question, task.kind, task.sheet, task.parts)
    was_cut = False
    with closing(asking.stream(messages, max_tokens=task.max_tokens)) as pieces:
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                was_cut = bool(end.value)
                break
            if new := intake.take(reader.feed(piece)):
                yield Delta(text=new)
    rest = reader.finish()
    if was_cut:  # the sentence in the middle of which it stopped says who knows what
        rest = _without_open_end(rest)
    for new in (intake.take(rest), intake.end()):
        if new:
            yield Delta(text=new)
    return was_cut


def _without_open_end(rest: Sequence[Read]) -> list[Read]:
    """What was read last, without a sentence that has no end."""
    if rest and isinstance(rest[-1], Sentence) and not _ENDED.search(rest[-1].text):
        before = [at for at, read in enumerate(rest[:-1]) if not isinstance(read, Piece)]
        return list(rest[: before[-1] + 1 if before else 0])
    return list(rest)


def _settle(
    draft: Draft, task: Task, asking: Asking, grounder: Grounder, checker: Checker | None
) -> Generator[Progress, None, None]:
    """Check the draft as a whole, and have what fails mended once."""
    cited = sum(len(claim.spans) for claim in draft.claims)
    yield Progress(stage="check", text=f"Checking {cited} citation{'s' * (cited != 1)}")
    if checker:
        draft.replace([grounder.recheck(claim, checker) for claim in draft.claims])
    failing = [claim for claim in draft.claims if task.fails(claim)]
    if failing and task.unsupported == "drop":
        draft.replace([None if task.fails(claim) else claim for claim in draft.claims])
    elif failing and task.unsupported == "repair" and len(failing) <= MOST_REPAIRED:
        count = f"{len(failing)} sentence{'s' * (len(failing) != 1)}"
        yield Progress(stage="repair", text=f"Asking for {count} again")
        mended = _mend(failing, asking, grounder)
        changes = [mended.get(claim.text, claim) for claim in draft.claims]
        draft.replace(changes)


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
        if _DROP.fullmatch(match["text"]):
            mended[failing[at].text] = None
            continue
        (claim, *more) = _sentences(match["text"], failing[at].text, grounder) or (None,)
        if claim and not more and claim.spans:
            mended[failing[at].text] = claim
    return mended


def _sentences(text: str, before: str, grounder: Grounder) -> list[Claim]:
    reader = DraftReader({})
    found = [*reader.feed(text), *reader.finish()]
    return [grounder.reground(read.text, before) for read in found if isinstance(read, Sentence)]


def _reason(sheet: Sheet, *, said_so: bool) -> str:
    """Why there is no answer, by the papers that were looked at."""
    papers = [f"“{title_name(at.paper) or clean_text(at.paper.title)}”" for at in sheet.papers]
    shown = ", ".join(papers[:_MOST_NAMED]) + (" and others" if papers[_MOST_NAMED:] else "")
    if said_so:
        return f"The abstracts that come nearest, {shown}, do not answer this."
    return f"Nothing that was written about this could be found in the nearest abstracts, {shown}."
