"""Use a chat model for one question: to rewrite a follow-up, to find papers, to write the answer.

`Writer.answer` chooses the papers, lays out their abstracts, has the answer written, and falls back
to quotes if the model fails. `Writers` opens the models.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from threading import Lock
from time import monotonic

import numpy as np

from index import minilm
from index.embedding import SentenceEncoder
from index.errors import InputError
from index.lexical import tokenize
from index.store import Index
from rag.chat import Asking, ChatError, ChatModel, Complete, TooLongError
from rag.citations import Block, Outcome, joined, quote
from rag.conversation import POINTS, papers_before
from rag.evidence import Evidence, within
from rag.listing import likely, listed
from rag.pipeline import Clock
from rag.query import Query, Request
from rag.retrieval import Ranking, passage_rows
from rag.schema import Event, Mode, Options, Progress, Usage
from rag.selection import answering, by_theme
from rag.settings import OPENAI, Settings
from rag.support import MISJUDGED, JudgeChecker
from rag.support.local import LocalChecker
from rag.synthesis.drafting import BATCH, MOST_PAPERS, Draft, NoAnswerError, Written, write_about
from rag.synthesis.helping import Looking, condense
from rag.synthesis.prompts import ONE_EACH, lay_out
from rag.wording import Kind

_NO_ENDPOINT = (
    "set ABSTRACTQA_CHAT_MODEL, and OPENAI_API_KEY or OPENAI_BASE_URL; or choose 'extractive'"
)
LEFT_OUT = "Quotes that the model left out are added."


@dataclass(frozen=True, eq=False)
class Material:
    """What was retrieved for a question, and the answer, or the refusal, by quotes."""

    index: Index
    query: Query
    ranking: Ranking
    evidence: Evidence
    quotes: Outcome


class Writer:
    """Uses a chat model for one question, and counts the tokens of all its calls."""

    def __init__(
        self, model: ChatModel, judge: ChatModel, local: LocalChecker, settings: Settings
    ) -> None:
        self.name, self._local, self._settings = model.name, local, settings
        seconds = settings.chat_deadline_seconds
        self._asking = Asking(model, seconds, settings.chat_price)
        self._judging = self._asking if judge is model else Asking(judge, seconds)
        self._judge: JudgeChecker | None = None
        if settings.support_checker == "judge":
            ask = partial(self._judging.complete, max_tokens=settings.answer_tokens)
            self._judge = JudgeChecker(ask, judge.name, trusted=judge.misjudged < 2)

    @property
    def usage(self) -> Usage:
        """The tokens and cost so far; no cost if another model judged, whose price is unknown."""
        used, judged = self._asking.usage, self._judging.usage
        return used if self._judging is self._asking or not judged.prompt_tokens else used + judged

    def completing(self, max_tokens: int) -> Complete:
        """Return a function that asks the model on this question's account, from any thread."""
        return partial(self._asking.complete, max_tokens=max_tokens)

    def cancel(self) -> None:
        """Stop the model, from any thread."""
        self._asking.cancel()
        self._judging.cancel()

    def condense(self, request: Request, index: Index) -> str | None:
        """Rewrite a follow-up to stand alone; None if it surely does, or the model cannot."""
        # In a short question a noun can refer to the turn before: "What accuracy has the agent?"
        may_lean = bool(POINTS.search(request.asked)) or len(set(tokenize(request.asked))) < 7
        if self._is_weak or not may_lean or not any(turn.role == "user" for turn in request.turns):
            return None
        titles = [index.papers[row].display_title for row in papers_before(request.turns, index)]
        return condense(request.asked, request.turns, titles, self.completing(120))

    def answer(self, found: Material, clock: Clock) -> Generator[Event, None, Outcome]:
        """Have the chat model write the answer from what was found; use the quotes if it fails.

        Where the quotes refuse or count, they take the place of what a weak model writes; else
        those that it leaves out are added. Raises StoppedError if the writer was cancelled.
        """
        by_quotes = _decided_by_quotes(found)
        if by_quotes and self._is_weak:
            return _noted(found.quotes, f"The model was not asked: {MISJUDGED}.")
        overview = _papers_of_overview(found)
        judge = self._judge if len(overview) <= BATCH else None
        try:
            with clock.step("write"):
                blocks, notice = yield from self._write(found, overview)
        except ChatError as error:
            yield Progress(stage="quote", text="Quoting the abstracts instead")
            return self._quotes(found, error)
        finally:
            if judge and judge.passed is not None:
                judging = self._judging.model
                judging.misjudged = 0 if judge.passed else judging.misjudged + 1
        if judge and self._is_weak:
            if by_quotes:
                yield Progress(stage="quote", text="Keeping to what the quotes say")
                return _noted(found.quotes, f"The model's text is left out: {MISJUDGED}.")
            if rest := _left_out(found, blocks):
                notice = joined(notice, LEFT_OUT, found.quotes.caution)
                blocks += rest
        problem = judge.problem if judge else None
        unjudged = problem and f"Citations were checked only by the local check: {problem}."
        _, cut = within(found.evidence, found.query.request.options.sources)
        return Outcome(
            blocks=tuple(blocks),
            model=self.name,
            checked_by=judge.name if judge and not problem else "local",
            notice=joined(found.quotes.left_out, cut, unjudged, notice, found.query.mends),
            confidence=found.quotes.confidence,
        )

    @property
    def _is_weak(self) -> bool:
        """Whether the model that writes gave no or wrong verdicts on the judge's control claims."""
        misjudges = bool(self._judge and self._judge.problem == MISJUDGED)
        return misjudges and self._judging is self._asking

    def _quotes(self, found: Material, error: ChatError) -> Outcome:
        """Return the quotes, and why; refuse if the model found no answer and they are unsure."""
        quotes, least = found.quotes, found.query.fitted.thresholds["caution"]
        if quotes.reason:
            return quotes
        if isinstance(error, NoAnswerError) and (quotes.confidence or 0.0) < least:
            shown = [found.index.papers[e.paper].display_title for e in found.evidence.papers[:3]]
            titles = ", ".join(f"“{title}”" for title in shown)
            reason = f"The closest abstracts, {titles}, do not answer this."
            lacks = found.query.subject_phrase
            return Outcome(reason=reason, model=self.name, lacks=lacks, searched=True)
        return _noted(quotes, f"These are quotes, since no model wrote the answer: {error}.")

    def _look_further(self, found: Material) -> Generator[Event, None, Sequence[int]]:
        """Return the rows to read: the first three, those that the model finds itself, the rest."""
        rows = _papers(found)
        rounds, most = self._settings.look_further, found.query.request.options.sources
        if not rounds or 0 < (most or 0) <= 3:
            return rows
        looking = Looking(found.index, found.query, self._asking, [*rows])
        yield from looking.look(rounds)
        return list(dict.fromkeys((*rows[:3], *looking.chosen, *rows)))

    def _write(self, found: Material, overview: Sequence[int]) -> Generator[Event, None, Written]:
        """Write the answer from as many abstracts as budget and context hold."""
        index, query, settings = found.index, found.query, self._settings
        context = settings.chat_context_tokens or 24_000
        budget = settings.evidence_tokens or min(6_000, context // 4)
        best = {each.paper: each.best for each in found.evidence.papers if each.best >= 0}
        quotes = {paper: quote(index, row) for paper, row in best.items()}
        checks = (self._local, self._judge, settings.answer_tokens)
        draft = Draft(index, query, self._asking, *checks, quotes)
        if len(overview) > BATCH:
            return (yield from write_about(draft, overview, budget // 2))
        rows = overview or (yield from self._look_further(found))
        rows = rows[: query.request.options.sources]
        while True:
            sheet = lay_out(index, rows, budget)
            count = len(sheet.papers)
            yield Progress(stage="read", text=f"Reading {count} abstract{'s' * (count != 1)}")
            try:
                blocks, notice = yield from draft.write(sheet)
                break
            except TooLongError:
                if count <= 1:
                    raise
            rows = sheet.papers[: count // 2]
        of_all = answering(query) if query.kind is Kind.COMPARE else overview
        blocks, quoted = draft.complete(blocks, of_all, {})
        return blocks, joined(notice, quoted)


def _noted(quotes: Outcome, why: str) -> Outcome:
    return replace(quotes, notice=joined(why, quotes.notice))


def _decided_by_quotes(found: Material) -> bool:
    """Return whether the quotes say that the abstracts do not answer, or how many papers fit."""
    shown, _ = within(found.evidence, found.query.request.options.sources)
    counts = found.evidence.counted and shown.count is not None
    return found.quotes.searched if found.quotes.reason else counts


def _left_out(found: Material, blocks: Sequence[Block]) -> list[Block]:
    """Return the quotes that a text does not cite, of no more papers than may be cited."""
    kind, options = found.query.kind, found.query.request.options
    if kind in (Kind.COMPARE, Kind.OVERVIEW) or options.length == "short":
        return []  # `Draft.complete` adds what comparisons and overviews lack
    cited = {span for block in blocks for claim in block.claims for span in claim.spans}
    papers = {span.paper.id for span in cited}
    most = options.sources or len(found.index.papers)
    rest: list[Block] = []
    for block in found.quotes.blocks:
        of_block = {span.paper.id for claim in block.claims for span in claim.spans}
        claims = tuple(c for c in block.claims if c.spans and not cited.intersection(c.spans))
        is_listed = kind in ONE_EACH and papers & of_block
        if claims and not is_listed and len(papers | of_block) <= most:
            papers |= of_block
            rest.append(replace(block, claims=claims))
    return rest


def _papers_of_overview(found: Material) -> Sequence[int]:
    """Return the rows of an overview's papers; for another question, none.

    Without a subject these are all, by cluster: first as many as can be read, the most typical ones
    of each cluster in proportion to its size.
    """
    index, query = found.index, found.query
    if query.kind is not Kind.OVERVIEW:
        return ()
    if query.has_subject:
        fitting = [row for row, _ in listed(index, query, found.ranking)]
        return list(dict.fromkeys((*fitting, *(e.paper for e in found.evidence.papers))))
    clusters = [[r for r in rows if passage_rows(index, r)] for rows in by_theme(index, query)]
    place = {row: (at + 0.5) / len(rows) for rows in clusters for at, row in enumerate(rows)}
    order = sorted(place, key=place.__getitem__)
    most = query.request.options.sources or MOST_PAPERS
    first = set(order[:most])
    return [*(row for rows in clusters for row in rows if row in first), *order[most:]]


def _papers(found: Material) -> list[int]:
    """Choose the rows of the papers to read: those of the evidence first, then the best others.

    For a list, ten; for a question that names its paper, three; else at least three, and as many as
    hold the paper that answers with a probability of .93. More if the evidence has more.
    """
    index, query = found.index, found.query
    chosen = [each.paper for each in found.evidence.papers]
    if query.kind is Kind.SIMILAR:
        return list(dict.fromkeys((*answering(query), *chosen)))
    is_list = query.kind in ONE_EACH or query.kind is Kind.OVERVIEW
    if is_list or answering(query):
        rows = list(dict.fromkeys((*chosen, *map(int, found.ranking.rows[: 10 + len(chosen)]))))
        return rows[: max(10 if is_list else 3, len(set(chosen)))]
    first = likely(index, query, found.ranking)
    reached = np.cumsum([share for _, share in first])
    count = max(3, int(np.searchsorted(reached, 0.93)) + 1)
    return list(dict.fromkeys((*chosen, *(row for row, _ in first[:count]))))


class Writers:
    """Opens the chat models of an endpoint when first needed; makes one writer per question."""

    def __init__(self, settings: Settings | None, encoder: SentenceEncoder) -> None:
        self.settings = settings
        self._encoder, self._closed = encoder, False
        self._lock, self._listing = Lock(), Lock()
        self._local: LocalChecker | None = None
        self._model: ChatModel | None = None
        self._listed: tuple[float, list[str]] | None = None
        """When the endpoint was asked for its models (`monotonic` seconds), and its answer."""

    @property
    def name(self) -> str | None:
        """The name of the model that mode "auto" asks; None if it asks none."""
        settings = self.settings
        if settings is None or settings.chat_model is None:
            return None
        has_key = settings.openai_api_key is not None
        return settings.chat_model if has_key or settings.openai_base_url != OPENAI else None

    @property
    def configuration(self) -> Mapping[str, object] | None:
        """The model and the settings that shape written answers; None without a model."""
        if self.settings is None or self.name is None:
            return None
        names = {"evidence_tokens", "answer_tokens", "look_further", "support_checker"}
        return {"model": self.name, **self.settings.model_dump(include={*names, "judge_model"})}

    def writer(self, mode: Mode, options: Options | None = None) -> Writer | None:
        """Return a writer for one question, or None if the answer is to be quotes.

        Raises InputError if the mode is unknown, or a needed model not configured or closed.
        """
        wanted = options.model if options else None
        if mode not in ("auto", "extractive", "generative"):
            raise InputError(f"unknown mode {mode!r}: choose 'auto', 'extractive' or 'generative'")
        if wanted and self.name is None:
            raise InputError(f"the model {wanted!r} cannot be used: {_NO_ENDPOINT}")
        if mode == "extractive" or (mode == "auto" and self.name is None):
            return None
        settings, model, local = self._open()
        if wanted and wanted != settings.chat_model:
            # The price and the context in the settings are those of the configured model.
            settings = settings.model_copy(update={"chat_price": None, "chat_context_tokens": None})
            model = self._named(wanted)
        other = settings.judge_model if settings.judge_model != model.name else None
        return Writer(model, self._named(other) if other else model, local, settings)

    def model(self) -> ChatModel:
        """Return the configured model, opened; raises as `writer` in mode "generative"."""
        return self._open()[1]

    def names(self) -> list[str]:
        """Return the configured model, then those that the endpoint lists (kept for a minute)."""
        if self.name is None:
            return []
        with self._listing:
            if self._listed is None or monotonic() - self._listed[0] > 60:
                self._listed = monotonic(), self.model().list_models(seconds=2)
            return list(dict.fromkeys((self.name, *self._listed[1])))

    def _open(self) -> tuple[Settings, ChatModel, LocalChecker]:
        settings = self.settings
        if settings is None or not settings.chat_model:
            raise InputError(f"mode 'generative' needs a chat model: {_NO_ENDPOINT}")
        with self._lock:
            if self._closed:
                closed = "the assistant was closed: open another one, or choose 'extractive'"
                raise InputError(closed)
            # The checker is fitted to the bundled encoder, whichever the index has.
            bundled = self._encoder if self._encoder.name == minilm.NAME else None
            self._local = self._local or LocalChecker(bundled or SentenceEncoder.open(minilm.NAME))
            if self._model is None:  # last: it starts a thread
                self._model = ChatModel.open(settings)
                # Cached, since each model records which options it refuses.
                self._named = lru_cache(32)(self._model.named)
            return settings, self._model, self._local

    def close(self) -> None:
        """Close the models' connections; later requests for a model raise InputError."""
        with self._lock:
            self._closed = True
            if self._model:
                self._model.close()
