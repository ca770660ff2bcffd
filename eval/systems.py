"""What is measured: this product, whole or without a part, and answers given elsewhere."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from eval.datasets import load_questions
from eval.formats import Beir, RagnarokAnswer, load_ragnarok, load_trec_run
from eval.runs import public_name
from index.embedding import SentenceEncoder
from index.encoder import Encoder
from index.errors import InputError
from index.manifest import current, generation_folder, read_manifest
from index.papers import Paper
from index.sources import sha256_of
from rag.assistant import Assistant
from rag.citations import Block, Claim, Span, compose
from rag.conversation import History, read_history
from rag.evidence import FEATURES
from rag.fitted import Linear, Record, record
from rag.pipeline import Recipe
from rag.query import Query, Request
from rag.retrieval import Ranking
from rag.schema import Answer, IndexInfo, Mode, Usage
from rag.settings import Settings
from rag.wording import Kind

Found = tuple[str, float]
"""A paper's id and its score; higher is better, within one query."""


class System(Protocol):
    """A system under measurement, over papers it has indexed already."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    def search(self, query: str, limit: int) -> Sequence[Found]:
        """The papers nearest to a query, best first, each once, at most `limit`."""

    def ask(self, question: str, history: History, mode: Mode) -> Answer:
        """Its answer, in the schema of our own, so that one measure fits all."""


@dataclass(frozen=True)
class Subject:
    """A system with what a record says of it."""

    system: System
    papers: Sequence[Paper]
    """Every paper it has indexed."""
    configuration: Mapping[str, object] = field(default_factory=dict)
    """Whatever could change its answers: a run goes on only with the same."""


class Ours:
    """This product, as programmers use it."""

    def __init__(self, assistant: Assistant, name: str) -> None:
        self.name = name
        self.check_mode = assistant.check_mode
        self._assistant = assistant

    def search(self, query: str, limit: int) -> list[Found]:
        """The papers nearest to a query; see `Assistant.search`."""
        return [(hit.paper.id, hit.score) for hit in self._assistant.search(query, limit=limit)]

    def ask(self, question: str, history: History, mode: Mode) -> Answer:
        """Answer from the abstracts; see `Assistant.ask`."""
        return self._assistant.ask(question, history=history, mode=mode)


def ours(assistant: Assistant, store: Path, without: str | None = None) -> Subject:
    """Take the product over the live index in `store`, opened `without` a part or whole.

    The record names the index by the hash of what it holds, so the same papers indexed on two
    machines are the same.
    """
    manifest = read_manifest(generation_folder(store, current(store) or ""), store)
    configuration = {
        "index": manifest.content,
        "papers": manifest.papers,
        "encoder": public_name(manifest.encoder),
        "weights": manifest.weights_hash,
        **({"writing": dict(writing)} if (writing := assistant.writing) else {}),
        **({"without": without} if without else {}),
    }
    name = f"AbstractQA without {without}" if without else "AbstractQA"
    return Subject(Ours(assistant, name), assistant.papers(), configuration)


def open_ours(
    store: Path, settings: Settings, without: str | None = None, fitted: Record | None = None
) -> Subject:
    """Open this product over an index, whole or without one of the parts of `RECIPES`.

    Whole it may have models fitted otherwise than those that it comes with.

    Raises:
        InputError: there is no such part.
    """
    if without is not None and without not in RECIPES:
        raise InputError(f"no part {without!r}; there are {', '.join(RECIPES)}")
    encoder = SentenceEncoder.open(settings.encoder, settings.secret_of_encoder)
    recipe = RECIPES[without](encoder) if without else Recipe(fitted=fitted)
    return ours(Assistant(store, encoder, settings, recipe), store, without)


_WHOLE = Recipe()
_SHARPNESS = 20.0
"""What a cosine is multiplied by, so that the shares of sentences differ about as they do."""


def _ranked_by(part: Callable[[Ranking], object]) -> Callable[[Encoder], Recipe]:
    def ranked(*given: object) -> Ranking:
        ranking = _WHOLE.rank(*given)
        scores = np.asarray(part(ranking))
        order = np.argsort(-scores[ranking.rows], kind="stable")
        return replace(ranking, scores=scores, rows=ranking.rows[order])

    return lambda _: Recipe(rank=ranked)


def _understood(change: Callable[[Query], Query]) -> Callable[[Encoder], Recipe]:
    return lambda _: Recipe(understand=lambda *given: change(_WHOLE.understand(*given)))


def _without_turns(request: Request, *given: object) -> Query:
    return _WHOLE.understand(replace(request, turns=()), *given)


def _nearest(encoder: Encoder) -> Recipe:
    fitted = record(encoder.name)
    weights = np.zeros((len(FEATURES), 1), dtype=np.float32)
    weights[FEATURES.index("cosine")] = _SHARPNESS
    cosine = Linear(FEATURES, (), weights, np.zeros(1, dtype=np.float32))
    return Recipe(fitted=replace(fitted, models={**fitted.models, "sentences": cosine}))


def _unrefused(encoder: Encoder) -> Recipe:
    fitted = record(encoder.name)
    return Recipe(fitted=replace(fitted, thresholds=dict.fromkeys(fitted.thresholds, 0.0)))


RECIPES: Mapping[str, Callable[[Encoder], Recipe]] = {
    "vectors": _ranked_by(lambda ranking: ranking.lexical),
    "lexical": _ranked_by(lambda ranking: ranking.dense),
    "names": _understood(lambda query: replace(query, names=())),
    "conversation": lambda _: Recipe(understand=_without_turns),
    "kinds": _understood(lambda query: query.as_kind(Kind.ANSWER)),
    "sentences": _nearest,
    "refusals": _unrefused,
}
"""What is done without a part, by the part's name.

Without `vectors` papers are ranked by BM25 alone, without `lexical` by vectors alone. Without
`names` a question names nothing, without `conversation` it has no turns before, without `kinds` one
paper answers, whatever is asked. Without `sentences` those nearest to the question are quoted, and
without `refusals` whatever comes nearest, and without a caution.
"""


def shown_answer(question: str, blocks: Sequence[Block], reason: str, info: IndexInfo) -> Answer:
    """What another system shows, in our schema; without blocks it is a refusal for that reason."""
    composed = compose(blocks)
    return Answer(
        question=question,
        standalone_question=question,
        status="answered" if composed.sentences else "insufficient_evidence",
        reason=None if composed.sentences else reason,
        mode="extractive",
        text=composed.text,
        sentences=composed.sentences,
        references=composed.references,
        nearest=(),
        usage=Usage(),
        timings_ms={},
        index=info,
    )


class Replayed:
    """Answers that were given elsewhere, or rankings; whoever asks gets them again."""

    def __init__(
        self,
        name: str,
        papers: Sequence[Paper],
        answers: Mapping[str, RagnarokAnswer] | None = None,
        rankings: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        """Take answers by their question (`_key`), or rankings by the text of their query."""
        self.name = name
        self._papers = {paper.id: paper for paper in papers}
        self._answers = answers or {}
        self._rankings = rankings or {}

    def search(self, query: str, limit: int) -> list[Found]:
        """The papers of the ranking, or the references of the answer in their order."""
        found = dict(self._rankings.get(query, {}))
        if answer := self._answers.get(_key(query, ())):
            found = {paper: 1 / rank for rank, paper in enumerate(answer.references, start=1)}
        return sorted(found.items(), key=lambda hit: -hit[1])[:limit]

    def ask(self, question: str, history: History, mode: Mode) -> Answer:  # noqa: ARG002 - the protocol's
        """The recorded answer; each citation is of the whole abstract."""
        given = self._answers[_key(question, history)]
        cited = [self._papers[id_] for id_ in given.references]
        spans = [Span(paper, 0, len(paper.abstract)) for paper in cited]
        claims = [
            Claim(sentence.text, tuple(spans[place] for place in sentence.citations))
            for sentence in given.answer
        ]
        info = IndexInfo(id="recorded", papers=len(self._papers), encoder="unknown")
        blocks = [Block((claim,)) for claim in claims]
        answer = shown_answer(question, blocks, "The recorded answer is empty.", info)
        return answer.model_copy(update={"mode": "generative"})


def _key(question: str, history: History) -> str:
    """A question with what came before it: a follow-up can be asked in the same words twice."""
    return json.dumps([question, [turn.text for turn in read_history(history)]])


def replay_answers(path: Path, questions: Path, papers: Sequence[Paper]) -> Subject:
    """Open the answers of a file of Ragnarök's JSON to a file of questions (`load_ragnarok`)."""
    asked = load_questions(questions)
    given = load_ragnarok(path, asked, papers)
    answers = {
        _key(question.question, [turn.model_dump() for turn in question.history]): given[
            question.id
        ]
        for question in asked
    }
    name = next((answer.run_id for answer in given.values() if answer.run_id), path.stem)
    return Subject(Replayed(name, papers, answers), papers, {"answers": sha256_of(path)})


def replay_ranking(path: Path, beir: Beir) -> Subject:
    """Open a run in TREC's format as a system. A query that it lacks finds nothing.

    Raises:
        InputError: a line is damaged, or no query of the benchmark is in it.
    """
    run = load_trec_run(path)
    if not run.keys() & beir.qrels.keys():
        raise InputError(f"{path} ranks none of the benchmark's queries")
    by_text = {beir.queries[query]: run[query] for query in beir.qrels if query in run}
    system = Replayed(path.stem, beir.papers, rankings=by_text)
    return Subject(system, beir.papers, {"ranking": sha256_of(path)})
