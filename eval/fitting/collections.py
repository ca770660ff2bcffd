"""Questions to learn from, with their gold papers and sentences, on collections; and their twins.

A twin is a question that has become unanswerable: its papers or the sentences that answer it are
taken away, or it is put to another collection.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from rag.retrieval import Ranking, passage_rows
from rag.schema import Filters, Options

ANSWERED = ("fact", "why", "how", "entity", "define", "paraphrase", "false-premise")
LISTS = ("list", "digest")
OWN = Path(__file__).parent / "questions"
EVERYDAY = "everyday"
MOST_ACCEPTED, FOREIGN_PAPERS = 30, 60
"""Of small collections: the most papers of one question, and how many others are added."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A question of a set on a collection, with rows of its index.

    They are of the papers that answer, of those that may be cited, and of the passages that answer,
    by the row of the paper.
    """

    group: str
    """The collection, which is left out as a whole."""
    row: dict[str, Any]
    index: Index
    gold: tuple[int, ...]
    accepted: frozenset[int]
    sentences: dict[int, tuple[int, ...]]


def own_questions(name: str, papers: Sequence[Paper]) -> list[Question]:
    """Read the questions of this package on a collection.

    They name papers by id and evidence by place, so the package has no text of the papers.
    """
    by_id = {paper.id: paper for paper in papers}
    found = []
    for row in read_rows(OWN / f"{name}.jsonl"):
        gold, also, evidence = row["papers"], row.get("also", ()), row["evidence"]
        if absent := {*gold, *also, *(id_ for id_, _, _ in evidence)} - by_id.keys():
            missing = ", ".join(sorted(absent))
            raise InputError(f"question {row['id']} on {name} needs {missing}: not there")
        row["papers"], row["also"] = ([by_id[id_].title for id_ in ids] for ids in (gold, also))
        row["evidence"] = [
            {"paper": by_id[id_].title, "quote": by_id[id_].abstract[start:end]}
            for id_, start, end in evidence
        ]
        found.append(Question(**row))
    return found


def everyday(index: Index) -> list[Asked]:
    """Return questions of everyday life, which no collection of abstracts answers."""
    lines = (Path(__file__).parent / "off_topic.txt").read_text(encoding="utf-8").splitlines()
    known = {"type": "off-topic", "answerable": False, "evidence": ()}
    return asked(EVERYDAY, index, [{**known, "question": line} for line in lines])


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
            if paper is not None and (quoted := _quoted(index, paper, each["quote"])):
                sentences.setdefault(paper, set()).update(quoted)
        kept = {paper: tuple(sorted(rows)) for paper, rows in sentences.items()}
        found.append(Asked(group, row, index, tuple(gold), frozenset(gold + also), kept))
    return found


def _quoted(index: Index, paper: int, quote: str) -> list[int]:
    """Return the rows of a paper's passages that overlap a verbatim quote."""
    start = index.papers[paper].abstract.find(quote)
    rows = passage_rows(index, paper) if start >= 0 else ()
    passages = ((row, index.passages[row]) for row in rows)
    return [row for row, at in passages if at.start < start + len(quote) and start < at.end]


def query_of(each: Asked, encoder: Encoder, fitted: Record, index: Index | None = None) -> Query:
    """Read a question as the product does, put to its own collection or to another one."""
    index = index or each.index
    turns = read_history(each.row.get("history"))
    mask = np.ones(len(index.papers), dtype=np.bool_)
    request = Request(each.row["question"], turns, Filters(), Options(), mask)
    return understand(request, index, encoder, list_digests(index.papers), None, fitted)


def ranked(each: Asked, query: Query, without: Sequence[int] = ()) -> Ranking:
    """Rank papers for a question, without some of them."""
    mask = query.allowed.copy()
    mask[list(without)] = False
    return rank_for(each.index, replace(query, allowed=mask))


def only_passages(index: Index, kept: NDArray[np.bool_]) -> Index:
    """Return the index with some of its passages, `kept` (S,), and all of whole abstracts."""
    return replace(
        index,
        passages=tuple(p for p, keep in zip(index.passages, kept, strict=True) if keep),
        owner=index.owner[kept],
        passage_vectors=Vectors.of(index.passage_vectors[kept]),
    )


def sub_collections(questions: Sequence[Asked], parts: int = 3) -> Iterator[Asked]:
    """Yield the questions again, on small collections of their papers and some others.

    So no model learns the size of a collection.
    """
    chance = random.Random(0)  # noqa: S311 - it draws papers
    index = questions[0].index
    for part in range(parts):
        own = [each for each in questions[part::parts] if len(each.accepted) <= MOST_ACCEPTED]
        rows = {row for each in own for row in each.accepted}
        others = sorted(set(range(len(index.papers))) - rows)
        rows.update(chance.sample(others, min(len(others), FOREIGN_PAPERS)))
        kept = sorted(rows)
        papers = tuple(index.papers[row] for row in kept)
        small = only_passages(index, np.isin(index.owner, kept))
        small = replace(
            small,
            papers=papers,
            owner=np.searchsorted(kept, small.owner).astype(np.int64),
            paper_vectors=Vectors.of(index.paper_vectors[kept]),
            lexical=LexicalIndex.build(papers),
            names=Names.build(papers),
            layout=None,
        )
        yield from asked(own[0].group, small, [each.row for each in own])


def evidence_questions(name: str, rows: Sequence[dict[str, Any]], encoder: Encoder) -> list[Asked]:
    """Return the questions of a public evidence set, on the collection of all its texts.

    A text is a paper whose passages are the sentences that the set gives.
    """
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
    texts = tuple(papers.values())
    rows_of = {id_: at for at, id_ in enumerate(papers)}
    known: dict[str, Any] = {"generation": name, "encoder": encoder.name, "content": ""}
    index = Index(
        manifest=Manifest.model_construct(**known),
        papers=texts,
        passages=tuple(passages),
        owner=np.array([rows_of[passage.paper_id] for passage in passages]),
        paper_vectors=Vectors.of(encoder.encode([paper_text(paper) for paper in texts])),
        passage_vectors=Vectors.of(encoder.encode([passage.text for passage in passages])),
        lexical=LexicalIndex.build(texts),
        names=Names.build(texts),
    )
    found = []
    for row in rows:
        paper = rows_of[row["paper"]]
        gold = tuple(passage_rows(index, paper)[at] for at in row["evidence"])
        kind = {"type": "fact", "question": row["question"], "answerable": True}
        found.append(Asked(name, kind, index, (paper,), frozenset({paper}), {paper: gold}))
    return found
