"""The way of a question: analysed once, ranked, evidence, a probability, quotes or a model's words.

Each step is a callable of the `Recipe`, so that what a part is worth is measured by another recipe.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder
from index.errors import InputError
from index.lexical import tokenize
from index.store import Index
from rag import catalogue, refusal, selection
from rag.citations import Block, Claim, Outcome, compose, escape, joined, quotes
from rag.confidence import COUNTED, Chances, chances
from rag.conversation import History, Standalone, places, plain, read_history
from rag.digests import allowed, list_digests
from rag.evidence import ON_SUBJECT, Evidence, within
from rag.fitted import Record
from rag.listing import asks_for_several
from rag.query import Query, Request, rank_for, understand
from rag.retrieval import Probe, Ranking, hits, rank
from rag.schema import (
    Answer,
    Delta,
    Event,
    Filters,
    Finished,
    Hit,
    IndexInfo,
    NearPaper,
    Options,
    Progress,
    Reference,
    Retrieved,
    Usage,
)
from rag.scope import describe_limits
from rag.wording import LISTS, Kind

if TYPE_CHECKING:
    from rag.synthesis.writer import Writer

LONGEST_QUESTION = 4_000
"""Code points; a longer text is not a question."""
STRICT = 0.5
"""A strict answer is given from this probability: it is more likely right than not."""
CAUTION = "The abstracts may not answer this: these sentences come nearest."
BESIDE = "{} What is quoted comes nearest, and may be beside the question."
UNSURE = "The papers found are not likely enough to be the right ones for a strict answer ({:.0%})."
HELP = (
    "Ask about the papers of this collection, for example what one of them proposes or reports,"
    " which papers are on a subject, how two differ, or what is new."
)
_MAY_BE_ON_TOPIC = 0.1
"""Of the least probability of a question's subject that quotes want, what a chat model wants: it
tells itself whether the abstracts answer."""
_NEAREST = 3
_ONE_PAPER = {Kind.ANSWER, Kind.ABOUT}
_OF_ALL = {Kind.OVERVIEW, Kind.CHOOSE}


class Clock:
    """Milliseconds spent in each step."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._start = perf_counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step under `name`, one that fails or is given up, too."""
        start = perf_counter()
        try:
            yield
        finally:
            self.ms[name] = round((perf_counter() - start) * 1000, 3)

    def done(self) -> dict[str, float]:
        """All steps, and the total since the clock was made."""
        return {**self.ms, "total": round((perf_counter() - self._start) * 1000, 3)}


@dataclass(frozen=True)
class Recipe:
    """The steps of an answer; another recipe measures what a step is worth."""

    understand: Callable[..., Query] = understand
    rank: Callable[..., Ranking] = rank
    select: Callable[[Index, Query, Ranking], Evidence] = selection.select
    judge: Callable[[Index, Query, Ranking, Evidence], Chances] = chances
    fitted: Record | None = None
    """Other models than those of the index's encoder."""


def check_question(text: str) -> str:
    """The question without surrounding white space and unprintable characters.

    Raises:
        InputError: nothing is left, or it is longer than `LONGEST_QUESTION`.
    """
    question = plain(text)
    if not question:
        raise InputError("the question is empty: write what you want to know")
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"the question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are read"
        )
    return question


class Pipeline:
    """Answers questions from one index; every sentence cites the sentence it stands on."""

    def __init__(self, index: Index, encoder: Encoder, recipe: Recipe | None = None) -> None:
        """Begin."""
        self.index = index
        self._encoder = encoder
        self._recipe = recipe or Recipe()
        self._digests = list_digests(index.papers)

    @property
    def info(self) -> IndexInfo:
        """The index that answers."""
        manifest = self.index.manifest
        return IndexInfo(
            id=manifest.generation, papers=len(self.index.papers), encoder=manifest.encoder
        )

    def request(
        self,
        question: str,
        history: History | None,
        filters: Filters,
        options: Options | None = None,
    ) -> Request:
        """Check what was asked, before anything is done.

        Raises:
            InputError: the question, the history or a filter cannot be used.
        """
        asked, turns = check_question(question), read_history(history)
        mask = allowed(self.index.papers, filters)
        return Request(asked, turns, filters, options or Options(), mask)

    def search(self, query: str, limit: int, mask: NDArray[np.bool_]) -> tuple[Hit, ...]:
        """The papers nearest to a query that are allowed, shape (P,), best first."""
        probe = Probe.of(check_question(query), self.index, self._encoder)
        return hits(self.index, self._recipe.rank(self.index, probe, mask), limit)

    def answer(self, request: Request, writer: "Writer | None" = None) -> Answer:
        """The answer alone; see `run`."""
        for event in self.run(request, writer):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a run ends with its answer")

    def run(self, request: Request, writer: "Writer | None" = None) -> Iterator[Event]:
        """Answer a question in events; the last event is the answer.

        With a writer a chat model writes it; where that fails, the evidence is quoted instead
        and the answer says so.

        Raises:
            StoppedError: the writer was told to stop.
        """
        clock = Clock()
        if writer and request.turns:
            yield Progress(stage="understand", text="Reading the conversation")
        with clock.step("understand"):
            query = self._understand(request, writer)
        yield Progress(stage="search", text=f"Searching {int(query.allowed.sum()):,} abstracts")
        with clock.step("retrieve"):
            ranking = rank_for(self.index, query, self._recipe.rank)
            found = hits(self.index, ranking, 10)
        yield Retrieved(hits=found)
        outcome, streamed = yield from self._outcome(query, ranking, writer, clock)
        answer = self._answer(query, outcome, ranking, writer, clock)
        if not streamed:
            yield Delta(text=answer.text)
        yield Finished(answer=answer)

    def _understand(self, request: Request, writer: "Writer | None") -> Query:
        condensed = None
        if writer and not places(request.asked):  # a number says itself which paper
            condensed = writer.condense(request, self.index)
        standalone = Standalone(condensed) if condensed else None
        return self._recipe.understand(
            request, self.index, self._encoder, self._digests, standalone, self._recipe.fitted
        )

    def _outcome(
        self, query: Query, ranking: Ranking, writer: "Writer | None", clock: Clock
    ) -> Generator[Event, None, tuple[Outcome, bool]]:
        """What the answer says, and whether its text was streamed on the way."""
        if direct := self._direct(query, ranking):
            return direct, False
        query = self._sure_of_kind(query, ranking)
        with clock.step("select"):
            evidence = self._recipe.select(self.index, query, ranking)
            quoted = self._quoted(query, ranking, evidence)
        if writer is None or not quoted.may_write:
            return quoted, False
        from rag.synthesis.writer import Material  # a chat model's part alone

        streamed = False
        found = Material(self.index, query, ranking, evidence, quoted)
        with closing(writer.answer(found, clock)) as steps:
            while True:
                try:
                    event = next(steps)
                except StopIteration as end:
                    return end.value, streamed
                streamed = streamed or isinstance(event, Delta)
                yield event

    def _direct(self, query: Query, ranking: Ranking) -> Outcome | None:
        """What needs no evidence: small talk, facts of the index, and what cannot be asked."""
        index, scope = self.index, query.scope
        if (number := query.missing_source) is not None:
            return Outcome(reason=f"There is no source {number} in the answers before.")
        is_readable = refusal.is_latin(refusal.beside_names(query))
        known = index.lexical.document_frequency
        is_talk = query.kind is Kind.CHAT and not query.names and not query.about and is_readable
        if is_talk and not any(token in known for token in tokenize(query.subject_text or "")):
            return _read_off([Block((Claim(HELP, ()),))])
        if scope.unknown:
            there = ", ".join(digest.label for digest in self._digests) or "none"
            return Outcome(reason=f"There is no digest of {scope.unknown}; there is: {there}.")
        if not len(ranking.rows):
            limits = describe_limits(query.request.filters, scope, self._digests)
            return Outcome(reason=refusal.nothing_left(limits).reason)
        if not is_readable:
            return None  # nothing is read off the index for a wording that cannot be read
        nothing = not (query.has_subject or query.names or query.about)
        if query.kind is Kind.COMPARE and nothing:
            asked = refusal.of_digests(scope.filters.digests, self._digests)
            reason = "What is to be compared? Name two papers or subjects"
            also = ", or choose papers of the digests." if asked else "."
            return Outcome(reason=reason + also, suggestions=asked)
        if name := query.ambiguous:
            titles = [index.papers[row].display_title for row in name.own[:_NEAREST]]
            asked = tuple(query.probe.text.replace(name.text, f"“{title}”") for title in titles)
            return Outcome(reason=refusal.unclear(index, name).reason, suggestions=asked)
        if _may_ask_credits(query) and query.wording.asks_most == "name":
            return self._credits(query)
        if query.kind is Kind.CATALOGUE and (
            blocks := catalogue.read_off(index, query, ranking, self._digests)
        ):
            return _read_off(blocks)
        return None

    def _sure_of_kind(self, query: Query, ranking: Ranking) -> Query:
        """The query with the kind that its evidence is selected for.

        Where the wording may ask for papers or for what one says, the ranking tells as well.
        """
        kind, likely = query.kind, query.wording.kinds
        if query.known and query.only_names:
            if kind in (Kind.COMPARE, Kind.SIMILAR):
                return query
            of_names = max((Kind.ANSWER, Kind.ABOUT, Kind.SIMILAR), key=likely.__getitem__)
            is_meant = of_names is Kind.ANSWER and query.wording.asks_most == "meaning"
            return query.as_kind(Kind.ABOUT if is_meant else of_names)
        may_be_one = kind in (Kind.CATALOGUE, Kind.CHAT, Kind.ANSWER, Kind.PAPERS)
        is_unnamed = kind is Kind.ABOUT and not query.known
        if kind is Kind.OVERVIEW and query.has_subject and not query.known:
            several = asks_for_several(self.index, query, ranking)
            return query if several else query.as_kind(Kind.ABOUT)
        if may_be_one or is_unnamed or (kind in _OF_ALL and query.known):
            several = not query.about and asks_for_several(self.index, query, ranking)
            one = Kind.ABOUT if is_unnamed else Kind.ANSWER
            return query.as_kind(Kind.PAPERS if several else one)
        return query

    def _quoted(self, query: Query, ranking: Ranking, evidence: Evidence) -> Outcome:
        """Quotes, with a caution where they are unsure, or why there is no answer."""
        limits = describe_limits(query.request.filters, query.scope, self._digests)
        if lack := refusal.filtered_out(self.index, query, ranking, limits):
            return Outcome(reason=lack.reason, lacks=lack.lacks)
        if not any(found.passages for found in evidence.papers):
            others = query.allowed.copy()
            others[list(query.known)] = False
            if query.kind is Kind.SIMILAR and not others.any():
                return Outcome(reason=refusal.no_other(limits))
            return Outcome(reason="The papers found have no abstract to quote.")
        if not refusal.is_latin(refusal.beside_names(query)):
            lack = refusal.unanswered(self.index, query, ranking)
            return Outcome(reason=lack.reason, lacks=lack.lacks, may_write=True)
        if _is_certain(query, evidence):
            sure = None if query.kind is Kind.CHOOSE else COUNTED
            return self._shown(query, evidence, sure, may_write=True)
        strictness, least = query.request.options.strictness, query.fitted.thresholds
        judged = self._recipe.judge(self.index, query, ranking, evidence)
        suffices = _compares_named(query) or judged.suffice(least)
        on_topic = judged.topic >= least["topic"] * _MAY_BE_ON_TOPIC
        if not suffices and _may_ask_credits(query):
            return self._credits(query)
        lack = None if suffices else refusal.unanswered(self.index, query, ranking)
        if lack and strictness != "lenient":
            may_write = on_topic and strictness == "normal"
            return Outcome((), lack.reason, judged.answer, lacks=lack.lacks, may_write=may_write)
        if strictness == "strict" and judged.answer < STRICT:
            return Outcome(reason=UNSURE.format(judged.answer), lacks=query.subject_phrase)
        is_unsure = judged.answer < max(least["caution"], judged.of_papers and ON_SUBJECT)
        caution = BESIDE.format(lack.reason) if lack else CAUTION if is_unsure else None
        if not lack and query.kind in _ONE_PAPER and judged.paper < least["paper"]:
            caution = CAUTION
            if not query.named:
                evidence = selection.nearest(self.index, query, ranking)
        sure = None if lack else judged.answer
        return self._shown(query, evidence, sure, caution, may_write=suffices or on_topic)

    def _credits(self, query: Query) -> Outcome:
        return _read_off([catalogue.credits_of(self.index.papers[row]) for row in query.known])

    def _shown(
        self,
        query: Query,
        evidence: Evidence,
        confidence: float | None,
        caution: str | None = None,
        *,
        may_write: bool,
    ) -> Outcome:
        """The evidence of as many papers as may be cited."""
        shown, cut = within(evidence, query.request.options.sources)
        limits = describe_limits(query.request.filters, query.scope, self._digests)
        is_list = query.kind in LISTS
        left_out = None if is_list else refusal.left_out(self.index, query, limits)
        return Outcome(
            tuple(quotes(self.index, shown)),
            confidence=confidence,
            notice=joined(caution, left_out, query.mends, cut),
            left_out=left_out,
            may_write=may_write,
        )

    def _answer(
        self,
        query: Query,
        outcome: Outcome,
        ranking: Ranking,
        writer: "Writer | None",
        clock: Clock,
    ) -> Answer:
        """The outcome with its markers and references, and what is told beside it."""
        with clock.step("cite"):
            composition = compose(outcome.blocks)
        cited = {reference.paper.id for reference in composition.references}
        reason = outcome.reason
        references = composition.references
        if not outcome.counted:
            references = self._found_by(references, ranking)
        return Answer(
            question=query.request.asked.encode(errors="replace").decode(),
            standalone_question=query.standalone,
            kind=query.kind.value,
            status="insufficient_evidence" if reason else "answered",
            reason=reason,
            lacks=outcome.lacks if reason else None,
            mode="generative" if outcome.model else "extractive",
            notice=outcome.notice,
            text=f"The abstracts do not say. {escape(reason)}" if reason else composition.text,
            sentences=composition.sentences,
            references=references,
            nearest=self._nearest(ranking, cited),
            suggestions=outcome.suggestions,
            usage=writer.usage if writer else Usage(),
            timings_ms=clock.done(),
            model=outcome.model,
            checked_by=outcome.checked_by,
            confidence=None if reason else outcome.confidence,
            index=self.info,
        )

    def _found_by(
        self, references: tuple[Reference, ...], ranking: Ranking
    ) -> tuple[Reference, ...]:
        """The references, each with what found its paper for the whole question."""
        return tuple(
            each.model_copy(update={"found": ranking.found_by(row)})
            for each in references
            if (row := self.index.row_of(each.paper.id)) is not None
        )

    def _nearest(self, ranking: Ranking, cited: set[str]) -> tuple[NearPaper, ...]:
        rows = [int(row) for row in ranking.rows[: len(cited) + _NEAREST]]
        papers = [(self.index.papers[row], float(ranking.scores[row])) for row in rows]
        return tuple(
            NearPaper(id=paper.id, title=paper.title, score=score)
            for paper, score in papers
            if paper.id not in cited
        )[:_NEAREST]


def _read_off(blocks: Sequence[Block]) -> Outcome:
    """What the index itself says."""
    return Outcome(tuple(blocks), confidence=COUNTED, counted=True)


def _may_ask_credits(query: Query) -> bool:
    return bool(query.known) and query.only_names and query.wording.may_ask_credits


def _compares_named(query: Query) -> bool:
    chosen = int(query.allowed.sum()) if query.request.filters.papers else 0
    named = [row for row in query.named if query.allowed[row]]
    return query.kind is Kind.COMPARE and max(len(named), chosen) > 1


def _is_certain(query: Query, evidence: Evidence) -> bool:
    """Whether the papers are known, and nothing is asked that they may not state."""
    if not query.has_subject and query.kind in _OF_ALL:
        return True
    if query.kind is Kind.SIMILAR:
        return evidence.fit is None
    told = query.kind is Kind.ABOUT or (_compares_named(query) and query.only_names)
    return told and bool(query.known)
