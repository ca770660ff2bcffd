"""Retrieval benchmarks: BEIR's folders, TREC's rankings, and what rankings are worth.

The values are those of `pytrec_eval` (trec_eval's own code), through `ir_measures`.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from ir_measures import AP, RR, R, Success, nDCG, pytrec_eval
from pydantic import Field

from eval.datasets import Identified, Words, identified, lowest_hashes, read_lines
from eval.vector_cache import hash_of, papers_hash
from index.errors import InputError
from index.papers import Paper

Qrels = Mapping[str, Mapping[str, int]]
"""`qrels[query id][paper id]` = relevance; above 0 is relevant."""
Rankings = Mapping[str, Mapping[str, float]]
"""`rankings[query id][paper id]` = score; higher is better."""

MEASURES = {
    "nDCG@10": nDCG @ 10,
    "MRR": RR,
    "MAP": AP,
    "R@5": R @ 5,
    "R@10": R @ 10,
    "R@100": R @ 100,
    "hit@1": Success @ 1,
}
"""What is measured, by the name it has in metrics.json."""
DEPTH = 100
"""Papers kept of each search; MRR and MAP look no deeper."""

_GRADE = re.compile(r"(-?[0-9]{1,9})(?:\.0+)?")
_Id = Annotated[str, Field(pattern=r"^\S+$", coerce_numbers_to_str=True, alias="_id")]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Papers, and queries that were judged.

    `queries[query id]` is what is asked; every one is judged. `qrels[query id][paper id]` is how
    relevant the paper is; above 0 is relevant.
    """

    papers: list[Paper]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]
    name: str = ""

    @property
    def relevant(self) -> set[str]:
        """Ids of the papers that are relevant to a query, whether they are there or not."""
        return {p for grades in self.qrels.values() for p, grade in grades.items() if grade > 0}

    @property
    def absent(self) -> int:
        """Relevant judgements of papers that are not there: no system can find them."""
        gone = self.relevant - {paper.id for paper in self.papers}
        return sum(
            grade > 0 and p in gone for grades in self.qrels.values() for p, grade in grades.items()
        )

    def described(self) -> dict[str, object]:
        """What a record says of it."""
        return {
            "name": self.name,
            "papers": len(self.papers),
            "queries": len(self.queries),
            "relevant_papers_absent": self.absent,
            "papers_sha256": papers_hash(self.papers),
            "queries_sha256": hash_of(repr(sorted(self.queries.items())), repr(self.qrels)),
        }


class _Document(Identified):
    id: _Id
    title: str = ""
    text: str = ""


class _Query(Identified):
    id: _Id
    text: Words


def load_beir(folder: Path, split: str = "test") -> Benchmark:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv` of a BEIR folder.

    https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset. Each may be packed
    (`corpus.jsonl.gz`). Queries that the split does not judge are left out. A judged paper that the
    corpus lacks counts as not found.

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
    papers = [
        Paper(id=document.id, title=document.title, abstract=document.text)
        for document in identified(_Document, _file(folder, "corpus.jsonl"))
    ]
    judged = {query: text for query, text in queries.items() if query in qrels}
    found = Benchmark(papers, judged, qrels, folder.resolve().name)
    if found.relevant.isdisjoint(paper.id for paper in papers):
        raise InputError(
            f"{files[split]}: no relevant paper is in the corpus; give both of one dataset"
        )
    return found


def _file(folder: Path, name: str) -> Path:
    plain, packed = folder / name, folder / f"{name}.gz"
    return packed if packed.exists() and not plain.exists() else plain


def _load_qrels(path: Path, queries: Collection[str]) -> dict[str, dict[str, int]]:
    """Read judgements: `query paper grade` (BEIR) or `query iteration paper grade` (TREC).

    A first line that ends in `score`, `rel` or `relevance` is a header. A grade is a whole number,
    as in trec_eval ("1.0" is one too); of a pair that is judged twice the later one counts.
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


def fixed_subset(whole: Benchmark, size: int) -> Benchmark:
    """Cut a benchmark to `size` of its papers: every relevant one, and others by their ids.

    The others are those with the lowest SHA-256 of their id, so everyone draws the same, and a
    smaller subset lies within a larger one.

    Raises:
        InputError: more than `size` papers are relevant.
    """
    ids = {paper.id for paper in whole.papers}
    kept = ids & whole.relevant
    if len(kept) > size:
        raise InputError(f"{len(kept)} papers are relevant; a subset needs at least as many")
    kept.update(lowest_hashes(ids - kept, size - len(kept)))
    papers = [paper for paper in whole.papers if paper.id in kept]
    return replace(whole, papers=papers, name=f"{whole.name}-{size}")


def load_trec_run(path: Path) -> dict[str, dict[str, float]]:
    """Read a ranking in TREC's format, `query Q0 paper rank score tag`; scores alone rank.

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


def write_trec_run(path: Path, rankings: Rankings) -> None:
    """Write TREC's format, best first; nine digits hold the 32-bit floats of trec_eval."""
    with path.open("w", encoding="utf-8") as file:
        for query, scores in rankings.items():
            for rank, (paper, score) in enumerate(scores.items(), start=1):
                file.write(f"{query} Q0 {paper} {rank} {score:.9g} abstractqa\n")


def ranked(hits: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Score `hits` (paper id, score), best first, so that exactly the order given is measured.

    trec_eval ignores the rank column, compares scores as 32-bit floats and orders equal ones
    by id, backwards; so a score that does not fall is lowered by the least possible step.
    A paper that comes again keeps its first place.
    """
    scores: dict[str, float] = {}
    last = np.float32(np.inf)
    for paper, score in hits:
        if paper not in scores:
            last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
            scores[paper] = float(last)
    return scores


def query_metrics(qrels: Qrels, run: Rankings) -> dict[str, dict[str, float]]:
    """Measure every query of `qrels`: query id → measure's name → value, in [0, 1].

    docs/evaluation.md has the formulas. A query without a ranking scores 0.
    """
    names = {measure: name for name, measure in MEASURES.items()}
    values: dict[str, dict[str, float]] = {query: dict.fromkeys(MEASURES, 0.0) for query in qrels}
    plain_qrels = {query: dict(judged) for query, judged in qrels.items()}
    plain_run = {query: dict(scores) for query, scores in run.items()}
    for metric in pytrec_eval.iter_calc(list(names), plain_qrels, plain_run):
        values[metric.query_id][names[metric.measure]] = metric.value
    return values


def mean_metrics(per_query: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The mean over the queries of each measure, 0 for none."""
    count = max(1, len(per_query))
    return {name: sum(values[name] for values in per_query.values()) / count for name in MEASURES}
