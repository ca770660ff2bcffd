"""A run of an evaluation: a folder with the questions, the replies, the figures and the versions.

`run.json` comes first. Each reply is on disk before the next question is asked, so a killed run
resumes where it stopped. `scores.jsonl`, `metrics.json` and `report.html` finish the run, which is
never written to again. No file names a path or the host.
"""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, Self

from pydantic import BaseModel

from eval import datasets
from index.errors import InputError
from index.sources import sha256_of

RECORD = "run.json"
QUESTIONS = "questions.jsonl"
ANSWERS = "answers.jsonl"
SCORES = "scores.jsonl"
METRICS = "metrics.json"
REPORT = "report.html"

PRIMARY = {"answers": "right", "retrieval": "hit@1"}
"""The metric that is 1 for a question that went right, by the kind of run."""
PACKAGES = ("abstractqa", "bm25s", "chromadb", "ir-measures", "llama-index-core", "numpy", "scipy",
            "sentence-transformers", "torch")  # fmt: skip
"""The packages whose version can change a figure."""


class QuestionScore(BaseModel, frozen=True):
    """The scores of one question: a line of `scores.jsonl`."""

    id: str
    type: str = ""
    values: dict[str, float | None]
    """By metric; None where there is nothing to measure."""


@dataclass
class Run:
    """A run's folder: finished (`load_run`), or open for writing by this process (`begin`)."""

    folder: Path
    record: Mapping[str, Any]
    """The content of `run.json`: what was run on what."""
    file: BinaryIO | None = None
    """The open `answers.jsonl` of an unfinished run."""
    scores: Mapping[str, QuestionScore] = field(default_factory=dict)
    """Of a finished run, by question id, in the order of the questions."""

    @classmethod
    def begin(
        cls,
        out: Path | None,
        dataset: str,
        record: Mapping[str, object],
        questions: Iterable[Mapping[str, object]],
    ) -> Self:
        """Create the folder of a new run, or resume the unfinished run in it.

        `out` is the folder, by default `runs/<dataset>-<UTC timestamp>`. `record` says what is run
        on what: a run is resumed only if this has not changed. Raises InputError if the folder has
        other content, or cannot be created.
        """
        folder = out or new_run_folder(dataset)
        python = platform.python_version()
        known = {**record, "versions": package_versions(), "python": python, "code": code_hash()}
        identity: dict[str, object] = json.loads(json.dumps(known))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if all(path.suffix == datasets.HALF for path in folder.iterdir()):
                started = datetime.now(UTC).isoformat(timespec="seconds")
                write_object(folder / RECORD, {**identity, "started": started})
            _check_same(folder, identity)
            file = datasets.open_to_append(folder / ANSWERS, wait=False)
            datasets.write_json_lines(folder / QUESTIONS, questions)
        except BlockingIOError as error:
            problem = f"another process is writing the run in {folder}: wait for it"
            raise InputError(problem) from error
        except OSError as error:
            raise InputError(f"cannot write a run to {folder}: {error.strerror}") from error
        return cls(folder, identity, file)

    def close(self) -> None:
        """Unlock the folder; its content stays."""
        if self.file:
            self.file.close()

    def append(self, line: Mapping[str, object]) -> None:
        """Keep the reply to the question `line["id"]`; it is on disk before this returns."""
        if self.file is None:
            raise InputError(f"{self.folder} is a finished run; name a new folder")
        self.came_back[str(line["id"])] = dict(line)
        datasets.append_line(self.file, line)

    def replies(
        self, ids: Iterable[str], ask: Callable[[str], Mapping[str, object]]
    ) -> Iterator[dict[str, Any]]:
        """Yield the reply to each question; a missing one is asked for, and on disk before."""
        for id_ in ids:
            if id_ not in self.came_back:
                self.append({"id": id_, **ask(id_)})
            yield self.came_back[id_]

    def finish(
        self,
        metrics: Mapping[str, object],
        scores: Sequence[QuestionScore],
        report: str | None = None,
    ) -> None:
        """Write the figures, which finishes the run."""
        if report is not None:
            datasets.write_text(self.folder / REPORT, report)
        datasets.write_json_lines(self.folder / SCORES, (score.model_dump() for score in scores))
        write_object(self.folder / METRICS, metrics)
        self.close()

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def system(self) -> str:
        """The system under measurement."""
        return str(self.record["system"])

    @property
    def kind(self) -> str:
        """The kind of the run: `answers` or `retrieval`."""
        return str(self.record["kind"])

    @cached_property
    def questions(self) -> dict[str, dict[str, Any]]:
        """The questions by id."""
        return {str(row.get("id")): row for row in datasets.read_rows(self.folder / QUESTIONS)}

    @cached_property
    def came_back(self) -> dict[str, dict[str, Any]]:
        """The replies so far, by question id."""
        return {str(row.get("id")): row for row in datasets.read_rows(self.folder / ANSWERS)}

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """The figures of a finished run."""
        return read_object(self.folder / METRICS)

    def column(self, metric: str) -> dict[str, float]:
        """Return a metric of every question that has it, by question id."""
        values = {id_: score.values.get(metric) for id_, score in self.scores.items()}
        return {id_: value for id_, value in values.items() if value is not None}

    def right(self) -> dict[str, bool]:
        """Return whether each question went right, by its id."""
        return {id_: value >= 1 for id_, value in self.column(PRIMARY[self.kind]).items()}


def load_run(folder: Path) -> Run:
    """Read a finished run; raise InputError if the folder holds none, or a line is damaged."""
    record = read_object(folder / RECORD)
    if record.get("kind") not in PRIMARY:
        raise InputError(f"{folder / RECORD} is not of a kind of run that this version knows")
    if not (folder / METRICS).exists():
        hint = f"give the command that began it --out {folder}"
        raise InputError(f"the run in {folder} is not finished: {hint}")
    scores = {score.id: score for _, score in datasets.records(QuestionScore, folder / SCORES)}
    return Run(folder, record, scores=scores)


def new_run_folder(name: str) -> Path:
    """Name a new folder in `runs/` without creating it."""
    return Path("runs") / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"


def _check_same(folder: Path, identity: Mapping[str, object]) -> None:
    """Refuse a folder that is not an unfinished run with the same record."""
    problem = ", and is not a run"
    if (folder / RECORD).is_file():
        before = read_object(folder / RECORD)
        names = sorted((before.keys() | identity.keys()) - {"started"})
        others = [name for name in names if before.get(name) != identity.get(name)]
        problem = f": begun with another {others[0]}" if others else ""
        problem = ": a finished run" if (folder / METRICS).exists() else problem
    if problem:
        raise InputError(f"{folder} is not empty{problem}; name a new folder")


def environment() -> dict[str, object]:
    """Return the time, the package versions and the kind of machine."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **package_versions()},
        "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores",
    }


def package_versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the installed version of each package, "unknown" without package metadata."""
    found = dict.fromkeys(packages, "unknown")
    for name in found:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@cache
def code_hash() -> str:
    """Return the SHA-256 of the code and data that this process runs: those when it began."""
    product = Path(__file__).parent.parent
    files = (path for name in ("index", "rag", "eval") for path in (product / name).rglob("*"))
    code = sorted(p for p in files if p.is_file() and "__pycache__" not in p.parts)
    names = "\n".join(path.relative_to(product).as_posix() for path in code)
    return hashlib.sha256(f"{names}\n{sha256_of(*code)}".encode()).hexdigest()


def public_name(model: str) -> str:
    """Return a model's name; of a path only the last part, so that no folder is named."""
    return Path(model).name if Path(model).exists() else model


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object from a run's folder; raise InputError if there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: is {path.parent} a run's folder?") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a JSON object; run it again")
    return found


def write_object(path: Path, content: Mapping[str, object]) -> None:
    """Write an object as indented JSON; see `write_text`."""
    datasets.write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
