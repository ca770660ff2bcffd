"""From the evidence to what a chat model makes of it; the quotes, if it fails."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from index.store import Index
from rag.chat import ChatError, StoppedError
from rag.citations import Outcome, joined
from rag.clock import Clock
from rag.evidence import Evidence, within
from rag.listing import listed
from rag.query import Query
from rag.retrieval import Ranking
from rag.schema import Event, Progress, SubQuestion
from rag.selection import answering
from rag.synthesis.finding import Part, find_parts
from rag.synthesis.generative import ONE_EACH, Written
from rag.synthesis.many import BATCH, MOST_PAPERS
from rag.synthesis.writer import Writer
from rag.wording import Kind

PAPERS = 5
"""Abstracts that a question about one paper is answered from."""
PAPERS_IF_NAMED = 3
"""The same where it names the paper."""
PAPERS_OF_LIST = 10
"""Of a list, and of a question that may be about any of several papers."""
_SURE = 0.6
"""Of the probability that the first paper is the one that answers."""


@dataclass(frozen=True, eq=False)
class Material:
    """What was found for a question, and the answer that quotes it."""

    index: Index
    query: Query
    ranking: Ranking
    evidence: Evidence
    quotes: Outcome
    """With a reason in place of blocks where the abstracts are not likely to answer."""


def write_answer(
    found: Material, writer: Writer, clock: Clock, look_up: Callable[[str], Evidence | None]
) -> Generator[Event, None, Outcome]:
    """What a chat model writes, or the quotes if it fails.

    Args:
        found: What it may write from.
        writer: Asks the model.
        clock: Times the steps.
        look_up: Finds the evidence for a part of the question.

    Raises:
        StoppedError: the writer was told to stop.
    """
    rows = _papers_of_overview(found)
    limit = found.query.request.options.sources
    left_out = None
    if len(rows) > MOST_PAPERS and not limit:
        left_out = f"Only {MOST_PAPERS} of the {len(rows):,} papers were read."
        limit = MOST_PAPERS
    plan: tuple[SubQuestion, ...] = ()
    try:
        with clock.step("write"):
            if len(rows) > BATCH:
                written = yield from writer.write_about(found.index, found.query, rows[:limit])
            else:
                plan, parts = yield from _planned(found, writer, look_up)
                rows = rows or _papers(found, parts)
                sheet = writer.lay_out(found.index, rows[:limit])
                count = len(sheet.papers)
                text = f"Reading {count} abstract{'s' * (count != 1)}"
                yield Progress(stage="read", text=text)
                written = yield from writer.write(found.query, sheet, plan)
    except StoppedError:
        raise
    except ChatError as error:
        yield Progress(stage="quote", text="Quoting the abstracts instead")
        return _instead(found, f"These are quotes, since no model wrote the answer: {error}.")
    if not written.blocks:
        return _without_answer(found, written, writer)
    _, cut = within(found.evidence, found.query.request.options.sources)
    return Outcome(
        blocks=written.blocks,
        model=writer.name,
        checked_by=writer.checked_by,
        notice=joined(cut, left_out, writer.notice, written.notice, found.query.mends),
        plan=plan,
        confidence=found.quotes.confidence,
    )


def _without_answer(found: Material, written: Written, writer: Writer) -> Outcome:
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
        return Outcome(reason=reason, model=writer.name, lacks=found.query.subject.text)
    why = "the model found no answer in the abstracts" if written.says_nothing else None
    why = why or (written.notice or "the model gave no answer").rstrip(".")
    return _instead(found, f"These are quotes: {why[:1].lower()}{why[1:]}.")


def _instead(found: Material, why: str) -> Outcome:
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
    sizes = list(cluster.values())
    return sorted(rows, key=lambda row: (-sizes.count(cluster[row]), cluster[row]))


def _papers(found: Material, parts: Sequence[Part]) -> list[int]:
    """The rows of the papers to read: those of the evidence, then the best of the ranking."""
    own = [each.paper for part in parts for each in part.evidence.papers]
    own += [each.paper for each in found.evidence.papers]
    most = PAPERS_IF_NAMED if answering(found.query) else PAPERS
    is_list = found.query.kind in ONE_EACH or found.query.kind is Kind.OVERVIEW
    if is_list or found.evidence.share < _SURE:
        most = PAPERS_OF_LIST
    others = [int(row) for row in found.ranking.rows[: most + len(own)]]
    if found.query.kind is Kind.SIMILAR:
        own, others = [*answering(found.query), *own], []
    rows = list(dict.fromkeys((*own, *others)))
    return rows[: max(most, len(dict.fromkeys(own)))]


def _planned(
    found: Material, writer: Writer, look_up: Callable[[str], Evidence | None]
) -> Generator[Event, None, tuple[tuple[SubQuestion, ...], list[Part]]]:
    """The parts of a question, and what was found for each; none if it has no parts."""
    plan = writer.plan(found.query)
    if not plan:
        return (), []
    numbered = " ".join(f"{part.number}. {part.question}" for part in plan)
    yield Progress(stage="plan", text=f"Looking up {len(plan)} parts: {numbered}")
    return plan, find_parts(found.index, plan, look_up)
