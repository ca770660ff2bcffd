"""What is asked: files of questions, BEIR's folders, TREC's rankings; JSON Lines in general.

Files are read line by line; the first error stops, with file, line and field.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from eval.vector_cache import hash_of, papers_hash
from index.errors import InputError
from index.papers import Paper

HALF = ".tmp"
"""What the name of a file ends with while it is written."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Identified(BaseModel):
    """A record with an id of its own."""

    id: str


class Message(BaseModel):
    """One turn of the conversation before a question."""

    model_config = ConfigDict(frozen=True)

    role: Literal["user", "assistant"]
    content: Words


class Evidence(BaseModel):
    """A stretch of a paper's abstract, word for word, that holds (part of) the answer."""

    model_config = ConfigDict(frozen=True)

    paper: Words = Field(description="Exact title.")
    quote: Words


class Question(Identified):
    """A question with what a right answer cites and says.

    `type` is any word that figures are to be told apart by ("fact", "list"). Three have a
    meaning: "followup" and "digest" need the history or the filters that `ask` adds, and
    "false-premise" supposes something that the papers do not say. Such a question is not
    answerable; its nuggets, if it has any, are what corrects it.
    """

    model_config = ConfigDict(frozen=True)

    id: Words
    type: Words
    question: Words
    history: tuple[Message, ...] = Field(default=(), description="Oldest first.")
    answerable: bool
    papers: tuple[Words, ...] = Field(default=(), description="Titles of the papers that answer.")
    also: tuple[Words, ...] = Field(default=(), description="Titles that may be cited beside them.")
    least: int | None = Field(
        default=None, ge=1, description="How many of both to cite at least; half of `papers`."
    )
    evidence: tuple[Evidence, ...] = ()
    nuggets: tuple[Annotated[tuple[Words, ...], Field(min_length=1)], ...] = Field(
        default=(), description="Facts of a right answer; each lists the wordings that count."
    )
    note: str | None = None


def load_questions(path: Path) -> list[Question]:
    """Read a questions file: JSON Lines, one `Question` an object; other fields are ignored.

    Raises:
        InputError: there is no question in it, or a line is none; see `identified`.
    """
    return identified(Question, path)


def fixed_choice(ids: Sequence[str], size: int) -> set[str]:
    """Draw the ids with the lowest SHA-256: the same for everyone, whatever their order.

    Raises:
        InputError: there are fewer than `size`, or `size` is below 1.
    """
    if not 1 <= size <= len(ids):
        raise InputError(f"cannot choose {size} of {len(ids)}: give a number from 1 to {len(ids)}")
    return set(nsmallest(size, ids, key=lambda id_: hashlib.sha256(id_.encode()).hexdigest()))


Record = TypeVar("Record", bound=BaseModel)
IdentifiedRecord = TypeVar("IdentifiedRecord", bound=Identified)


def parse(model: type[Record], record: object, path: Path, number: int) -> Record:
    """Check the record of a line; an InputError names file, line and field."""
    try:
        return model.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        where = f"field {field}: " if field else ""
        raise InputError(f"{path}:{number}: {where}{first['msg']}") from error


def records(model: type[Record], path: Path) -> Iterator[Record]:
    """Read the records of a JSON Lines file; an InputError names file and line."""
    return (parse(model, line, path, number) for number, line in json_lines(path))


def identified(model: type[IdentifiedRecord], path: Path) -> list[IdentifiedRecord]:
    """Read the records of a JSON Lines file, of which there are some, and no two share an id.

    Raises:
        InputError: it is otherwise, or a line is not a `model`; the message names file and line.
    """
    found: dict[str, IdentifiedRecord] = {}
    for number, line in json_lines(path):
        record = parse(model, line, path, number)
        if record.id in found:
            raise InputError(f"{path}:{number}: id {record.id!r} stands twice; ids must differ")
        found[record.id] = record
    if not found:
        raise InputError(f"{path} holds no records; write one JSON object a line")
    return list(found.values())


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Read the objects of a JSON Lines file with their line numbers from 1.

    Raises:
        InputError: the file cannot be read, or a line is no object; the message says which.
    """
    for number, line in read_lines(path):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:  # a number or a nesting beyond any record
            raise InputError(
                f"{path}:{number}: not JSON ({error}); write one object a line"
            ) from error
        if not isinstance(record, dict):
            raise InputError(f"{path}:{number}: not a JSON object; write one object a line")
        yield number, record


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the objects of a JSON Lines file; see `json_lines`."""
    return [row for _, row in json_lines(path)]


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read the lines of a file that are not blank, with their numbers from 1.

    Raises:
        InputError: the file cannot be read, or a line is not UTF-8.
    """
    number = 0
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if line := raw.decode("utf-8-sig" if number == 1 else "utf-8").strip():
                    yield number, line
    except UnicodeDecodeError as error:
        raise InputError(f"{path}:{number}: not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def write_questions(path: Path, questions: Iterable[Question]) -> None:
    """Write a questions file that `load_questions` reads back; see `write_text`."""
    write_json_lines(path, (each.model_dump(mode="json", exclude_none=True) for each in questions))


def write_json_lines(path: Path, records: Iterable[Mapping[str, object]]) -> None:
    """Write objects one a line; see `write_text`."""
    write_text(path, "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records))


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    half = path.with_name(path.name + HALF)
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        half.unlink(missing_ok=True)


def open_to_append(path: Path, *, wait: bool = True) -> BinaryIO:
    """Open a file of JSON Lines to add to, held by this process alone until it is closed.

    It is made if it is missing, readable by its owner alone. Half a line, as a kill in the middle
    of a write leaves it, is cut off; a whole one without a line break is ended.

    Raises:
        BlockingIOError: another process holds it, and `wait` is false.
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = open(path, "a+b", opener=lambda at, flags: os.open(at, flags, 0o600))  # noqa: SIM115 - returned open, or closed below
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        file.seek(0)
        content = file.read()
        last = content.rpartition(b"\n")[2]
        try:
            json.loads(last)
            file.write(b"\n")
        except ValueError:
            file.truncate(len(content) - len(last))
    except OSError:
        file.close()
        raise
    return file


def append_line(file: BinaryIO, record: Mapping[str, object]) -> None:
    """Add a line, on disk before this returns."""
    file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


Qrels = Mapping[str, Mapping[str, int]]
"""`qrels[query id][paper id]` = relevance; above 0 is relevant."""
Rankings = Mapping[str, Mapping[str, float]]
"""`rankings[query id][paper id]` = score; higher is better."""

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
        there = {paper.id for paper in self.papers}
        judged = [pair for grades in self.qrels.values() for pair in grades.items()]
        return sum(grade > 0 and paper not in there for paper, grade in judged)

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

    https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset. Queries that the split does
    not judge are left out. A judged paper that the corpus lacks counts as not found.

    Raises:
        InputError: a file or the split is missing or empty, a line is broken or repeats an id,
            a judgement names a query that there is not, or no relevant paper is in the corpus.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with corpus.jsonl, queries.jsonl")
    judgements = folder / "qrels" / f"{split}.tsv"
    if not judgements.exists():
        names = ", ".join(sorted(path.stem for path in judgements.parent.glob("*.tsv"))) or "none"
        raise InputError(f"{folder} has no qrels/{split}.tsv; the splits it has: {names}")
    queries = {query.id: query.text for query in identified(_Query, folder / "queries.jsonl")}
    qrels = _load_qrels(judgements, queries)
    papers = [
        Paper(id=document.id, title=document.title, abstract=document.text)
        for document in identified(_Document, folder / "corpus.jsonl")
    ]
    judged = {query: text for query, text in queries.items() if query in qrels}
    found = Benchmark(papers, judged, qrels, folder.resolve().name)
    if found.relevant.isdisjoint(paper.id for paper in papers):
        raise InputError(
            f"{judgements}: no relevant paper is in the corpus; give both of one dataset"
        )
    return found


def _load_qrels(path: Path, queries: Collection[str]) -> dict[str, dict[str, int]]:
    """Read judgements: `query paper grade` (BEIR) or `query iteration paper grade` (TREC).

    A first line that ends in `score`, `rel` or `relevance` is a header. A grade is a whole number,
    as in trec_eval ("1.0" is one too); of a pair that is judged twice the later one counts.
    """
    qrels: dict[str, dict[str, int]] = {}
    for number, line in read_lines(path):
        if number == 1 and line.lower().endswith(("score", "rel", "relevance")):
            continue
        try:
            query, *iteration, paper, grade = line.split()
            if len(iteration) > 1 or not float(grade).is_integer():
                raise ValueError
        except ValueError as error:
            raise InputError(
                f"{path}:{number}: expected query-id, corpus-id and a whole score, or TREC's "
                "query, iteration, paper and grade"
            ) from error
        if query not in queries:
            raise InputError(
                f"{path}:{number}: query {query!r} is not among the queries; "
                "give queries and judgements of one dataset"
            )
        qrels.setdefault(query, {})[paper] = int(float(grade))
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
    ids = [paper.id for paper in whole.papers]
    kept = whole.relevant.intersection(ids)
    if len(kept) > size:
        raise InputError(f"{len(kept)} papers are relevant; a subset needs at least as many")
    others = [id_ for id_ in ids if id_ not in kept]
    if more := min(size - len(kept), len(others)):
        kept |= fixed_choice(others, more)
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
