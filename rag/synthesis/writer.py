"""A chat model at work on one question: it helps to understand, to find, and writes the answer.

The way of an answer is `Writer.answer`: the papers to read, its parts looked up, whole abstracts,
what the model makes of them, and the quotes if it fails.
"""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from index.store import Index
from rag.chat import (
    Asking,
    ChatError,
    ChatModel,
    Complete,
    Limits,
    TooLongError,
)
from rag.citations import Block, Outcome, joined
from rag.clock import Clock
from rag.conversation import papers_before
from rag.evidence import Evidence, leading, within
from rag.listing import listed
from rag.query import Query, Request
from rag.quote import quote
from rag.retrieval import Ranking
from rag.schema import Delta, Event, Options, Progress, SubQuestion, Usage
from rag.selection import answering
from rag.settings import Settings, Unsupported
from rag.support import AnswerChecker
from rag.support.asking import JudgeChecker
from rag.support.local import LocalChecker
from rag.synthesis.drafting import BATCH, MOST_PAPERS, ONE_EACH, Draft, ManyPapers, Task, Written
from rag.synthesis.helping import condense, find_parts, plan, wants_condensing, wants_plan
from rag.synthesis.prompts import Sheet, lay_out
from rag.synthesis.statements import Grounder
from rag.wording import Kind

LOCAL, JUDGE = "local", "judge"


@dataclass(frozen=True)
class Checkers:
    """Who checks citations: the local check at once, a slower one at the end if there is one."""

    local: LocalChecker
    nli: AnswerChecker | None


@dataclass(frozen=True, eq=False)
class Material:
    """What was found for a question, and the answer that quotes it."""

    index: Index
    query: Query
    ranking: Ranking
    evidence: Evidence
    quotes: Outcome
    """With a reason in place of blocks where the abstracts are not likely to answer."""


class Writer:
    """What one question asks of a chat model, in one account. No help is None or empty."""

    def __init__(
        self,
        model: ChatModel,
        judge: ChatModel,
        checkers: Checkers,
        settings: Settings,
        options: Options,
    ) -> None:
        """Begin; the settings say how it may help, and how far, the options how this time."""
        self.name = model.name
        self._checkers = checkers
        self._settings = settings
        self._options = options
        limits = Limits(settings.chat_deadline_seconds, settings.chat_first_token_seconds)
        self._asking = Asking(model, limits, settings.chat_price)
        self._judging = self._asking
        if judge is not model:
            self._judging = Asking(judge, limits)
        self._last = checkers.nli
        if settings.support_checker == JUDGE:
            ask = self._judging.completing(settings.answer_tokens)
            self._last = JudgeChecker(ask, judge.name, trusted=judge.misjudged < 2)

    @property
    def usage(self) -> Usage:
        """What it took so far; without a price if another model judged: its price is not known."""
        other = self._judging.usage
        if self._judging is self._asking or not other.prompt_tokens:
            return self._asking.usage
        return self._asking.usage + other

    def completing(self, max_tokens: int) -> Complete:
        """Asks the model small things in this question's account, from any thread."""
        return self._asking.completing(max_tokens)

    def cancel(self) -> None:
        """Stop the model, from any thread."""
        self._asking.cancel()
        self._judging.cancel()

    def condense(self, request: Request, index: Index) -> str | None:
        """The question, standing alone."""
        if not wants_condensing(request.asked, request.turns):
            return None
        titles = [index.papers[row].display_title for row in papers_before(request.turns, index)]
        return condense(request.asked, request.turns, titles, self.completing(120))

    def answer(
        self, found: Material, clock: Clock, look_up: Callable[[str], Evidence | None]
    ) -> Generator[Event, None, Outcome]:
        """What the chat model writes from what was found, or the quotes if it fails.

        `look_up` finds the evidence for a part of the question. Raises StoppedError if the writer
        was told to stop.
        """
        of_overview = _papers_of_overview(found)
        is_many = len(of_overview) > BATCH
        parts: tuple[SubQuestion, ...] = ()
        try:
            with clock.step("write"):
                if is_many:
                    written = yield from self._write_about(found, of_overview)
                else:
                    parts = yield from self._plan(found.query)
                    rows = of_overview or _papers(found, find_parts(found.index, parts, look_up))
                    written = yield from self._write(found, rows[: self._options.sources], parts)
        except ChatError as error:
            yield Progress(stage="quote", text="Quoting the abstracts instead")
            return _quotes(found, f"These are quotes, since no model wrote the answer: {error}.")
        if not written.blocks:
            return self._without_answer(found, written)
        if not is_many:
            written = self._completed(found, written, of_overview)
        return self._with_answer(found, written, parts, None if is_many else self._last)

    def _completed(self, found: Material, written: Written, of_overview: Sequence[int]) -> Written:
        """With quotes of the papers that an answer is of and does not cite.

        They are those that a comparison names, and those of an overview (`of_overview`).
        """
        index, kind = found.index, found.query.kind
        cited = {span.paper.id for b in written.blocks for c in b.claims for span in c.spans}
        whole = of_overview if self._options.length != "short" else ()
        rows = answering(found.query) if kind is Kind.COMPARE else whole
        missing = [
            row for row in rows[: self._options.sources] if index.papers[row].id not in cited
        ]
        is_list = kind is Kind.OVERVIEW
        quoted = [
            Block((quote(index, at),), index.papers[row].display_title, bullet=is_list)
            for row in missing
            if (at := leading(index, row)) is not None
        ]
        if not quoted:
            return written
        notice = f"Papers of which the model wrote nothing are quoted ({len(quoted)})."
        heading = [Block((), "Further papers")] if is_list else []
        return replace(
            written,
            blocks=(*written.blocks, *heading, *quoted),
            notice=joined(written.notice, notice),
        )

    def _with_answer(
        self,
        found: Material,
        written: Written,
        parts: tuple[SubQuestion, ...],
        last: AnswerChecker | None,
    ) -> Outcome:
        """What was written, and who had the last word on its sentences, beside the local check."""
        problem = None
        if isinstance(last, JudgeChecker):
            problem, judge = last.problem, self._judging.model
            judge.misjudged = judge.misjudged + 1 if last.misjudges else 0
        unjudged = problem and f"Citations were checked by the local check alone: {problem}."
        _, cut = within(found.evidence, self._options.sources)
        return Outcome(
            blocks=written.blocks,
            model=self.name,
            checked_by=last.name if last and not problem else LOCAL,
            notice=joined(found.quotes.left_out, cut, unjudged, written.notice, found.query.mends),
            plan=parts,
            confidence=found.quotes.confidence,
        )

    def _plan(self, query: Query) -> Generator[Progress, None, tuple[SubQuestion, ...]]:
        """The parts of a question that are to be looked up apart; none if it has no parts."""
        if not self._settings.planning or not wants_plan(query):
            return ()
        parts = plan(query.probe.text, self.completing(250))
        if parts:
            shown = " ".join(f"{part.number}. {part.question}" for part in parts)
            yield Progress(stage="plan", text=f"Looking up {len(parts)} parts: {shown}")
        return parts

    def _write(
        self, found: Material, rows: Sequence[int], parts: Sequence[SubQuestion]
    ) -> Generator[Progress | Delta, None, Written]:
        """The answer from as many of these abstracts as the budget holds.

        A sheet that is longer than the model can read is halved, once or twice.
        """
        sheet = lay_out(found.index, rows, self._budget)
        count = len(sheet.papers)
        yield Progress(stage="read", text=f"Reading {count} abstract{'s' * (count != 1)}")
        task = self._task(found.query, parts)
        while True:
            grounder = self._grounder(found, sheet)
            draft = Draft(task, self._asking, sheet, grounder, self._last)
            try:
                return (yield from draft.write())
            except TooLongError:
                if len(sheet.papers) <= 1:
                    raise
            sheet = sheet.halved()

    def _write_about(
        self, found: Material, rows: Sequence[int]
    ) -> Generator[Progress, None, Written]:
        """A text about all these papers."""
        task = self._task(found.query)
        many = ManyPapers(found.index, task, self._asking, partial(self._grounder, found))
        read = rows[: self._options.sources or MOST_PAPERS]
        written = yield from many.write(read, self._budget // 2, self._checkers.local)
        if self._options.sources or len(read) == len(rows):
            return written
        left_out = f"Only {len(read)} of the {len(rows):,} papers were read."
        return replace(written, notice=joined(left_out, written.notice))

    def _grounder(self, found: Material, sheet: Sheet) -> Grounder:
        return Grounder(sheet, found.query.encoder, self._checkers.local)

    def _task(self, query: Query, parts: Sequence[SubQuestion] = ()) -> Task:
        by_strictness: dict[str, Unsupported] = {"strict": "drop", "lenient": "flag"}
        return Task(
            query.standalone,
            query.subject_text,
            query.kind,
            self._settings.answer_tokens,
            by_strictness.get(self._options.strictness, self._settings.unsupported),
            self._options.length,
            strict=self._options.strictness == "strict",
            parts=tuple(part.question for part in parts),
        )

    @property
    def _budget(self) -> int:
        """Tokens of abstracts in one request: by default 6,000, or a quarter of the context."""
        context = self._settings.chat_context_tokens or 24_000
        return self._settings.evidence_tokens or min(6_000, context // 4)

    def _without_answer(self, found: Material, written: Written) -> Outcome:
        """What takes the place of an answer that the model has not given.

        The abstracts do not say only if the quotes would say so too, or the model says so and the
        quotes are unsure.
        """
        quotes = found.quotes
        least = found.query.fitted.thresholds["caution"]
        if written.says_nothing and not quotes.reason and (quotes.confidence or 0.0) < least:
            shown = [found.index.papers[e.paper].display_title for e in found.evidence.papers[:3]]
            titles = ", ".join(f"“{title}”" for title in shown)
            reason = f"The abstracts that come nearest, {titles}, do not answer this."
            return Outcome(reason=reason, model=self.name, lacks=found.query.subject_phrase)
        why = written.notice or "the model gave no answer"
        if written.says_nothing:
            why = "the model found no answer in the abstracts"
        return _quotes(found, f"These are quotes: {why[:1].lower()}{why[1:].rstrip('.')}.")


def _quotes(found: Material, why: str) -> Outcome:
    """The quotes, with the reason why they stand there."""
    if found.quotes.reason:
        return found.quotes
    return replace(found.quotes, notice=joined(why, found.quotes.notice))


def _papers_of_overview(found: Material) -> Sequence[int]:
    """The rows of all papers that an overview is of, those of one group together; else none."""
    index, query = found.index, found.query
    if query.kind is not Kind.OVERVIEW:
        return ()
    if query.has_subject:
        fitting = [row for row, _ in listed(index, query, found.ranking)]
        return list(dict.fromkeys((*fitting, *(e.paper for e in found.evidence.papers))))
    rows = [int(row) for row in np.flatnonzero(query.allowed)]
    cluster = {row: int(index.clusters[row]) for row in rows}
    sizes = Counter(cluster.values())
    return sorted(rows, key=lambda row: (-sizes[cluster[row]], cluster[row]))


def _papers(found: Material, of_parts: Sequence[Evidence]) -> list[int]:
    """The rows of the papers to read: those of the evidence, then the best of the ranking.

    They are three for a question that names its paper, five for others, and ten for a list, and
    where it is not likely enough that the first paper is the one that answers.
    """
    own = [each.paper for part in (*of_parts, found.evidence) for each in part.papers]
    most = 3 if answering(found.query) else 5
    is_list = found.query.kind in ONE_EACH or found.query.kind is Kind.OVERVIEW
    if is_list or found.evidence.share < 0.6:
        most = 10
    others = [int(row) for row in found.ranking.rows[: most + len(own)]]
    if found.query.kind is Kind.SIMILAR:
        own, others = [*answering(found.query), *own], []
    rows = list(dict.fromkeys((*own, *others)))
    return rows[: max(most, len(dict.fromkeys(own)))]
