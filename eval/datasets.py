"""Read and write what systems are measured on: questions, BEIR folders, TREC rankings, JSON Lines.

The first error stops reading and names file, line and field.
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

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from index.errors import InputError
from index.papers import Paper

HALF = ".tmp"  # the suffix of a file that is being written
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Identified(BaseModel):
    """A record with an id."""

    id: str


class Message(BaseModel, frozen=True):
    """One turn of the conversation before a question."""

    role: Literal["user", "assistant"]
    content: Words


class Evidence(BaseModel, frozen=True):
    """A verbatim stretch of a paper's abstract that holds the answer or part of it."""

    paper: Words = Field(description="Exact title.")
    quote: Words


class Question(Identified, frozen=True):
    """A question with what a right answer cites and says.

    `type` is any word ("fact", "list"): figures are grouped by it. Three types have a meaning:
    "followup" and "digest" need the history or the filters that `ask` adds; "false-premise"
    supposes something that the papers do not say. A false-premise question is not answerable;
    its nuggets, if it has any, correct it.
    """

    id: Words
    type: Words
    question: Words
    history: tuple[Message, ...] = Field(default=(), description="Oldest first.")
    answerable: bool
    papers: tuple[Words, ...] = Field(default=(), description="Titles of the papers that answer.")
    also: tuple[Words, ...] = Field(default=(), description="Titles that may be cited as well.")
    least: int | None = Field(
        default=None, ge=1, description="How many of both to cite at least; half of `papers`."
    )
    evidence: tuple[Evidence, ...] = ()
    nuggets: tuple[Annotated[tuple[Words, ...], Field(min_length=1)], ...] = Field(
        default=(), description="Facts of a right answer; each lists the wordings that count."
    )
    note: str | None = None


def load_questions(path: Path) -> list[Question]:
    """Read a questions file, a `Question` a line; unknown fields are ignored. See `identified`."""
    return identified(Question, path)


def fixed_choice(ids: Sequence[str], size: int) -> set[str]:
    """Choose the `size` ids with the lowest SHA-256; an InputError unless 1 ≤ size ≤ len(ids)."""
    if not 1 <= size <= len(ids):
        raise InputError(f"cannot choose {size} of {len(ids)}: give a number from 1 to {len(ids)}")
    return set(nsmallest(size, ids, key=lambda id_: hashlib.sha256(id_.encode()).hexdigest()))


Record = TypeVar("Record", bound=BaseModel)
IdentifiedRecord = TypeVar("IdentifiedRecord", bound=Identified)


def records(model: type[Record], path: Path) -> Iterator[tuple[int, Record]]:
    """Yield the number of each line and its record; an InputError names file, line and field."""
    for number, line in _json_lines(path):
        try:
            record = model.model_validate(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            where = f"field {field}: " if field else ""
            raise InputError(f"{path}:{number}: {where}{first['msg']}") from error
        yield number, record


def identified(model: type[IdentifiedRecord], path: Path) -> list[IdentifiedRecord]:
    """Read records with different ids, at least one; an InputError names file, line and field."""
    found: dict[str, IdentifiedRecord] = {}
    for number, record in records(model, path):
        if record.id in found:
            raise InputError(f"{path}:{number}: id {record.id!r} stands twice; ids must differ")
        found[record.id] = record
    if not found:
        raise InputError(f"{path} holds no records; write one JSON object a line")
    return list(found.values())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the objects of a JSON Lines file; an InputError names file and line."""
    return [row for _, row in _json_lines(path)]


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in read_lines(path):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:  # a number or a nesting beyond any record
            problem = f"{path}:{number}: not JSON ({error}); write one object a line"
            raise InputError(problem) from error
        if not isinstance(record, dict):
            raise InputError(f"{path}:{number}: not a JSON object; write one object a line")
        yield number, record


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank with their numbers from 1; an InputError names a line."""
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
    write_json_lines(path, question_rows(questions))


def question_rows(questions: Iterable[Question]) -> list[dict[str, Any]]:
    """Return questions as JSON objects, as a questions file has them."""
    return [each.model_dump(mode="json", exclude_none=True) for each in questions]


def write_json_lines(path: Path, records: Iterable[Mapping[str, object]]) -> None:
    """Write one object a line; see `write_text`."""
    write_text(path, "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records))


def write_text(path: Path, text: str) -> None:
    """Write a whole file or none of it; raise InputError if it cannot be written."""
    half = path.with_name(path.name + HALF)
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        half.unlink(missing_ok=True)


def open_to_append(path: Path, *, wait: bool = True) -> BinaryIO:
    """Open a JSON Lines file to append to, locked for this process until it is closed.

    A missing file is created, readable only by its owner. Half a line, which a killed process
    leaves, is cut off; a whole line without a line break gets one. Raises BlockingIOError if
    another process has locked it and `wait` is false, OSError if it cannot be written.
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
    """Append a line; it is on disk before this returns."""
    file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def papers_hash(papers: Iterable[Paper]) -> str:
    """Return the SHA-256 of the papers' records in their order, hexadecimal."""
    return hash_of(*(paper.model_dump_json() for paper in papers))


def hash_of(*parts: str) -> str:
    """Return the SHA-256 of texts in their order, hexadecimal."""
    return hashlib.sha256("".join(f"{part}\n" for part in parts).encode()).hexdigest()


Qrels = Mapping[str, Mapping[str, int]]
"""`qrels[query id][paper id]` = relevance; above 0 is relevant."""
Rankings = Mapping[str, Mapping[str, float]]
"""`rankings[query id][paper id]` = score; higher is better."""

_Id = Annotated[str, Field(pattern=r"^\S+$", coerce_numbers_to_str=True, alias="_id")]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Papers and judged queries."""

    papers: list[Paper]
    queries: dict[str, str]
    """The text of each query by its id; all are judged."""
    qrels: dict[str, dict[str, int]]
    name: str = ""

    @property
    def relevant(self) -> list[str]:
        """The paper of each relevant judgement, whether the corpus has it or not."""
        return [p for grades in self.qrels.values() for p, grade in grades.items() if grade > 0]

    @property
    def absent(self) -> int:
        """The number of relevant judgements of papers that the corpus lacks."""
        known = {paper.id for paper in self.papers}
        return sum(paper not in known for paper in self.relevant)

    def described(self) -> dict[str, object]:
        """Return what a run's record says of the benchmark."""
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
    not judge are left out. Raises InputError if a file or the split is missing, empty or broken, a
    judgement names an unknown query, or no relevant paper is in the corpus.
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
    if found.absent == len(found.relevant):
        problem = "no relevant paper is in the corpus; give both of one dataset"
        raise InputError(f"{judgements}: {problem}")
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
            problem = f"query {query!r} is not among the queries: are both of one dataset?"
            raise InputError(f"{path}:{number}: {problem}")
        qrels.setdefault(query, {})[paper] = int(float(grade))
    if not qrels:
        raise InputError(f"{path} holds no judgements; write query-id, corpus-id, score a line")
    return qrels


def fixed_subset(whole: Benchmark, size: int) -> Benchmark:
    """Cut a benchmark to `size` papers: every relevant one and a `fixed_choice` of the others.

    So a smaller subset lies within a larger one. Raises InputError if more papers are relevant.
    """
    ids = [paper.id for paper in whole.papers]
    kept = set(whole.relevant).intersection(ids)
    if len(kept) > size:
        raise InputError(f"{len(kept)} papers are relevant; a subset needs at least as many")
    others = [id_ for id_ in ids if id_ not in kept]
    if more := min(size - len(kept), len(others)):
        kept |= fixed_choice(others, more)
    papers = [paper for paper in whole.papers if paper.id in kept]
    return replace(whole, papers=papers, name=f"{whole.name}-{size}")


def load_trec_run(path: Path) -> dict[str, dict[str, float]]:
    """Read a ranking in TREC's format, `query Q0 paper rank score tag`; only scores rank.

    Raises InputError if the file cannot be read or is empty, or a line has another format.
    """
    run: dict[str, dict[str, float]] = {}
    for number, line in read_lines(path):
        try:
            query, _, paper, _, score, _ = line.split()
            run.setdefault(query, {})[paper] = float(score)
        except ValueError as error:
            problem = f"{path}:{number}: expected query, Q0, paper, rank, score and tag"
            raise InputError(problem) from error
    if not run:
        raise InputError(f"{path} holds no ranking; write query, Q0, paper, rank, score and tag")
    return run


def write_trec_run(path: Path, rankings: Rankings) -> None:
    """Write TREC's format, best first; nine digits keep trec_eval's 32-bit floats exact."""
    with path.open("w", encoding="utf-8") as file:
        for query, scores in rankings.items():
            for rank, (paper, score) in enumerate(scores.items(), start=1):
                file.write(f"{query} Q0 {paper} {rank} {score:.9g} abstractqa\n")
