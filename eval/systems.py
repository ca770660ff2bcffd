"""Systems under measurement: this product, whole or without a part, and recorded answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import platformdirs
from pydantic import BaseModel, Field
from tqdm.auto import tqdm

from eval import datasets
from eval.datasets import Benchmark, Identified, Question, Words
from eval.runs import public_name
from index.build import Stage, build_papers
from index.embedding import SentenceEncoder
from index.encoder import Encoder
from index.errors import InputError
from index.manifest import FORMAT_VERSION, current, read_manifest
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
"""A paper's id and its score; within a query higher is better."""


@dataclass(frozen=True)
class Subject:
    """A system under measurement that has indexed its papers."""

    name: str
    papers: Sequence[Paper]
    """Every indexed paper."""
    search: Callable[[Question, int], Sequence[Found]]
    """Returns at most so many papers for a question's words, best first, each once."""
    ask: Callable[[Question, Mode], Answer]
    """Returns an answer in our own schema, so that one measure fits every system."""
    configuration: Mapping[str, object]
    """Everything that could change the answers: a run is resumed only with the same."""
    check_mode: Callable[[Mode], object] = lambda _: None
    """Raises InputError for a mode that the system does not have."""


def benchmark_store(papers: Sequence[Paper], encoder: Encoder) -> Path:
    """Index a benchmark's papers into the user's cache, or find their index there.

    Each set of papers and encoder weights has one store.
    """
    content = datasets.papers_hash(papers)
    key = datasets.hash_of(content, encoder.weights_hash, str(FORMAT_VERSION))[:16]
    store = platformdirs.user_cache_path("abstractqa") / "eval" / key
    with tqdm(desc="index", unit="text", leave=False, disable=None) as bar:

        def progress(stage: Stage, done: int, total: int) -> None:
            bar.set_description(stage)
            bar.total, bar.n = total or None, done
            bar.refresh()

        build_papers(papers, store, encoder, progress=progress)
    return store


def open_ours(
    store: Path, settings: Settings, without: str | None = None, fitted: Record | None = None
) -> Subject:
    """Open this product over an index, whole or without one of the parts in `RECIPES`.

    The whole product takes other models in `fitted`. The configuration names the index by the hash
    of its content, the same on every machine. Raises InputError if there is no such part.
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
"""How the product works without a part: BM25 or vectors alone rank; without `refusals` the nearest
sentences are always quoted, without a caution."""


def shown_answer(
    question: str, blocks: Sequence[Block], reason: str, info: IndexInfo, **more: object
) -> Answer:
    """Put another system's answer into our schema; without blocks it refuses for that reason.

    `more` are fields whose default here does not hold: `mode`, `model`, `confidence`.
    """
    composed = compose(blocks)
    answer = Answer(
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
    return answer.model_copy(update=more)


class CitingSentence(BaseModel):
    """A sentence and the papers it cites, by their places in `references`, from 0."""

    text: str
    citations: tuple[Annotated[int, Field(ge=0)], ...] = ()


class RagnarokAnswer(Identified):
    """The answer to a topic; a refusal has no sentences."""

    id: Annotated[Words, Field(coerce_numbers_to_str=True, alias="topic_id")]
    run_id: str = Field(default="", description="Whose run it is; Ragnarök's writer leaves it out.")
    references: tuple[Annotated[str, Field(coerce_numbers_to_str=True)], ...] = Field(
        description="Papers' ids."
    )
    answer: tuple[CitingSentence, ...]


def replay_answers(path: Path, questions: Path, papers: Sequence[Paper]) -> Subject:
    """Open recorded answers to a file of questions in Ragnarök's JSON, TREC's RAG track's format.

    https://trec-rag.github.io/annoucements/2024-track-guidelines (Pradeep et al. 2024, "Ragnarök",
    arXiv:2406.16828). Topics are the ids of questions. A search returns an answer's references;
    each citation covers the whole abstract. Raises InputError if a line is not an answer, a topic
    is answered twice or not at all, or an answer cites an unknown paper.
    """
    given = {answer.id: answer for answer in datasets.identified(RagnarokAnswer, path)}
    known = {paper.id: paper for paper in papers if paper.abstract}
    for question in datasets.load_questions(questions):
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
        reason = "The recorded answer is empty."
        return shown_answer(question.question, blocks, reason, info, mode="generative")

    name = next((answer.run_id for answer in given.values() if answer.run_id), path.stem)
    return Subject(name, papers, search, ask, {"answers": sha256_of(path)})


def replay_ranking(path: Path, benchmark: Benchmark) -> Subject:
    """Open a run in TREC's format as a system; a query that the run lacks finds nothing.

    Raises InputError if a line is damaged, or the run has no query of the benchmark.
    """
    run = datasets.load_trec_run(path)
    if not run.keys() & benchmark.qrels.keys():
        raise InputError(f"{path} ranks none of the benchmark's queries")

    def search(question: Question, limit: int) -> list[Found]:
        return sorted(run.get(question.id, {}).items(), key=lambda hit: -hit[1])[:limit]

    def ask(question: Question, _: Mode) -> Answer:
        raise InputError(f"question {question.id!r}: a ranking has no answers")

    return Subject(path.stem, benchmark.papers, search, ask, {"ranking": sha256_of(path)})
