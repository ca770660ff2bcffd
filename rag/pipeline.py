"""Answer a question: analyse it, rank papers, select evidence, judge it, quote it or write a text.

Each step is a callable of the `Recipe`; with another recipe, the worth of a step can be measured.
"""

from collections.abc import Callable, Generator, Iterator, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
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
from rag.confidence import Chances, chances
from rag.conversation import History, Standalone, places, plain, read_history
from rag.digests import allowed, list_digests
from rag.evidence import ON_SUBJECT, Evidence, within
from rag.fitted import Record
from rag.listing import asks_for_several
from rag.query import Query, Request, rank_for, understand
from rag.retrieval import Probe, Ranking, hits, rank
from rag.schema import (
    NO_ANSWER,
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
    Retrieved,
    Usage,
)
from rag.wording import LISTS, Kind

if TYPE_CHECKING:
    from rag.synthesis.writer import Writer

LONGEST_QUESTION = 4_000
"""Maximum length of a question, in code points."""
CAUTION = "The abstracts may not answer this; these sentences are closest."
BESIDE = "{} The closest sentences are quoted; they may not answer the question."
UNSURE = "The papers found are too unlikely to be the right ones for a strict answer ({:.0%})."
HELP = (
    "Ask about the papers of this collection, for example what one of them proposes or reports,"
    " which papers are on a subject, how two differ, or what is new."
)
_NEAREST = 3
_KINDS_OF_COLLECTION = {Kind.OVERVIEW, Kind.CHOOSE}


class Clock:
    """Measures the milliseconds spent in each step."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._start = perf_counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step under `name`, even if it fails or is abandoned."""
        start = perf_counter()
        try:
            yield
        finally:
            self.ms[name] = round((perf_counter() - start) * 1000, 3)

    def done(self) -> dict[str, float]:
        """Return the milliseconds of each step, and the total since the clock was made."""
        return {**self.ms, "total": round((perf_counter() - self._start) * 1000, 3)}


@dataclass(frozen=True)
class Recipe:
    """The steps of an answer; use another recipe to measure the worth of a step."""

    understand: Callable[..., Query] = understand
    rank: Callable[..., Ranking] = rank
    select: Callable[[Index, Query, Ranking], Evidence] = selection.select
    judge: Callable[[Index, Query, Ranking, Evidence], Chances] = chances
    fitted: Record | None = None
    """Models to use instead of those fitted for the index's encoder."""


def check_question(text: str) -> str:
    """Return a question as one plain line; raise InputError for an empty or too long one."""
    question = plain(text)
    if not question:
        raise InputError("the question is empty: write what you want to know")
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"the question has {len(question):,} characters:"
            f" shorten it to at most {LONGEST_QUESTION:,}"
        )
    return question


def info_of(index: Index) -> IndexInfo:
    """Return what an answer says of the index it is from."""
    name, encoder = index.manifest.generation, index.manifest.encoder
    return IndexInfo(id=name, papers=len(index.papers), encoder=encoder)


class Pipeline:
    """Answers questions from one index; every sentence cites the sentence that supports it."""

    def __init__(self, index: Index, encoder: Encoder, recipe: Recipe | None = None) -> None:
        """Answer from `index` and `encoder`, which belong together, by the steps of `recipe`."""
        self.index = index
        self._encoder = encoder
        self._recipe = recipe or Recipe()
        self._digests = list_digests(index.papers)

    @property
    def info(self) -> IndexInfo:
        """The index that answers."""
        return info_of(self.index)

    def request(
        self,
        question: str,
        history: History | None,
        filters: Filters,
        options: Options | None = None,
    ) -> Request:
        """Check a question with its history and filters; raise InputError for an invalid one."""
        asked, turns = check_question(question), read_history(history)
        mask = allowed(self.index.papers, filters)
        return Request(asked, turns, filters, options or Options(), mask)

    def search(self, query: str, limit: int, mask: NDArray[np.bool_]) -> tuple[Hit, ...]:
        """Return the best papers for a query, best first; `mask` allows papers, shape (P,)."""
        probe = Probe.of(check_question(query), self.index, self._encoder)
        return hits(self.index, self._recipe.rank(self.index, probe, mask), limit)

    def answer(self, request: Request, writer: "Writer | None" = None) -> Answer:
        """Answer a question without a stream of events; see `run`."""
        for event in self.run(request, writer):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a run ends with its answer")

    def run(self, request: Request, writer: "Writer | None" = None) -> Iterator[Event]:
        """Answer a question as a stream of events, of which the last has the answer.

        With a writer, a chat model writes the answer. If the model fails, the evidence is quoted
        instead and the answer says so. Raises StoppedError if the writer was cancelled.
        """
        clock = Clock()
        if writer and request.turns:
            yield Progress(stage="understand", text="Reading the conversation")
        with clock.step("understand"):
            condensed = None
            if writer and not places(request.asked):  # a source number already identifies a paper
                condensed = writer.condense(request, self.index)
            query = self._recipe.understand(
                request,
                self.index,
                self._encoder,
                self._digests,
                Standalone(condensed) if condensed else None,
                self._recipe.fitted,
            )
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

    def _outcome(
        self, query: Query, ranking: Ranking, writer: "Writer | None", clock: Clock
    ) -> Generator[Event, None, tuple[Outcome, bool]]:
        """Return the content of the answer, and whether its text has been streamed already."""
        if direct := self._answer_directly(query, ranking):
            return direct, False
        query = self._decide_kind(query, ranking)
        with clock.step("select"):
            evidence = self._recipe.select(self.index, query, ranking)
            quoted = self._quote_or_refuse(query, ranking, evidence)
        if writer is None or not quoted.may_write:
            return quoted, False
        from rag.synthesis.writer import Material  # only needed with a chat model

        streamed = False
        material = Material(self.index, query, ranking, evidence, quoted)
        with closing(writer.answer(material, clock)) as steps:
            while True:
                try:
                    event = next(steps)
                except StopIteration as end:
                    return end.value, streamed
                streamed = streamed or isinstance(event, Delta)
                yield event

    def _answer_directly(self, query: Query, ranking: Ranking) -> Outcome | None:
        """Return the outcome for small talk, facts of the index or an unclear question, or None."""
        index, scope = self.index, query.scope
        if (number := query.missing_source) is not None:
            return Outcome(reason=f"Earlier answers have no source {number}.")
        is_readable = refusal.is_latin(refusal.beside_names(query))
        known = index.lexical.document_frequency
        is_talk = query.kind is Kind.CHAT and not query.names and not query.about and is_readable
        if is_talk and not any(token in known for token in tokenize(query.subject_text or "")):
            return _exact_outcome([Block((Claim(HELP, ()),))])
        if reason := refusal.no_papers(query, ranking, self._digests):
            return Outcome(reason=reason)
        if not is_readable:
            return None  # a wording in another script cannot be read as asking for a fact
        is_empty = not (query.has_subject or query.names or query.about)
        if query.kind is Kind.COMPARE and is_empty:
            suggestions = refusal.of_digests(scope.filters.digests, self._digests)
            reason = "What should be compared? Name two papers or subjects"
            hint = ", or choose papers of the digests." if suggestions else "."
            return Outcome(reason=reason + hint, suggestions=suggestions)
        if name := query.ambiguous:
            titles = [index.papers[row].display_title for row in name.own[:_NEAREST]]
            choices = tuple(query.probe.text.replace(name.text, f"“{title}”") for title in titles)
            several = f"“{name.text}” is the name of several papers: {'; '.join(titles)}."
            return Outcome(reason=f"{several} Which one is meant?", suggestions=choices)
        if query.wording.asks_most == "name" and (credited := self._credits(query)):
            return credited
        is_of_index = query.kind is Kind.CATALOGUE
        blocks = is_of_index and catalogue.read_off(index, query, ranking, self._digests)
        return _exact_outcome(blocks) if blocks else None

    def _decide_kind(self, query: Query, ranking: Ranking) -> Query:
        """Return the query with its final kind: the ranking tells if it asks for several papers."""
        kind, likely = query.kind, query.wording.kinds
        if query.known and query.only_names:
            if kind in (Kind.COMPARE, Kind.SIMILAR):
                return query
            kind_of_names = max((Kind.ANSWER, Kind.ABOUT, Kind.SIMILAR), key=likely.__getitem__)
            asks_meaning = kind_of_names is Kind.ANSWER and query.wording.asks_most == "meaning"
            return query.as_kind(Kind.ABOUT if asks_meaning else kind_of_names)
        may_be_one = kind in (Kind.CATALOGUE, Kind.CHAT, Kind.ANSWER, Kind.PAPERS)
        is_unnamed = kind is Kind.ABOUT and not query.known
        if kind is Kind.OVERVIEW and query.has_subject and not query.known:
            several = asks_for_several(self.index, query, ranking)
            return query if several else query.as_kind(Kind.ABOUT)
        if may_be_one or is_unnamed or (kind in _KINDS_OF_COLLECTION and query.known):
            several = not query.about and asks_for_several(self.index, query, ranking)
            one = Kind.ABOUT if is_unnamed else Kind.ANSWER
            return query.as_kind(Kind.PAPERS if several else one)
        return query

    def _quote_or_refuse(self, query: Query, ranking: Ranking, evidence: Evidence) -> Outcome:
        """Return quotes, with a caution if they are uncertain, or the reason for a refusal."""
        if filtered := refusal.filtered_out(self.index, query, ranking):
            return Outcome(reason=filtered)
        if not any(paper.passages for paper in evidence.papers):
            others = query.allowed.copy()
            others[list(query.known)] = False
            if query.kind is Kind.SIMILAR and not others.any():
                filtered = f"No other paper is left after the filters ({query.limits})."
                return Outcome(reason=filtered if query.limits else "There is no other paper.")
            return Outcome(reason="The papers found have no abstract to quote.")
        if not refusal.is_latin(refusal.beside_names(query)):
            return replace(refusal.unanswered(self.index, query, ranking), may_write=True)
        if _is_certain(query, evidence):
            confidence = None if query.kind is Kind.CHOOSE else 1.0
            return self._quote(query, evidence, confidence, may_write=True)
        strictness, least = query.request.options.strictness, query.fitted.thresholds
        judged = self._recipe.judge(self.index, query, ranking, evidence)
        suffices = _compares_named(query) or judged.suffice(least)
        on_topic = judged.topic >= least["topic"] * 0.1  # a chat model can still refuse itself
        if not suffices and (credited := self._credits(query)):
            return credited
        shortfall = None if suffices else refusal.unanswered(self.index, query, ranking)
        if shortfall and strictness != "lenient":
            may_write = on_topic and strictness == "normal"
            return replace(shortfall, may_write=may_write, confidence=judged.answer)
        if strictness == "strict" and judged.answer < 0.5:  # rather wrong than right
            return Outcome(reason=UNSURE.format(judged.answer), lacks=query.subject_phrase)
        is_unsure = judged.answer < max(least["caution"], judged.of_papers and ON_SUBJECT)
        caution = BESIDE.format(shortfall.reason) if shortfall else CAUTION if is_unsure else None
        asks_one = query.kind in (Kind.ANSWER, Kind.ABOUT)
        if not shortfall and asks_one and judged.paper < least["paper"]:
            caution = CAUTION
            if not query.named:
                evidence = selection.nearest(self.index, query, ranking)
        confidence = None if shortfall else judged.answer
        return self._quote(query, evidence, confidence, caution, may_write=suffices or on_topic)

    def _credits(self, query: Query) -> Outcome | None:
        """Say who wrote the papers that a question names, if it may ask that; else None."""
        if not (query.known and query.only_names and query.wording.may_ask_credits):
            return None
        return _exact_outcome([catalogue.credits_of(self.index.papers[row]) for row in query.known])

    def _quote(
        self,
        query: Query,
        evidence: Evidence,
        confidence: float | None,
        caution: str | None = None,
        *,
        may_write: bool,
    ) -> Outcome:
        """Return quotes of the evidence, from as many papers as may be cited."""
        shown, cut = within(evidence, query.request.options.sources)
        left_out = None if query.kind in LISTS else refusal.left_out(self.index, query)
        return Outcome(
            tuple(quotes(self.index, shown)),
            confidence=confidence,
            notice=joined(caution, left_out, query.mends, cut),
            left_out=left_out,
            caution=caution,
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
        """Return the outcome as an `Answer`, with markers, references, nearest papers and usage."""
        with clock.step("cite"):
            composition = compose(outcome.blocks)
        references = composition.references
        if not outcome.counted:
            references = tuple(
                each.model_copy(update={"found": ranking.found_by(row)})
                for each in references
                if (row := self.index.row_of(each.paper.id)) is not None
            )
        reason, heading = outcome.reason, f"{NO_ANSWER} " if outcome.searched else ""
        return Answer(
            question=query.request.asked.encode(errors="replace").decode(),
            standalone_question=query.standalone,
            kind=query.kind.value,
            status="insufficient_evidence" if reason else "answered",
            reason=reason,
            lacks=outcome.lacks,
            mode="generative" if outcome.model else "extractive",
            notice=outcome.notice,
            text=composition.text if reason is None else heading + escape(reason),
            sentences=composition.sentences,
            references=references,
            nearest=self._nearest(ranking, {each.paper.id for each in references}),
            suggestions=outcome.suggestions,
            usage=writer.usage if writer else Usage(),
            timings_ms=clock.done(),
            model=outcome.model,
            checked_by=outcome.checked_by,
            confidence=None if reason else outcome.confidence,
            index=self.info,
        )

    def _nearest(self, ranking: Ranking, cited: Set[str]) -> tuple[NearPaper, ...]:
        """Return the first papers of a ranking that are not cited."""
        first = ranking.rows[: len(cited) + _NEAREST]
        near = [(self.index.papers[row], float(ranking.scores[row])) for row in first]
        others = [(paper, score) for paper, score in near if paper.id not in cited][:_NEAREST]
        return tuple(NearPaper(id=at.id, title=at.title, score=score) for at, score in others)


def _exact_outcome(blocks: Sequence[Block]) -> Outcome:
    """Return text that no search found, such as facts of the index, as a certain outcome."""
    return Outcome(tuple(blocks), confidence=1.0, counted=True)


def _compares_named(query: Query) -> bool:
    chosen = int(query.allowed.sum()) if query.request.filters.papers else 0
    named = [row for row in query.named if query.allowed[row]]
    return query.kind is Kind.COMPARE and max(len(named), chosen) > 1


def _is_certain(query: Query, evidence: Evidence) -> bool:
    """Return whether it is known which papers to quote and they surely state what is asked."""
    if not query.has_subject and query.kind in _KINDS_OF_COLLECTION:
        return True
    if query.kind is Kind.SIMILAR:
        return evidence.fit is None
    asks_description = query.kind is Kind.ABOUT or (_compares_named(query) and query.only_names)
    return asks_description and bool(query.known)
