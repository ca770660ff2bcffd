"""What is measured: this product, whole or without a part, and answers given elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field

from eval.datasets import (
    Benchmark,
    Identified,
    Question,
    Words,
    identified,
    load_questions,
    load_trec_run,
)
from eval.runs import public_name
from index.embedding import SentenceEncoder
from index.encoder import Encoder
from index.errors import InputError
from index.manifest import current, read_manifest
from index.papers import Paper
from index.sources import sha256_of
from rag.assistant import Assistant
from rag.citations import Block, Claim, Span, compose
from rag.fitted import Record, record
from rag.pipeline import Recipe
from rag.retrieval import Ranking
from rag.schema import Answer, IndexInfo, Mode, Usage
from rag.settings import Settings

Found = tuple[str, float]
"""A paper's id and its score; higher is better, within one query."""


def no_answer(question: Question, mode: Mode) -> Answer:
    """Refuse to answer: what only ranks has no answers."""
    raise InputError(f"question {question.id!r}: a ranking has no answers (mode {mode})")


@dataclass(frozen=True)
class Subject:
    """A system under measurement, over papers it has indexed already."""

    name: str
    papers: Sequence[Paper]
    """Every paper it has indexed."""
    search: Callable[[Question, int], Sequence[Found]]
    """The papers nearest to a question's words, best first, each once, at most so many."""
    ask: Callable[[Question, Mode], Answer] = no_answer
    """Its answer, in the schema of our own, so that one measure fits all."""
    configuration: Mapping[str, object] = field(default_factory=dict)
    """Whatever could change its answers: a run goes on only with the same."""
    check_mode: Callable[[Mode], object] = lambda _: None
    """Raises InputError for a mode that it cannot answer in."""


def open_ours(
    store: Path, settings: Settings, without: str | None = None, fitted: Record | None = None
) -> Subject:
    """Open this product over an index, whole or without one of the parts of `RECIPES`.

    Whole it may have models fitted otherwise than those that it comes with. The record names the
    index by the hash of what it holds, so the same papers indexed on two machines are the same.

    Raises:
        InputError: there is no such part.
    """
    if without is not None and without not in RECIPES:
        raise InputError(f"no part {without!r}; there are {', '.join(RECIPES)}")
    encoder = SentenceEncoder.open(settings.encoder, settings.secret_of_encoder)
    recipe = RECIPES[without](encoder) if without else Recipe(fitted=fitted)
    assistant = Assistant(store, encoder, settings, recipe)
    manifest = read_manifest(store, current(store) or "")
    configuration = {
        "index": manifest.content,
        "papers": manifest.papers,
        "encoder": public_name(manifest.encoder),
        "weights": manifest.weights_hash,
        **({"writing": dict(writing)} if (writing := assistant.writing) else {}),
        **({"without": without} if without else {}),
    }

    def search(question: Question, limit: int) -> list[Found]:
        return [(hit.paper.id, hit.score) for hit in assistant.search(question.question, limit)]

    def ask(question: Question, mode: Mode) -> Answer:
        history = [turn.model_dump() for turn in question.history]
        return assistant.ask(question.question, history=history, mode=mode)

    name = f"AbstractQA without {without}" if without else "AbstractQA"
    papers = assistant.papers()
    return Subject(name, papers, search, ask, configuration, assistant.check_mode)


def _ranked_by(part: Callable[[Ranking], object]) -> Callable[[Encoder], Recipe]:
    whole = Recipe()

    def ranked(*given: object) -> Ranking:
        ranking = whole.rank(*given)
        scores = np.asarray(part(ranking))
        order = np.argsort(-scores[ranking.rows], kind="stable")
        return replace(ranking, scores=scores, rows=ranking.rows[order])

    return lambda _: Recipe(rank=ranked)


def _unrefused(encoder: Encoder) -> Recipe:
    fitted = record(encoder.name)
    return Recipe(fitted=replace(fitted, thresholds=dict.fromkeys(fitted.thresholds, 0.0)))


RECIPES: Mapping[str, Callable[[Encoder], Recipe]] = {
    "vectors": _ranked_by(lambda ranking: ranking.lexical),
    "lexical": _ranked_by(lambda ranking: ranking.dense),
    "refusals": _unrefused,
}
"""What is done without a part, by the part's name.

Without `vectors` papers are ranked by BM25 alone, without `lexical` by vectors alone; without
`refusals` whatever comes nearest is quoted, and without a caution.
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


class CitingSentence(BaseModel):
    """A sentence and the papers it cites, by their places in the answer's `references`, from 0."""

    text: str
    citations: tuple[Annotated[int, Field(ge=0)], ...] = ()


class RagnarokAnswer(Identified):
    """The answer to one topic; a refusal has no sentences."""

    id: Annotated[Words, Field(coerce_numbers_to_str=True, alias="topic_id")]
    run_id: str = Field(default="", description="Whose run it is; Ragnarök's writer leaves it out.")
    references: tuple[Annotated[str, Field(coerce_numbers_to_str=True)], ...] = Field(
        description="Papers' ids."
    )
    answer: tuple[CitingSentence, ...]


def replay_answers(path: Path, questions: Path, papers: Sequence[Paper]) -> Subject:
    """Open answers in Ragnarök's JSON, the format of TREC's RAG track, to a file of questions.

    https://trec-rag.github.io/annoucements/2024-track-guidelines (Pradeep et al. 2024, "Ragnarök",
    arXiv:2406.16828). Topics are the ids of questions. A search finds an answer's references in
    their order; each citation is of the whole abstract.

    Raises:
        InputError: a line is not an answer, a topic is answered twice, a question has no answer,
            or an answer cites a paper that is not there.
    """
    given = {answer.id: answer for answer in identified(RagnarokAnswer, path)}
    known = {paper.id: paper for paper in papers if paper.abstract}
    for question in load_questions(questions):
        if question.id not in given:
            raise InputError(f"{path}: question {question.id!r} has no answer")
        answer = given[question.id]
        if unknown := [id_ for id_ in answer.references if id_ not in known]:
            raise InputError(f"{path}: topic {question.id!r}: no abstract of {unknown[0]!r} here")
        cited = max((at for each in answer.answer for at in each.citations), default=-1)
        if cited >= len(answer.references):
            raise InputError(f"{path}: topic {question.id!r} cites beyond the references given")
    info = IndexInfo(id="recorded", papers=len(papers), encoder="unknown")

    def search(question: Question, limit: int) -> list[Found]:
        cited = given[question.id].references[:limit]
        return [(paper, 1 / rank) for rank, paper in enumerate(cited, start=1)]

    def ask(question: Question, _: Mode) -> Answer:
        recorded = given[question.id]
        spans = [Span(known[id_], 0, len(known[id_].abstract)) for id_ in recorded.references]
        claims = [Claim(s.text, tuple(spans[at] for at in s.citations)) for s in recorded.answer]
        blocks = [Block((claim,)) for claim in claims]
        shown = shown_answer(question.question, blocks, "The recorded answer is empty.", info)
        return shown.model_copy(update={"mode": "generative"})

    name = next((answer.run_id for answer in given.values() if answer.run_id), path.stem)
    return Subject(name, papers, search, ask, {"answers": sha256_of(path)})


def replay_ranking(path: Path, benchmark: Benchmark) -> Subject:
    """Open a run in TREC's format as a system. A query that it lacks finds nothing.

    Raises:
        InputError: a line is damaged, or no query of the benchmark is in it.
    """
    run = load_trec_run(path)
    if not run.keys() & benchmark.qrels.keys():
        raise InputError(f"{path} ranks none of the benchmark's queries")

    def search(question: Question, limit: int) -> list[Found]:
        return sorted(run.get(question.id, {}).items(), key=lambda hit: -hit[1])[:limit]

    return Subject(path.stem, benchmark.papers, search, configuration={"ranking": sha256_of(path)})
