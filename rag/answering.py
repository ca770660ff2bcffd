"""What an answer says: read off the index, quoted from the evidence, or written by a model."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder
from index.store import Index
from rag.catalogue import SHOWN, asks_where, describe, is_about_digests, write_credits, write_where
from rag.chat import ChatError, StoppedError
from rag.citations import Block
from rag.clock import Clock
from rag.confidence import COUNTED, Signs, read_signs
from rag.conversation import Standalone
from rag.digests import Digest, name_all
from rag.evidence import Evidence, Selector
from rag.finding import Part, find_parts, merge
from rag.limiting import BESIDE, cut_notice, too_unsure, within
from rag.missing import subject_phrase
from rag.parts import Parts
from rag.premise import correction
from rag.question import Question, analyse, limited
from rag.request import Request
from rag.retrieval import Ranking
from rag.schema import Event, Filters, Options, Progress, SubQuestion
from rag.scope import Scope, describe_limits
from rag.sufficiency import Shortfall, insufficient
from rag.synthesis import extractive

if TYPE_CHECKING:
    from rag.writer import Writer

NEAREST_PAPERS = 3
"""Papers that a lenient answer quotes where none fits."""
CLOSE_PAPERS = 2
"""Papers beside the one that fits best that a chat model may answer from instead."""


@dataclass(frozen=True)
class Outcome:
    """What the answer says, before it is composed."""

    blocks: tuple[Block, ...] = ()
    reason: str | None = None
    confidence: float | None = None
    model: str | None = None
    """The chat model that wrote it; None for quotes, and for what is counted."""
    lacks: str | None = None
    """What abstracts would have to speak of, for a refusal that more of them would change."""
    notice: str | None = None
    plan: tuple[SubQuestion, ...] = ()
    counted: bool = False
    """Whether it is read off the index, so that no search found its papers."""


class Answering:
    """Finds out what to say about questions to one index."""

    def __init__(
        self,
        index: Index,
        encoder: Encoder,
        parts: Parts,
        estimate: Callable[[Signs], float],
        digests: Sequence[Digest],
    ) -> None:
        """Begin; see `rag.engine.AbstractQueryEngine`."""
        self._index = index
        self._encoder = encoder
        self._parts = parts
        self._estimate = estimate
        self._digests = digests

    def read_off(
        self, alone: Standalone, scope: Scope, request: Request, mask: NDArray[np.bool_]
    ) -> Outcome | None:
        """What is counted or read off the index, if that is what was asked."""
        if scope.unknown:
            there = name_all(self._digests)
            return Outcome(reason=f"There is no digest of {scope.unknown}; there is: {there}.")
        if asked_for := asks_where(alone, self._index, request.mask):
            blocks = write_where(alone, asked_for, self._digests, scope)
        elif credited := write_credits(alone, self._index, mask):
            blocks = credited
        elif is_about_digests(alone, scope):
            filtered = request.filters != Filters()
            blocks = describe(
                self._index,
                self._digests,
                alone.asked,
                scope,
                mask,
                filtered=filtered,
                shown=min(SHOWN, request.options.sources or SHOWN),
            )
        else:
            return None
        return Outcome(tuple(blocks), confidence=COUNTED, counted=True)

    def from_evidence(
        self,
        alone: Standalone,
        scope: Scope,
        request: Request,
        ranking: Ranking,
        mask: NDArray[np.bool_],
        writer: "Writer | None",
        clock: Clock,
    ) -> Generator[Event, None, Outcome]:
        """What the evidence says, written by a model if there is one, else quoted.

        A model that fails is told of in the notice of the quotes in its place. What the evidence
        for the whole question does not say may still be said for parts of it.

        Raises:
            StoppedError: the model was told to stop.
        """
        question = limited(analyse(alone.asked, scope.text), self._parts)
        options = request.options
        with clock.step("select"):
            about = {paper.id for paper in alone.about}
            rows = [int(row) for row in ranking.rows if self._index.papers[row].id in about]
            selector = Selector(self._index, self._encoder, question, ranking, rows, self._parts)
            evidence = selector.select()
            lack: Shortfall | None = None
            beside: Evidence | None = None
            if self._parts.abstention or not any(found.passages for found in evidence.papers):
                limits = describe_limits(request.filters, scope, self._digests)
                lack = insufficient(self._index, question, ranking, evidence, limits)
                if lack and lack.far and options.strictness == "lenient":
                    near = evidence if evidence.papers else selector.nearest(NEAREST_PAPERS)
                    if more := insufficient(
                        self._index, question, ranking, near, limits, distances=False
                    ):
                        lack = more  # a name, a number: then nothing near would do
                    else:
                        beside = within(near, options.sources)
            if writer and not lack:
                evidence = replace(evidence, close=selector.close_to(evidence, CLOSE_PAPERS))

        def quoted(found: Evidence) -> Outcome:
            return self._quoted(question, found, ranking, options, clock)

        plan: tuple[SubQuestion, ...] = ()
        found: list[Part] = []
        if writer and len(ranking.rows) and writer.plans(question):
            plan, found = yield from self._planned(question, mask, writer, clock)
        if lack and beside and not found:
            quotes = replace(quoted(beside), confidence=None)
            return replace(
                quotes, notice=_joined(BESIDE.format(lack.reason), quotes.notice), plan=plan
            )
        if lack and not found:
            return Outcome(reason=lack.reason, lacks=lack.lacks, plan=plan)
        if writer is None:
            return quoted(evidence)
        # What was found for a whole that is not there would answer something else.
        sheet = merge(Evidence(evidence.kind, ()) if lack else evidence, found)
        missing = lack.reason if lack and len(found) < len(plan) else None
        try:
            written = yield from self._written(
                question, alone, sheet, plan, ranking, writer, options, clock
            )
            return replace(written, notice=_joined(missing, written.notice))
        except StoppedError:
            raise
        except ChatError as error:
            if lack:
                told = f"No model wrote an answer: {error}."
                return Outcome(reason=lack.reason, lacks=lack.lacks, notice=told, plan=plan)
            yield Progress(stage="quote", text="Quoting the abstracts instead")
            quotes = quoted(evidence)
            told = f"These are quotes, since no model wrote the answer: {error}."
            return replace(quotes, notice=_joined(told, quotes.notice))

    def _quoted(
        self,
        question: Question,
        evidence: Evidence,
        ranking: Ranking,
        options: Options,
        clock: Clock,
    ) -> Outcome:
        """The outcome of quoting the evidence."""
        with clock.step("synthesise"):
            rows = [found.paper for found in evidence.papers if found.passages]
            shown = within(evidence, options.sources)
            fitting = len(evidence.papers) if question.counts_papers else None
            blocks = extractive.write(self._index, shown, fitting=fitting)
            papers = [self._index.papers[found.paper] for found in shown.papers if found.passages]
            if corrected := correction(question.text, papers):
                blocks.insert(0, Block((corrected,)))
            sure = self._estimate(read_signs(self._index, ranking, rows))
        notice = cut_notice(evidence, options.sources)
        return self._if_sure(
            Outcome(tuple(blocks), confidence=sure, notice=notice), question, options
        )

    def _if_sure(self, outcome: Outcome, question: Question, options: Options) -> Outcome:
        """The outcome, or why a strict answer is not given."""
        if options.strictness != "strict" or outcome.confidence is None:
            return outcome
        if (reason := too_unsure(outcome.confidence)) is None:
            return outcome
        lacks = subject_phrase(question.text, self._index.lexical)
        return Outcome(reason=reason, lacks=lacks, model=outcome.model, plan=outcome.plan)

    def _planned(
        self, question: Question, mask: NDArray[np.bool_], writer: "Writer", clock: Clock
    ) -> Generator[Event, None, tuple[tuple[SubQuestion, ...], list[Part]]]:
        """The parts of a question, and what was found for each; none if it has no parts."""
        yield Progress(stage="plan", text="Planning")
        with clock.step("plan"):
            plan = writer.plan(question, self._index)
            found = find_parts(self._index, self._encoder, plan, mask, self._parts)
        if plan:
            parts = " ".join(f"{part.number}. {part.question}" for part in plan)
            yield Progress(stage="plan", text=f"Looking up {len(plan)} parts: {parts}")
        return plan, found

    def _written(
        self,
        question: Question,
        alone: Standalone,
        evidence: Evidence,
        plan: tuple[SubQuestion, ...],
        ranking: Ranking,
        writer: "Writer",
        options: Options,
        clock: Clock,
    ) -> Generator[Event, None, Outcome]:
        """The outcome of a chat model's writing.

        It is not asked for a strict answer that would not be sure enough whatever it wrote.

        Raises:
            ChatError: it cannot be asked, or gave nothing that can be used.
        """
        cut = cut_notice(evidence, options.sources)
        whole, evidence = evidence, within(evidence, options.sources)
        left_out = [found.paper for found in whole.papers if found not in evidence.papers]
        first = [found.paper for found in whole.papers if found.passages]
        likely = self._estimate(read_signs(self._index, ranking, first))
        unsure = self._if_sure(Outcome(confidence=likely, plan=plan), question, options)
        if unsure.reason:
            return unsure
        count = len(evidence.papers) + len(evidence.close)
        yield Progress(stage="read", text=f"Reading {count} abstract{'s' * (count != 1)}")
        with clock.step("write"):
            papers = (self._index.papers[found.paper] for found in evidence.papers)
            opening = correction(question.text, papers)
            asked = replace(alone, asked=question.text).text  # what it says of digests is done
            written = yield from writer.write(self._index, asked, evidence, plan, opening)
        if written.reason:
            lacks = subject_phrase(question.text, self._index.lexical)
            return Outcome(
                reason=written.reason,
                lacks=lacks,
                model=writer.name,
                notice=written.notice,
                plan=plan,
            )
        rows = {paper.id: row for row, paper in enumerate(self._index.papers)}
        spans = [span for block in written.blocks for claim in block.claims for span in claim.spans]
        cited = list(dict.fromkeys(rows[span.paper.id] for span in spans))
        # What was left out for the number of sources is not what speaks against the rest.
        sure = self._estimate(read_signs(self._index, ranking, [*cited, *left_out]))
        notice = _joined(cut, writer.notice, written.notice)
        outcome = Outcome(
            written.blocks, confidence=sure, model=writer.name, notice=notice, plan=plan
        )
        return self._if_sure(outcome, question, options)


def _joined(*notices: str | None) -> str | None:
    """What there is to be said, in one paragraph."""
    return " ".join(filter(None, notices)) or None
