"""Files in other people's formats: benchmarks in BEIR's layout, TREC's runs, Ragnarök's answers."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from eval.datasets import (
    Identified,
    Question,
    Words,
    identified,
    json_lines,
    lowest_hashes,
    parse,
    read_lines,
)
from index.errors import InputError
from index.papers import Paper

IdWithoutSpace = Annotated[str, Field(pattern=r"^\S+$", coerce_numbers_to_str=True)]

_GRADE = re.compile(r"(-?[0-9]{1,9})(?:\.0+)?")


@dataclass(frozen=True, slots=True)
class Beir:
    """A retrieval benchmark.

    `queries[query id]` is what is asked; every one is judged. `qrels[query id][paper id]` is how
    relevant the paper is; above 0 is relevant.
    """

    papers: list[Paper]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]

    @property
    def absent(self) -> int:
        """Relevant judgements of papers that are not there: no system can find them."""
        there = {paper.id for paper in self.papers}
        return sum(
            grade > 0 and paper not in there
            for grades in self.qrels.values()
            for paper, grade in grades.items()
        )


class _Document(Identified):
    id: IdWithoutSpace = Field(alias="_id")
    title: str = ""
    text: str = ""


class _Query(Identified):
    id: IdWithoutSpace = Field(alias="_id")
    text: Words


def load_beir(folder: Path, split: str = "test") -> Beir:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv` of a BEIR folder.

    Each may be packed (`corpus.jsonl.gz`). Queries that the split does not judge are left out. A
    judged paper that the corpus lacks counts as not found (ArguAna has such:
    https://github.com/beir-cellar/beir/issues/101). The format:
    https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset.

    Raises:
        InputError: a file or the split is missing or empty, a line is broken or repeats an id,
            a judgement names a query that there is not, or no relevant paper is in the corpus.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with corpus.jsonl, queries.jsonl")
    files = {
        path.name.partition(".tsv")[0]: path
        for path in sorted((folder / "qrels").glob("*.tsv*"), reverse=True)
    }
    if split not in files:
        names = ", ".join(sorted(files)) or "none"
        raise InputError(f"{folder} has no qrels/{split}.tsv; the splits it has: {names}")
    queries = {query.id: query.text for query in identified(_Query, _file(folder, "queries.jsonl"))}
    qrels = _load_qrels(files[split], queries)
    relevant = {paper for grades in qrels.values() for paper, grade in grades.items() if grade > 0}
    papers = [
        Paper(id=document.id, title=document.title, abstract=document.text)
        for document in identified(_Document, _file(folder, "corpus.jsonl"))
    ]
    if relevant.isdisjoint(paper.id for paper in papers):
        raise InputError(
            f"{files[split]}: no relevant paper is in the corpus; give both of one dataset"
        )
    return Beir(papers, {query: text for query, text in queries.items() if query in qrels}, qrels)


def _file(folder: Path, name: str) -> Path:
    plain, packed = folder / name, folder / f"{name}.gz"
    return packed if packed.exists() and not plain.exists() else plain


def _load_qrels(path: Path, queries: Collection[str]) -> dict[str, dict[str, int]]:
    """Read judgements: `query paper grade` (BEIR) or `query iteration paper grade` (TREC).

    A first line that ends in `score`, `rel` or `relevance` is a header. A grade is a whole number
    ("1.0" is one too); trec_eval knows no other. A pair that is judged twice keeps the later grade,
    as in BEIR's own loader. Papers need not be in the corpus.
    """
    qrels: dict[str, dict[str, int]] = {}
    for number, line in read_lines(path):
        fields = line.split()
        if number == 1 and fields[-1].lower() in ("score", "rel", "relevance"):
            continue
        grade = _GRADE.fullmatch(fields[-1])
        if len(fields) not in (3, 4) or not grade:
            raise InputError(
                f"{path}:{number}: expected query-id, corpus-id and a whole score, or TREC's "
                "query, iteration, paper and grade"
            )
        if fields[0] not in queries:
            raise InputError(
                f"{path}:{number}: query {fields[0]!r} is not among the queries; "
                "give queries and judgements of one dataset"
            )
        qrels.setdefault(fields[0], {})[fields[-2]] = int(grade[1])
    if not qrels:
        raise InputError(f"{path} holds no judgements; write query-id, corpus-id, score a line")
    return qrels


def fixed_subset(beir: Beir, size: int) -> Beir:
    """Cut the benchmark to `size` of its papers: every relevant one, and others by their ids.

    The others are those with the lowest SHA-256 of their id, so everyone draws the same, and a
    smaller subset lies within a larger one. Queries and judgements stay. Figures on a subset are
    higher than on the whole corpus: there is less to mistake for the relevant paper.

    Raises:
        InputError: more than `size` papers are relevant.
    """
    wanted = {p for grades in beir.qrels.values() for p, grade in grades.items() if grade > 0}
    kept = {paper.id for paper in beir.papers if paper.id in wanted}
    if len(kept) > size:
        raise InputError(f"{len(kept)} papers are relevant; a subset needs at least as many")
    kept.update(lowest_hashes((p.id for p in beir.papers if p.id not in kept), size - len(kept)))
    return replace(beir, papers=[paper for paper in beir.papers if paper.id in kept])


def load_trec_run(path: Path) -> dict[str, dict[str, float]]:
    """Read a ranking in TREC's format, `query Q0 paper rank score tag`, of any system.

    Returns:
        query id → paper id → score. The rank is not kept: trec_eval, too, ranks by scores alone.

    Raises:
        InputError: the file cannot be read or is empty, or a line is not in that format.
    """
    run: dict[str, dict[str, float]] = {}
    for number, line in read_lines(path):
        try:
            query, _, paper, _, score, _ = line.split()
            run.setdefault(query, {})[paper] = float(score)
        except ValueError as error:
            raise InputError(
                f"{path}:{number}: expected query, Q0, paper, rank, score and tag"
            ) from error
    if not run:
        raise InputError(f"{path} holds no ranking; write query, Q0, paper, rank, score and tag")
    return run


class RagnarokSentence(BaseModel):
    """A sentence and the papers it cites, by their places in the answer's `references`."""

    model_config = ConfigDict(frozen=True)

    text: str
    citations: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(), description="Indices into `references`, from 0."
    )


class RagnarokAnswer(BaseModel):
    """The answer to one topic; a refusal has no sentences."""

    model_config = ConfigDict(frozen=True)

    run_id: str = Field(default="", description="Whose run it is; Ragnarök's writer leaves it out.")
    topic_id: Annotated[Words, Field(coerce_numbers_to_str=True)]
    topic: str
    references: tuple[Annotated[str, Field(coerce_numbers_to_str=True)], ...] = Field(
        description="Papers' ids."
    )
    answer: tuple[RagnarokSentence, ...]

    @model_validator(mode="after")
    def _cites_what_it_lists(self) -> Self:
        for place, sentence in enumerate(self.answer):
            if max(sentence.citations, default=-1) >= len(self.references):
                raise ValueError(f"sentence {place} cites beyond the {len(self.references)} given")
        return self


def load_ragnarok(
    path: Path, questions: Sequence[Question], papers: Sequence[Paper]
) -> dict[str, RagnarokAnswer]:
    """Read answers in Ragnarök's JSON, the format of TREC's RAG track, by the question's id.

    https://trec-rag.github.io/annoucements/2024-track-guidelines (Pradeep et al. 2024, "Ragnarök",
    arXiv:2406.16828).

    Args:
        path: The answers, one for each question; topics are the ids of questions.
        questions: Those they answer.
        papers: Those that the answers may cite, by id.

    Raises:
        InputError: a line is not an answer, a topic is answered twice, a question has no answer,
            or an answer cites a paper that is not there.
    """
    given: dict[str, RagnarokAnswer] = {}
    for number, line in json_lines(path):
        answer = parse(RagnarokAnswer, line, path, number)
        if answer.topic_id in given:
            raise InputError(f"{path}:{number}: topic {answer.topic_id!r} is answered twice")
        given[answer.topic_id] = answer
    known = {paper.id for paper in papers if paper.abstract}
    for question in questions:
        if question.id not in given:
            raise InputError(f"{path}: question {question.id!r} has no answer")
        if unknown := [id_ for id_ in given[question.id].references if id_ not in known]:
            raise InputError(f"{path}: topic {question.id!r}: no abstract of {unknown[0]!r} here")
    return {question.id: given[question.id] for question in questions}
