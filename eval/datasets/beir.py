"""Retrieval benchmarks in BEIR layout."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, Field

from eval.datasets.lines import Identified, IdWithoutSpace, Words, identified
from eval.datasets.qrels import load_qrels
from index.errors import InputError
from index.papers import Paper


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
    model_config = ConfigDict(extra="allow")

    id: IdWithoutSpace = Field(alias="_id")
    title: str = ""
    text: str = ""


class _Query(Identified):
    id: IdWithoutSpace = Field(alias="_id")
    text: Words


def load_beir(folder: Path, split: str = "test") -> Beir:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv` of a BEIR folder.

    Each may be packed (`corpus.jsonl.gz`), as some downloads are. Queries that the split does not
    judge are left out. A judged paper that the corpus lacks counts as not found (ArguAna has
    such: https://github.com/beir-cellar/beir/issues/101); `Beir.absent` says how many there are.
    The format: https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset.

    Raises:
        InputError: a file or the split is missing or empty, a line is broken or repeats an id,
            a judgement names a query that there is not, or no relevant paper is in the corpus;
            the message names file and line.
    """
    corpus, queries, qrels = beir_files(folder, split)
    asked = {query.id: query.text for _, query in identified(_Query, queries)}
    return judged(load_corpus(corpus), asked, qrels)


def beir_files(folder: Path, split: str = "test") -> tuple[Path, Path, Path]:
    """Where a BEIR folder keeps its corpus, its queries and the judgements of a split.

    Raises:
        InputError: it is not a folder or has no such split; the message says which it has.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with corpus.jsonl, queries.jsonl")
    files = sorted((folder / "qrels").glob("*.tsv*"), reverse=True)
    splits = {path.name.partition(".tsv")[0]: path for path in files}
    if split not in splits:
        names = ", ".join(sorted(splits)) or "none"
        raise InputError(f"{folder} has no qrels/{split}.tsv; the splits it has: {names}")
    return (
        _packed_or_not(folder / "corpus.jsonl"),
        _packed_or_not(folder / "queries.jsonl"),
        splits[split],
    )


def load_corpus(path: Path) -> list[Paper]:
    """Read the papers of a BEIR `corpus.jsonl`, packed or not.

    A document's `_id` becomes the paper's id, its `text` the abstract (which may be empty).
    Authors, year, venue, doi and url are taken from the record or its `metadata` if they are
    there.

    Raises:
        InputError: the file cannot be read or is empty, or a line is broken or repeats an id;
            the message names file and line.
    """
    return [_paper(document) for _, document in identified(_Document, path)]


def judged(papers: Sequence[Paper], queries: Mapping[str, str], qrels_path: Path) -> Beir:
    """The benchmark of those of `queries` that a file of judgements judges.

    Raises:
        InputError: the judgements are broken (`load_qrels`), or none of the papers they call
            relevant is there.
    """
    qrels = load_qrels(qrels_path, queries)
    relevant = {paper for grades in qrels.values() for paper, grade in grades.items() if grade > 0}
    if relevant.isdisjoint(paper.id for paper in papers):
        raise InputError(
            f"{qrels_path}: no relevant paper is in the corpus; give both of one dataset"
        )
    asked = {query: text for query, text in queries.items() if query in qrels}
    return Beir(list(papers), asked, qrels)


def _packed_or_not(path: Path) -> Path:
    packed = path.with_name(path.name + ".gz")
    return packed if packed.exists() and not path.exists() else path


def _paper(document: _Document) -> Paper:
    record = document.model_extra or {}
    metadata = record.get("metadata")
    known = {**metadata, **record} if isinstance(metadata, dict) else record
    year = _text(known.get("year"))
    return Paper(
        id=document.id,
        title=document.title,
        abstract=document.text,
        authors=_texts(known.get("authors")),
        year=int(year) if year and re.fullmatch("[0-9]{1,4}", year) else None,
        venue=", ".join(_texts(known.get("venue"))) or None,
        url=_text(known.get("url")),
        doi=_text(known.get("doi")),
    )


def _text(value: object) -> str | None:
    return str(value).strip() or None if isinstance(value, str | int) else None


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(text for item in items if (text := _text(item)))
