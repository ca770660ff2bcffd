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
from rag.synthesis.sheet import Sheet, Statement, read_statements
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


def write(
    task: Task, asking: Asking, sheet: Sheet, grounder: Grounder, checker: AnswerChecker | None
) -> Generator[Progress | Delta, None, Written]:
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
    if not claims:
        return Written(says_nothing=says_nothing, notice=notice)
    if _DECLINES.match(claims[0][1].text) and not claims[0][1].spans:
        return Written(notice=f"The model declined: “{claims[0][1].text}”")
    settled = yield from _settle([claim for _, claim in claims], task, asking, grounder, checker)
    kept = [(h, c) for (h, _), c in zip(claims, settled, strict=True) if c is not None]
    if not any(claim.spans for _, claim in kept):
        notice = "Nothing that the model wrote could be found in the abstracts."
        return Written(says_nothing=says_nothing, notice=notice)
    return Written(tuple(_arranged(kept, task.kind)), notice=notice)


def _read(
    task: Task, asking: Asking, sheet: Sheet, grounder: Grounder
) -> Generator[Delta, None, tuple[list[Headed], bool, bool]]:
    """Take a reply in while it comes: its claims, whether it says nothing, and was cut off."""
    structured = "response_format" not in asking.model.refused
    messages = writing(
        task.question, task.kind, sheet, task.parts, length=task.length, structured=structured
    )
    options = {"response_format": STRUCTURE} if structured else {}
    grounded: dict[Statement, Claim] = {}
    text, shown, was_cut = "", "", False

    def claims_of(statements: Sequence[Statement]) -> list[Headed]:
        fresh = list(dict.fromkeys(statements))
        grounded.update({each: grounder.ground(each) for each in fresh if each not in grounded})
        return [(each.heading, grounded[each]) for each in fresh]

    def new_text(claims: Sequence[Headed]) -> str:
        """What is new of the answer's text, if it goes on from what was shown."""
        # Before its first reply is whole it may be that a model thinks aloud.
        is_answer = text.startswith("{") or asking.model.streams_thoughts is not None
        kept = [(h, c) for h, c in claims if (c.spans or is_answer) and not task.drops(c)]
        whole = compose(_arranged(kept, task.kind)).text
        return whole[len(shown) :] if whole.startswith(shown) else ""

    with closing(asking.stream(messages, max_tokens=task.max_tokens, **options)) as texts:
        while True:
            try:
                text = next(texts)
            except StopIteration as end:
                was_cut = bool(end.value)
                break
            if new := new_text(claims_of(read_statements(text, sheet.has, whole=False)[0])):
                shown += new
                yield Delta(text=new)
    statements, says_nothing = read_statements(text, sheet.has)
    if was_cut and statements and not _ENDED.search(statements[-1].text):
        statements.pop()  # the sentence in the middle of which it stopped
    claims = claims_of(statements)
    if new := new_text(claims):
        yield Delta(text=new)
    return claims, says_nothing, was_cut


def _settle(
    claims: Sequence[Claim],
    task: Task,
    asking: Asking,
    grounder: Grounder,
    checker: AnswerChecker | None,
) -> Generator[Progress, None, list[Claim | None]]:
    """The claims checked as a whole, and mended once where they fail; None for what is dropped."""
    cited = sum(len(claim.spans) for claim in claims)
    yield Progress(stage="check", text=f"Checking {cited} citation{'s' * (cited != 1)}")
    checked: list[Claim | None] = list(_checked(claims, grounder, checker))
    failing = [at for at, claim in enumerate(checked) if claim and task.fails(claim)]
    if failing and task.unsupported == "repair" and len(failing) <= MOST_REPAIRED:
        count = f"{len(failing)} sentence{'s' * (len(failing) != 1)}"
        yield Progress(stage="repair", text=f"Asking for {count} again")
        mended = _mend([claims[at].text for at in failing], asking, grounder, checker)
        for place, claim in mended.items():
            checked[failing[place]] = claim
    return [None if claim and task.drops(claim) else claim for claim in checked]


def _checked(
    claims: Sequence[Claim], grounder: Grounder, checker: AnswerChecker | None
) -> Sequence[Claim]:
    return grounder.check_again(claims, checker) if checker else claims


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
    dropped: dict[int, Claim | None] = {}
    fresh: dict[int, Claim] = {}
    for match in _NUMBERED.finditer(reply):
        place, text = int(match["number"]) - 1, match["text"].strip()
        statements, _ = read_statements(text, lambda _: False)
        if place not in range(len(texts)):
            continue
        if re.fullmatch(r"\W*drop\W*", text, re.IGNORECASE):
            dropped[place] = None
        elif len(statements) == 1 and (claim := grounder.ground(statements[0])).spans:
            fresh[place] = claim
    again = zip(fresh, _checked([*fresh.values()], grounder, checker), strict=True)
    held = {
        place: claim
        for place, claim in again
        if not checker or (claim.verdict and claim.verdict.support == "supported")
    }
    return dropped | held


def _arranged(claims: Sequence[Headed], kind: Kind) -> list[Block]:
    """Claims as paragraphs under their headings, or as bullets under the titles of their papers."""
    blocks: list[Block] = []
    for heading, claim in claims:
        papers = {span.paper.id: span.paper for span in claim.spans}
        bullet = kind in ONE_EACH and len(papers) == 1
        title = next(iter(papers.values())).display_title if bullet else heading
        last = blocks[-1] if blocks else None
        if last and last.bullet == bullet and (title == last.title if bullet else not title):
            blocks[-1] = Block((*last.claims, claim), last.title, bullet)
        else:
            blocks.append(Block((claim,), title, bullet))
    return blocks
