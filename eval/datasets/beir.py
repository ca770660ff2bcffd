"""Retrieval benchmarks in BEIR layout."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field

from eval.datasets.lines import IdWithoutSpace, Words, json_lines, parse, read_lines
from index.errors import InputError
from index.papers import Paper


@dataclass(frozen=True, slots=True)
class Beir:
    """A retrieval benchmark.

    `qrels[query id][paper id]` is how relevant the paper is; above 0 is relevant.
    """

    papers: list[Paper]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


class _Document(BaseModel):
    id: IdWithoutSpace = Field(alias="_id")
    title: str = ""
    text: str = ""


class _Query(BaseModel):
    id: IdWithoutSpace = Field(alias="_id")
    text: Words


def load_beir(folder: Path) -> Beir:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv` of a BEIR folder.

    A document's `_id` becomes the paper's id, its `text` the abstract (which may be empty).
    Authors, year, venue, doi and url are taken from the record or its `metadata` if they are
    there. The format: https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset.

    Raises:
        InputError: a file is missing or empty, a line is broken or repeats an id, or a
            judgement names a query or a relevant document that is not in the dataset; the
            message names file and line.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with corpus.jsonl, queries.jsonl")
    papers: dict[str, Paper] = {}
    corpus = folder / "corpus.jsonl"
    for number, record in json_lines(corpus):
        document = parse(_Document, record, corpus, number)
        if document.id in papers:
            raise InputError(
                f"{corpus}:{number}: _id {document.id!r} stands twice; ids must differ"
            )
        papers[document.id] = _paper(document, record)
    queries: dict[str, str] = {}
    queries_path = folder / "queries.jsonl"
    for number, record in json_lines(queries_path):
        query = parse(_Query, record, queries_path, number)
        if query.id in queries:
            raise InputError(f"{queries_path}:{number}: _id {query.id!r} stands twice")
        queries[query.id] = query.text
    return Beir(
        list(papers.values()), queries, _qrels(folder / "qrels" / "test.tsv", queries, papers)
    )


def _qrels(
    path: Path, queries: Mapping[str, str], papers: Mapping[str, Paper]
) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in read_lines(path):
        fields = line.split()
        if number == 1 and fields[-1:] == ["score"]:
            continue
        if len(fields) != 3 or not re.fullmatch("-?[0-9]{1,9}", fields[2]):
            raise InputError(f"{path}:{number}: expected query-id, corpus-id and a whole score")
        query, paper, score = fields[0], fields[1], int(fields[2])
        if query not in queries:
            raise InputError(f"{path}:{number}: query {query!r} is not in queries.jsonl")
        if score > 0 and paper not in papers:
            raise InputError(f"{path}:{number}: document {paper!r} is not in corpus.jsonl")
        qrels.setdefault(query, {})[paper] = score
    if not qrels:
        raise InputError(f"{path} holds no judgements; write query-id, corpus-id, score a line")
    return qrels


def _paper(document: _Document, record: Mapping[str, object]) -> Paper:
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
