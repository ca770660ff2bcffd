"""A chat model at work on one question: it helps to understand, to find, and writes the answer.

The way of an answer is `Writer.answer`: the papers to read, whole abstracts, what the model makes
of them, and the quotes if it fails. `Writers` opens the models. A follow-up is made to stand alone
by a small request whose reply is checked; what fails its check is no help and no error.
"""

import re
from collections import Counter
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
from index.text import clean_text
from rag.chat import Asking, ChatError, ChatModel, Complete, TooLongError
from rag.citations import Block, Claim, Outcome, joined, quote
from rag.conversation import BY_NUMBER, POINTS, Turn, papers_before
from rag.evidence import Evidence, leading, within
from rag.listing import listed
from rag.pipeline import Clock
from rag.query import Query, Request
from rag.retrieval import Ranking
from rag.schema import MARKER, Event, Mode, Options, Progress, Usage
from rag.selection import answering
from rag.settings import OPENAI, Settings
from rag.support import JudgeChecker
from rag.support.local import LocalChecker
from rag.support.numbers import missing_names, missing_numbers
from rag.synthesis.drafting import (
    BATCH,
    MOST_PAPERS,
    ONE_EACH,
    Draft,
    ManyPapers,
    NoAnswerError,
    Task,
)
from rag.synthesis.looking import Looking
from rag.synthesis.prompts import CONDENSE, data, lay_out, request
from rag.synthesis.statements import Grounder
from rag.wording import Kind

_NO_ENDPOINT = (
    "set ABSTRACTQA_CHAT_MODEL, and OPENAI_API_KEY or OPENAI_BASE_URL; or choose 'extractive'"
)
_SHAPING = ("evidence_tokens", "answer_tokens", "look_further", "support_checker", "judge_model")
_READ_FIRST = 3
"""Papers found first, which are read before those that the model found itself."""


@dataclass(frozen=True, eq=False)
class Material:
    """What was found for a question, and the answer that quotes it."""

    index: Index
    query: Query
    ranking: Ranking
    evidence: Evidence
    quotes: Outcome
    """With a reason in place of blocks where the abstracts are not likely to answer."""


Written = tuple[list[Block], str | None]
"""What a model wrote, and what a reader should know of it."""


class Writer:
    """What one question asks of a chat model, in one account. No help is None or empty."""

    def __init__(
        self, model: ChatModel, judge: ChatModel, local: LocalChecker, settings: Settings
    ) -> None:
        self.name = model.name
        self._local = local
        self._settings = settings
        seconds = settings.chat_deadline_seconds
        self._asking = Asking(model, seconds, settings.chat_price)
        self._judging = self._asking if judge is model else Asking(judge, seconds)
        self._judge: JudgeChecker | None = None
        if settings.support_checker == "judge":
            ask = partial(self._judging.complete, max_tokens=settings.answer_tokens)
            self._judge = JudgeChecker(ask, judge.name, trusted=judge.misjudged < 2)

    @property
    def usage(self) -> Usage:
        """What it took so far; without a price if another model judged: its price is not known."""
        own, other = self._asking.usage, self._judging.usage
        return own if self._judging is self._asking or not other.prompt_tokens else own + other

    def completing(self, max_tokens: int) -> Complete:
        """Asks the model small things in this question's account, from any thread."""
        return partial(self._asking.complete, max_tokens=max_tokens)

    def cancel(self) -> None:
        """Stop the model, from any thread."""
        self._asking.cancel()
        self._judging.cancel()

    def condense(self, request: Request, index: Index) -> str | None:
        """The question, standing alone; None without help, or if it surely is of no earlier turn.

        So is one of seven words of its own without a pronoun; in any other a noun can lean on the
        turn before ("What accuracy does the agent reach?").
        """
        may_lean = bool(POINTS.search(request.asked)) or len(set(tokenize(request.asked))) < 7
        if not may_lean or not any(turn.role == "user" for turn in request.turns):
            return None
        titles = [index.papers[row].display_title for row in papers_before(request.turns, index)]
        return condense(request.asked, request.turns, titles, self.completing(120))

    def answer(self, found: Material, clock: Clock) -> Generator[Event, None, Outcome]:
        """What the chat model writes from what was found, or the quotes if it fails.

        Raises:
            StoppedError: the writer was told to stop.
        """
        of_overview = _papers_of_overview(found)
        judge = self._judge
        try:
            with clock.step("write"):
                if len(of_overview) > BATCH:
                    judge = None
                    blocks, notice = yield from self._write_about(found, of_overview)
                else:
                    rows = of_overview or (yield from self._looked_up(found, _papers(found)))
                    rows = rows[: found.query.request.options.sources]
                    blocks, notice = yield from self._write(found, rows)
                    compared = found.query.kind is Kind.COMPARE
                    of_all = answering(found.query) if compared else of_overview
                    blocks, more = _completed(found, blocks, of_all, {})
                    notice = joined(notice, more and f"{more}.")
        except ChatError as error:
            yield Progress(stage="quote", text="Quoting the abstracts instead")
            return self._quotes(found, error)
        return self._outcome(found, (blocks, notice), judge)

    def _outcome(self, found: Material, written: Written, judge: JudgeChecker | None) -> Outcome:
        """What was written, and who had the last word on its sentences, beside the local check."""
        blocks, notice = written
        problem, model = judge.problem if judge else None, self._judging.model
        if judge:
            model.misjudged = model.misjudged + 1 if judge.misjudges else 0
        unjudged = problem and f"Citations were checked by the local check alone: {problem}."
        _, cut = within(found.evidence, found.query.request.options.sources)
        return Outcome(
            blocks=tuple(blocks),
            model=self.name,
            checked_by=judge.name if judge and not problem else "local",
            notice=joined(found.quotes.left_out, cut, unjudged, notice, found.query.mends),
            confidence=found.quotes.confidence,
        )

    def _quotes(self, found: Material, error: ChatError) -> Outcome:
        """What takes the place of an answer that the model has not given: the quotes, and why.

        The abstracts do not say only if the quotes would say so too, or the model says so and the
        quotes are unsure.
        """
        quotes = found.quotes
        least = found.query.fitted.thresholds["caution"]
        if quotes.reason:
            return quotes
        if isinstance(error, NoAnswerError) and (quotes.confidence or 0.0) < least:
            shown = [found.index.papers[e.paper].display_title for e in found.evidence.papers[:3]]
            titles = ", ".join(f"“{title}”" for title in shown)
            reason = f"The abstracts that come nearest, {titles}, do not answer this."
            return Outcome(reason=reason, model=self.name, lacks=found.query.subject_phrase)
        why = f"These are quotes, since no model wrote the answer: {error}."
        return replace(quotes, notice=joined(why, quotes.notice))

    def _looked_up(
        self, found: Material, rows: Sequence[int]
    ) -> Generator[Progress, None, Sequence[int]]:
        """The rows to read, and before the less sure of them those that the model itself found."""
        rounds, most = self._settings.look_further, found.query.request.options.sources
        if not rounds or (most and most <= _READ_FIRST):
            return rows
        looking = Looking(found.index, found.query, self._asking, list(rows))
        yield from looking.look(rounds)
        return list(dict.fromkeys((*rows[:_READ_FIRST], *looking.chosen, *rows)))

    def _write(self, found: Material, rows: Sequence[int]) -> Generator[Event, None, Written]:
        """The answer from as many of these abstracts as the budget holds.

        A sheet that is longer than the model can read is halved, once or twice.
        """
        task = self._task(found.query)
        while True:
            sheet = lay_out(found.index, rows, self._budget)
            count = len(sheet.papers)
            yield Progress(stage="read", text=f"Reading {count} abstract{'s' * (count != 1)}")
            grounder = Grounder(sheet, found.query.encoder, self._local)
            try:
                return (yield from Draft(task, self._asking, grounder, self._judge).write())
            except TooLongError:
                if count <= 1:
                    raise
            rows = sheet.papers[: count // 2]

    def _write_about(
        self, found: Material, rows: Sequence[int]
    ) -> Generator[Progress, None, Written]:
        """A text about all these papers, or as many of them as can be read."""
        task, sources = self._task(found.query), found.query.request.options.sources
        many = ManyPapers(found.index, task, self._asking)
        read = rows[: sources or MOST_PAPERS]
        notes, problem = yield from many.read(read, self._budget // 2)
        yield Progress(stage="write", text=f"Writing about {len(notes)} papers")
        blocks = many.write(notes)
        blocks, quoted = _completed(found, blocks, read, notes)
        if quoted:
            quoted += f": {problem}." if problem else "."
        left_out = f"Only {len(read)} of the {len(rows):,} papers were read."
        is_cut = not sources and len(read) < len(rows)
        return blocks, joined(left_out if is_cut else None, quoted)

    def _task(self, query: Query) -> Task:
        return Task(query, self._local, self._settings.answer_tokens)

    @property
    def _budget(self) -> int:
        """Tokens of abstracts in one request: by default 6,000, or a quarter of the context."""
        context = self._settings.chat_context_tokens or 24_000
        return self._settings.evidence_tokens or min(6_000, context // 4)


def _completed(
    found: Material, blocks: list[Block], rows: Sequence[int], notes: Mapping[int, Claim]
) -> Written:
    """What was written, with the papers that it is of and does not cite, by a note or a quote.

    A short overview goes without. The second item tells how many are quoted, if any.
    """
    index, options = found.index, found.query.request.options
    is_list = found.query.kind is Kind.OVERVIEW
    if is_list and options.length == "short" and blocks:
        return blocks, None
    cited = {span.paper.id for b in blocks for claim in b.claims for span in claim.spans}
    others: list[Block] = []
    for row in rows[: options.sources]:
        at = leading(index, row)
        if index.papers[row].id not in cited and at is not None:
            claim = notes.get(row) or quote(index, at)
            others.append(Block((claim,), index.papers[row].display_title, bullet=is_list))
    quoted = sum(not block.claims[0].verdict for block in others)
    told = f"Papers of which the model wrote nothing are quoted ({quoted})" if quoted else None
    heading = [Block((), "Further papers")] if is_list and blocks and others else []
    return [*blocks, *heading, *others], told


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


def _papers(found: Material) -> list[int]:
    """The rows of the papers to read: those of the evidence, then the best of the ranking.

    They are three for a question that names its paper, five for others, and ten for a list, and
    where it is not likely enough that the first paper is the one that answers.
    """
    own = [each.paper for each in found.evidence.papers]
    most = 3 if answering(found.query) else 5
    is_list = found.query.kind in ONE_EACH or found.query.kind is Kind.OVERVIEW
    if is_list or found.evidence.share < 0.6:
        most = 10
    others = [int(row) for row in found.ranking.rows[: most + len(own)]]
    if found.query.kind is Kind.SIMILAR:
        own, others = [*answering(found.query), *own], []
    rows = list(dict.fromkeys((*own, *others)))
    return rows[: max(most, len(dict.fromkeys(own)))]


class Writers:
    """The chat models of an endpoint, opened when they are first needed; a writer a question."""

    def __init__(self, settings: Settings | None, encoder: SentenceEncoder) -> None:
        self.settings = settings
        self._encoder = encoder
        self._lock = Lock()
        self._local: LocalChecker | None = None
        self._model: ChatModel | None = None
        self._closed = False
        self._listing = Lock()
        self._listed: tuple[float, list[str]] | None = None
        """When the endpoint was asked for its models, in seconds, and what it listed."""

    @property
    def name(self) -> str | None:
        """The model's name, if mode "auto" asks one."""
        settings = self.settings
        if settings is None or settings.chat_model is None:
            return None
        has_key = settings.openai_api_key is not None
        return settings.chat_model if has_key or settings.openai_base_url != OPENAI else None

    @property
    def configuration(self) -> Mapping[str, object] | None:
        """What shapes written answers: the model and the settings of writing; None without one."""
        if self.settings is None or self.name is None:
            return None
        given = {name: getattr(self.settings, name) for name in _SHAPING}
        return {"model": self.name, **given}

    def writer(self, mode: Mode, options: Options | None = None) -> Writer | None:
        """A writer for one question, or None if it is to be quoted.

        Raises:
            InputError: the mode is unknown, or needs a model and none is configured, or what is
                configured cannot be used, or was closed.
        """
        wanted = options.model if options else None
        if mode not in ("auto", "extractive", "generative"):
            raise InputError(f"unknown mode {mode!r}: choose 'auto', 'extractive' or 'generative'")
        if wanted and self.name is None:
            raise InputError(f"the model {wanted!r} cannot be asked: {_NO_ENDPOINT}")
        if mode == "extractive" or (mode == "auto" and self.name is None):
            return None
        settings, model, local = self._open()
        if wanted and wanted != settings.chat_model:
            # The price and the context that the settings name are those of the configured one.
            settings = settings.model_copy(update={"chat_price": None, "chat_context_tokens": None})
            model = self._named(wanted)
        other = settings.judge_model if settings.judge_model != model.name else None
        return Writer(model, self._named(other) if other else model, local, settings)

    def model(self) -> ChatModel:
        """The model itself.

        Raises:
            InputError: as `writer` in mode "generative".
        """
        return self._open()[1]

    def names(self) -> list[str]:
        """The models that may be asked, the configured one first, then those the endpoint lists.

        The list is kept for a minute. Only the configured one if the endpoint gives none; none
        at all without a usable one.
        """
        if self.name is None:
            return []
        with self._listing:
            if self._listed is None or monotonic() - self._listed[0] > 60:
                self._listed = monotonic(), self.model().list_models(seconds=2)
            return list(dict.fromkeys((self.name, *self._listed[1])))

    def _open(self) -> tuple[Settings, ChatModel, LocalChecker]:
        """What the settings name, opened once."""
        settings = self.settings
        if settings is None or not settings.chat_model:
            raise InputError(f"mode 'generative' needs a chat model: {_NO_ENDPOINT}")
        with self._lock:
            if self._closed:
                raise InputError(
                    "the assistant was closed: open another one, or choose 'extractive'"
                )
            # Fitted to the bundled encoder, whichever the index has.
            own = self._encoder if self._encoder.name == minilm.NAME else None
            self._local = self._local or LocalChecker(own or SentenceEncoder.open(minilm.NAME))
            if self._model is None:  # last: it starts a thread
                self._model = ChatModel.open(settings)
                # Each with what it refuses of requests.
                self._named = lru_cache(32)(self._model.named)
            return settings, self._model, self._local

    def close(self) -> None:
        """Close the models' connections; a writer that is asked for later is refused."""
        with self._lock:
            self._closed = True
            if self._model:
                self._model.close()


_REFERRING = frozenset(tokenize("paper study work method model one other first second last also"))
"""Words that stand for what was said before."""


def condense(
    question: str, turns: Sequence[Turn], references: Sequence[str], complete: Complete
) -> str | None:
    """A follow-up as a question that stands alone, or None if the model gave none that is usable.

    It is one line that is not much longer than the question, asks as that does, keeps half of its
    own words, and has no name or number that was not given. A number in brackets becomes the
    title it stands for: `references` are those of the papers that earlier turns cite, number 1
    first, by which "the second paper" is understood. The model reads the beginnings of six turns.
    """
    last = [turn for turn in turns if turn.role != "system"][-6:]
    titles = {str(number): clean_text(title) for number, title in enumerate(references, 1)}
    numbered = [f"[{number}] {title}" for number, title in titles.items()]
    asked = request(
        CONDENSE,
        data("conversation", (f"{turn.role}: {turn.text[:600]}" for turn in last)),
        data("papers", numbered),
        data("question", question),
        "The question, understood without the conversation:",
    )
    try:
        lines = map(_without_label, complete(asked).splitlines())
    except ChatError:
        return None  # the rules make it stand alone
    line = next(filter(None, lines), "")
    if not titles.keys() >= {*MARKER.findall(line)}:
        return None
    found = MARKER.sub(lambda marker: titles[marker[1]], line)
    context = "\n".join([question, *(turn.text for turn in last), *titles.values()])
    return found if _stands_for(found, question, context) else None


def _without_label(line: str) -> str:
    """A line without what a model puts around its question: "Standalone question: …", fences."""
    said = re.sub(r"^[^:]*\b(?:question|query)\W*:|^\s*```.*", "", line, flags=re.IGNORECASE)
    return " ".join(said.split()).strip(" \t\"'“”‘’`*_")


def _stands_for(found: str, question: str, context: str) -> bool:
    """Whether a rewritten question can take the place of what was asked in a context."""
    asks = found.endswith("?") or not question.rstrip().endswith("?")
    is_short = len(found) <= 3 * len(question) + 300
    is_one = found.count("?") <= max(1, question.count("?")) and "? " not in found
    words, own = set(tokenize(found)), set(tokenize(BY_NUMBER.sub(" ", question))) - _REFERRING
    keeps = 2 * len(own & words) >= len(own)
    known = clean_text(context)
    shares = not words.isdisjoint(tokenize(known))
    foreign = (*missing_names(found, [known]), *missing_numbers(found, [known]))
    return asks and is_short and is_one and keeps and shares and not foreign
