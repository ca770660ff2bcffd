"""Answers written by a chat model from whole abstracts, every sentence grounded as it comes."""

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from rag.chat import Asking, ChatError, StoppedError
from rag.citations import Block, Claim, compose
from rag.schema import Delta, Length, Progress
from rag.settings import Unsupported
from rag.support import AnswerChecker
from rag.synthesis.grounding import Grounder
from rag.synthesis.prompts import STRUCTURE, repairing, writing
from rag.synthesis.sheet import Sheet
from rag.synthesis.statements import Statement, read_statements
from rag.wording import Kind

MOST_REPAIRED = 6
"""Sentences that the model is asked to mend; with more of them the reply as a whole is doubtful."""
ONE_EACH = frozenset({Kind.PAPERS, Kind.SIMILAR, Kind.CHOOSE})
"""Kinds whose answers are bullets, a paper each."""
_NUMBERED = re.compile(r"^\W*(?P<number>\d{1,2})[.):]\s*(?P<text>.+)$", re.MULTILINE)
_CUT = "The answer was cut off at the limit of {} tokens (ABSTRACTQA_ANSWER_TOKENS)."
_ENDED = re.compile(r"[.!?。！？…][\"”’」』）')\]]*$")
_DECLINES = re.compile(
    r"^(?:i['’]?m |i am )?(?:sorry|unable)\b|^i (?:can(?:not|['’]t)|won['’]t|must decline)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Task:
    """What is to be written, and under which rules."""

    question: str
    kind: Kind
    max_tokens: int
    unsupported: Unsupported = "repair"
    length: Length = "normal"
    parts: tuple[str, ...] = ()
    """The sub-questions it was planned into, if any."""
    wholly: bool = False
    """Whether a sentence that is supported only in part fails its check too."""

    def fails(self, claim: Claim) -> bool:
        """Whether the check of a claim says that the abstracts do not state it.

        Strictly, whether it does not say that they do; a remark about the answer states nothing.
        """
        if claim.verdict is None or claim.verdict.support == "supported":
            return False
        return claim.verdict.support == "unsupported" or (self.wholly and bool(claim.spans))

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


Writing = Generator[Progress | Delta, None, Written]


def write(
    task: Task, asking: Asking, sheet: Sheet, grounder: Grounder, checker: AnswerChecker | None
) -> Writing:
    """Have an answer written; what is told on the way is progress and text.

    Args:
        task: What to write.
        asking: The chat model.
        sheet: What it is given.
        grounder: Grounds its sentences; it has the last word where there is no `checker`.
        checker: A slower checker for the sentences that were found supported.

    Raises:
        ChatError: the model cannot be asked, or gave nothing that can be used.
    """
    yield Progress(stage="write", text="Writing")
    claims, says_nothing, was_cut = yield from _read(task, asking, sheet, grounder)
    notice = _CUT.format(task.max_tokens) if was_cut else None
    if claims and _DECLINES.match(claims[0][1].text) and not claims[0][1].spans:
        return Written(notice=f"The model declined: “{claims[0][1].text}”")
    if not claims:
        return Written(says_nothing=says_nothing, notice=notice)
    settled = yield from settle([claim for _, claim in claims], task, asking, grounder, checker)
    kept = [(h, c) for (h, _), c in zip(claims, settled, strict=True) if c is not None]
    if not any(claim.spans for _, claim in kept):
        notice = "Nothing that the model wrote could be found in the abstracts."
        return Written(says_nothing=says_nothing, notice=notice)
    return Written(tuple(arranged(kept, task.kind)), notice=notice)


Headed = tuple[str | None, Claim]
"""A claim, and the heading above it if it is the first under one."""


def _read(
    task: Task, asking: Asking, sheet: Sheet, grounder: Grounder
) -> Generator[Delta, None, tuple[list[Headed], bool, bool]]:
    """Take a reply in while it comes: its claims, whether it says nothing, and was cut off."""
    structured = "response_format" not in asking.model.refused
    messages = writing(
        task.question,
        task.kind,
        sheet,
        task.parts,
        length=task.length,
        structured=structured,
    )
    options = {"response_format": STRUCTURE} if structured else {}
    claims: list[Headed] = []
    said, shown, was_cut = "", "", False
    grounded: dict[Statement, Claim] = {}

    def take(statements: Sequence[Statement]) -> str:
        """Ground what is new; what is new of the text, if it goes on from what was shown."""
        nonlocal claims, shown
        fresh = list(dict.fromkeys(statements))
        for each in fresh:
            if each not in grounded:
                grounded[each] = grounder.ground(each)
        claims = [(each.heading, grounded[each]) for each in fresh]
        # Before its first reply is whole it may be that a model thinks aloud.
        is_answer = said.startswith("{") or asking.model.streams_thoughts is not None
        kept = [(h, c) for h, c in claims if (c.spans or is_answer) and not task.drops(c)]
        text = compose(arranged(kept, task.kind)).text
        if not text.startswith(shown) or text == shown:
            return ""
        new, shown = text[len(shown) :], text
        return new

    with closing(asking.stream(messages, max_tokens=task.max_tokens, **options)) as texts:
        while True:
            try:
                said = next(texts)
            except StopIteration as end:
                was_cut = bool(end.value)
                break
            if new := take(read_statements(said, sheet.has, whole=False)[0]):
                yield Delta(text=new)
    statements, says_nothing = read_statements(said, sheet.has)
    if was_cut and statements and not _ENDED.search(statements[-1].text):
        statements.pop()  # the sentence in the middle of which it stopped
    if new := take(statements):
        yield Delta(text=new)
    return claims, says_nothing, was_cut


def settle(
    claims: Sequence[Claim],
    task: Task,
    asking: Asking,
    grounder: Grounder,
    checker: AnswerChecker | None,
) -> Generator[Progress, None, list[Claim | None]]:
    """The claims checked as a whole, and mended once where they fail; None for what is dropped."""
    cited = sum(len(claim.spans) for claim in claims)
    yield Progress(stage="check", text=f"Checking {cited} citation{'s' * (cited != 1)}")
    checked: list[Claim | None] = list(claims)
    if checker:
        checked = list(grounder.check_again(claims, checker))
    failing = [at for at, claim in enumerate(checked) if claim and task.fails(claim)]
    if failing and task.unsupported == "repair" and len(failing) <= MOST_REPAIRED:
        count = f"{len(failing)} sentence{'s' * (len(failing) != 1)}"
        yield Progress(stage="repair", text=f"Asking for {count} again")
        mended = _mend([claims[at].text for at in failing], asking, grounder, checker)
        for place, claim in mended.items():
            checked[failing[place]] = claim
    return [None if claim and task.drops(claim) else claim for claim in checked]


def _mend(
    texts: Sequence[str], asking: Asking, grounder: Grounder, checker: AnswerChecker | None
) -> dict[int, Claim | None]:
    """Sentences that the model wrote anew and that hold now, by their place in `texts`.

    None where it found nothing to say; what still fails is not there.
    """
    messages = repairing([(text, grounder.nearest(text)) for text in texts])
    try:
        reply = asking.complete(messages, max_tokens=80 * len(texts))
    except StoppedError:
        raise
    except ChatError:
        return {}  # what was written counts all the same
    mended: dict[int, Claim | None] = {}
    for match in _NUMBERED.finditer(reply):
        place, text = int(match["number"]) - 1, match["text"].strip()
        if not 0 <= place < len(texts):
            continue
        if re.fullmatch(r"\W*drop\W*", text, re.IGNORECASE):
            mended[place] = None
            continue
        statements, _ = read_statements(text, lambda _: False)
        claim = grounder.ground(statements[0]) if len(statements) == 1 else None
        if claim and claim.spans:
            mended[place] = claim
    if checker:
        fresh = [(place, claim) for place, claim in mended.items() if claim]
        again = grounder.check_again([claim for _, claim in fresh], checker)
        for (place, _), claim in zip(fresh, again, strict=True):
            if claim.verdict and claim.verdict.support == "supported":
                mended[place] = claim
            else:
                del mended[place]
    return mended


def arranged(claims: Sequence[Headed], kind: Kind) -> list[Block]:
    """Claims as paragraphs under their headings, or as bullets under the titles of their papers."""
    blocks: list[Block] = []
    for heading, claim in claims:
        papers = {span.paper.id: span.paper for span in claim.spans}
        title = heading
        one_each = kind in ONE_EACH and len(papers) == 1
        if one_each:
            title = next(iter(papers.values())).display_title
        last = blocks[-1] if blocks else None
        goes_on = last and (
            (last.bullet and title == last.title) if one_each else not (heading or last.bullet)
        )
        if last and goes_on:
            blocks[-1] = Block((*last.claims, claim), last.title, last.bullet)
        else:
            blocks.append(Block((claim,), title, one_each))
    return blocks
