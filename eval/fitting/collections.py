"""What the fits learn from: questions with gold papers and sentences on collections, and twins.

A twin is a question that cannot be answered any more: the papers that answer it are taken away,
or the sentences that do are taken out of them, or it is put to another collection.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from eval.datasets import Question, read_rows
from index.encoder import Encoder
from index.errors import InputError
from index.lexical import LexicalIndex
from index.manifest import Manifest
from index.names import Names
from index.papers import Paper
from index.passages import Passage, paper_text
from index.store import Index
from index.vectors import Vectors
from rag.conversation import read_history
from rag.digests import list_digests
from rag.fitted import Record
from rag.query import Query, Request, rank_for, understand
from rag.retrieval import Ranking
from rag.schema import Filters, Options

ANSWERED = ("fact", "why", "how", "entity", "define", "paraphrase", "false-premise")
LISTS = ("list", "digest")
OWN = Path(__file__).parent / "questions"
EVERYDAY = "everyday"
MOST_ACCEPTED, FOREIGN_PAPERS = 30, 60
"""Of a small collection: papers of one question, and papers that none of its questions is about."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A question of a set on a collection."""

    group: str
    """The collection, which is left out as a whole."""
    row: dict[str, Any]
    index: Index
    gold: tuple[int, ...]
    """Rows of the papers that answer it."""
    accepted: frozenset[int]
    """Rows of those that may be cited."""
    sentences: dict[int, tuple[int, ...]]
    """Rows of the passages that answer, by the row of the paper."""


def own_questions(name: str, papers: Sequence[Paper]) -> list[Question]:
    """The questions of this package on a collection: its papers by id, its evidence by place.

    So the package holds no text of the papers.
    """
    by_id = {paper.id: paper for paper in papers}
    found = []
    for row in read_rows(OWN / f"{name}.jsonl"):
        gold, also, evidence = row["papers"], row.get("also", ()), row["evidence"]
        if absent := {*gold, *also, *(id_ for id_, _, _ in evidence)} - by_id.keys():
            missing = ", ".join(sorted(absent))
            raise InputError(f"question {row['id']} on {name} needs {missing}: not there")
        quotes = [
            {"paper": by_id[id_].title, "quote": by_id[id_].abstract[start:end]}
            for id_, start, end in evidence
        ]
        titles = {"papers": [by_id[id_].title for id_ in gold], "evidence": quotes}
        found.append(Question(**{**row, **titles, "also": [by_id[id_].title for id_ in also]}))
    return found


def everyday(index: Index) -> list[Asked]:
    """Questions of everyday life, which no collection of abstracts answers."""
    lines = (Path(__file__).parent / "off_topic.txt").read_text(encoding="utf-8").splitlines()
    row = {"type": "off-topic", "answerable": False}
    return [
        Asked(EVERYDAY, {**row, "question": line}, index, (), frozenset(), {}) for line in lines
    ]


def asked(group: str, index: Index, rows: Sequence[dict[str, Any]]) -> list[Asked]:
    """Find the gold papers and sentences of questions in an index."""
    found = []
    for row in rows:
        gold, also = (
            [at for title in row.get(field) or () if (at := index.row_of(title)) is not None]
            for field in ("papers", "also")
        )
        sentences: dict[int, set[int]] = {}
        for each in row["evidence"]:
            paper = index.row_of(each["paper"])
            if paper is not None and (quoted := _passages(index, paper, each["quote"])):
                sentences.setdefault(paper, set()).update(quoted)
        kept = {paper: tuple(sorted(rows)) for paper, rows in sentences.items()}
        found.append(Asked(group, row, index, tuple(gold), frozenset(gold + also), kept))
    return found


def _passages(index: Index, paper: int, quote: str) -> set[int]:
    start = index.papers[paper].abstract.find(quote)
    if start < 0:
        return set()
    first, last = np.searchsorted(index.owner, (paper, paper + 1))
    return {
        row
        for row in range(int(first), int(last))
        if index.passages[row].start < start + len(quote) and start < index.passages[row].end
    }


def query_of(each: Asked, encoder: Encoder, fitted: Record, index: Index | None = None) -> Query:
    """The question as the product reads it, put to its own collection or to another one."""
    index = index or each.index
    turns = read_history(each.row.get("history"))
    mask = np.ones(len(index.papers), dtype=np.bool_)
    request = Request(each.row["question"], turns, Filters(), Options(), mask)
    return understand(request, index, encoder, list_digests(index.papers), None, fitted)


def ranked(each: Asked, query: Query, without: Sequence[int] = ()) -> Ranking:
    """The ranking for a question, without some papers."""
    mask = query.allowed.copy()
    mask[list(without)] = False
    return rank_for(each.index, query, allowed=mask)


def without_sentences(index: Index, rows: Sequence[int]) -> Index:
    """The index without some passages, as if the abstracts had never had them.

    The vectors of whole abstracts and the words that BM25 counts stay as they are.
    """
    kept = np.ones(len(index.passages), dtype=np.bool_)
    kept[list(rows)] = False
    return replace(
        index,
        passages=tuple(p for p, keep in zip(index.passages, kept, strict=True) if keep),
        owner=index.owner[kept],
        passage_vectors=Vectors.of(index.passage_vectors[kept]),
    )


def sub_collections(questions: Sequence[Asked], parts: int = 3) -> Iterator[Asked]:
    """The questions again, each part of them on a small collection: their papers and some others.

    So that no model learns the size of a collection.
    """
    chance = random.Random(0)  # noqa: S311 - it draws papers
    index = questions[0].index
    for part in range(parts):
        own = [each for each in questions[part::parts] if len(each.accepted) <= MOST_ACCEPTED]
        rows = {row for each in own for row in each.accepted}
        others = sorted(set(range(len(index.papers))) - rows)
        rows.update(chance.sample(others, min(len(others), FOREIGN_PAPERS)))
        small = subset(index, sorted(rows))
        yield from asked(own[0].group, small, [each.row for each in own])


def subset(index: Index, rows: Sequence[int]) -> Index:
    """The index of some of its papers, ascending, with its names and words counted anew."""
    papers = tuple(index.papers[row] for row in rows)
    kept = np.isin(index.owner, rows)
    return replace(
        index,
        papers=papers,
        passages=tuple(p for p, keep in zip(index.passages, kept, strict=True) if keep),
        owner=np.searchsorted(rows, index.owner[kept]).astype(np.int64),
        paper_vectors=Vectors.of(index.paper_vectors[list(rows)]),
        passage_vectors=Vectors.of(index.passage_vectors[kept]),
        lexical=LexicalIndex.build(papers),
        names=Names.build(papers),
        layout=None,
    )


def evidence_questions(path: Path, encoder: Encoder, most: int = 600) -> list[Asked]:
    """The questions of a public evidence set, put to the collection of all its texts.

    A text is a paper without a title, of the sentences that the set gives.
    """
    rows = read_rows(path)[:most]
    papers: dict[str, Paper] = {}
    passages: list[Passage] = []
    for row in rows:
        abstract, at = " ".join(row["sentences"]), 0
        row["paper"] = hashlib.sha256(abstract.encode()).hexdigest()[:16]
        if row["paper"] in papers:
            continue
        papers[row["paper"]] = Paper(id=row["paper"], title=row["title"], abstract=abstract)
        for sentence in row["sentences"]:
            passages.append(Passage(row["paper"], at, at + len(sentence), sentence))
            at += len(sentence) + 1
    index = _index_of(path.stem, tuple(papers.values()), tuple(passages), encoder)
    rows_of = {paper.id: at for at, paper in enumerate(index.papers)}
    found = []
    for row in rows:
        paper = rows_of[row["paper"]]
        first = int(np.searchsorted(index.owner, paper))
        gold = tuple(first + at for at in row["evidence"])
        kind = {"type": "fact", "question": row["question"], "answerable": True}
        found.append(Asked(path.stem, kind, index, (paper,), frozenset({paper}), {paper: gold}))
    return found


def _index_of(
    name: str, papers: tuple[Paper, ...], passages: tuple[Passage, ...], encoder: Encoder
) -> Index:
    """An index in memory of papers whose passages are given, in the order of the papers."""
    rows = {paper.id: row for row, paper in enumerate(papers)}
    known: dict[str, Any] = {"generation": name, "encoder": encoder.name, "content": ""}
    return Index(
        manifest=Manifest.model_construct(**known),
        papers=papers,
        passages=passages,
        owner=np.array([rows[passage.paper_id] for passage in passages]),
        paper_vectors=Vectors.of(encoder.encode([paper_text(paper) for paper in papers])),
        passage_vectors=Vectors.of(encoder.encode([passage.text for passage in passages])),
        lexical=LexicalIndex.build(papers),
        names=Names.build(papers),
    )
