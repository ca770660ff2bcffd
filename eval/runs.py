"""A run as a record: a folder that keeps what was asked, what came back, and with what.

`run.json` is written first: what was run on what, with which versions. `questions.jsonl` holds
what was asked, `answers.jsonl` what came back, a line each, written before the next question is
asked: a run that was killed goes on where it stopped. `scores.jsonl`, `metrics.json` and
`report.html` are written last; with them a run is finished, and never written to again.
Nothing in it names a path or the host of the machine.
"""

import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper
from itertools import chain, count
from pathlib import Path
from typing import Self

from eval.datasets.lines import json_lines
from index.errors import InputError

RECORD = "run.json"
QUESTIONS = "questions.jsonl"
ANSWERS = "answers.jsonl"
SCORES = "scores.jsonl"
METRICS = "metrics.json"
REPORT = "report.html"
_HALF = ".tmp"

PACKAGES = (
    "abstractqa",
    "bm25s",
    "chromadb",
    "ir-measures",
    "llama-index-core",
    "numpy",
    "scipy",
    "sentence-transformers",
    "torch",
)
"""The packages whose version can change a figure."""

Values = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """What one question scored: a line of `scores.jsonl`.

    A value is None where there was nothing to measure.
    """

    id: str
    type: str
    values: Values


class Run:
    """A run's folder, open for writing, by this process alone; close it, or use it in a `with`."""

    def __init__(
        self, folder: Path, done: dict[str, dict[str, object]], lock: TextIOWrapper
    ) -> None:
        """Use `begin` instead."""
        self.folder = folder
        self._lock = lock
        self.done = done
        """What came back so far, by question."""
        self.is_resumed = bool(done)
        self.metrics = read_json(folder / METRICS) if (folder / METRICS).exists() else None
        """What was measured, if the run is finished."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @classmethod
    def begin(
        cls,
        out: Path | None,
        dataset: str,
        record: Mapping[str, object],
        questions: Iterable[Mapping[str, object]],
        *,
        reuse: bool = False,
    ) -> Self:
        """Make the folder of a new run, or go on with the unfinished run that is in it.

        Args:
            out: The folder, or None for `runs/<dataset>-<UTC timestamp>`.
            dataset: The dataset's name.
            record: What is run on what. A run goes on only if it is the same as before.
            questions: What will be asked, as JSON objects.
            reuse: Whether the same run, finished, is taken as it is.

        Raises:
            InputError: the folder holds something else, a finished run, or a run of something
                else, or it cannot be made.
        """
        folder = out or new_run_folder(dataset)
        identity: dict[str, object] = json.loads(
            json.dumps({**record, "versions": package_versions(), "code": code_hash()})
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if all(path.suffix == _HALF for path in folder.iterdir()):
                started = {"started": datetime.now(UTC).isoformat(timespec="seconds")}
                _write_json(folder / RECORD, {**identity, **started})
            _check_same(folder, identity)
            lock = _locked(folder)
            if (folder / METRICS).exists():
                if not reuse:
                    raise InputError(f"{folder} is not empty: a finished run; name a new folder")
            else:
                _write_lines(folder / QUESTIONS, questions)
            done = _came_back(folder / ANSWERS)
        except OSError as error:
            raise InputError(f"cannot write a run to {folder}: {error.strerror}") from error
        return cls(folder, done, lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others write to the folder; what is there stays."""
        self._lock.close()

    def append(self, line: Mapping[str, object]) -> None:
        """Keep what came back for the question `line["id"]`, on disk before this returns."""
        with (self.folder / ANSWERS).open("ab") as file:
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.done[str(line["id"])] = dict(line)

    def finish(
        self,
        metrics: Mapping[str, object],
        scores: Sequence[QuestionScore],
        report: str | None = None,
    ) -> None:
        """Write what was measured; the run is finished then."""
        if report is not None:
            (self.folder / REPORT).write_text(report, encoding="utf-8")
        _write_lines(
            self.folder / SCORES,
            ({"id": s.id, "type": s.type, "values": dict(s.values)} for s in scores),
        )
        _write_json(self.folder / METRICS, metrics)
        self.close()


def new_run_folder(name: str) -> Path:
    """Where a run goes that was given no folder: a new one; nothing is made."""
    first = Path("runs") / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    others = (first.with_name(f"{first.name}-{number}") for number in count(2))
    return next(folder for folder in chain([first], others) if not folder.exists())


def _check_same(folder: Path, identity: Mapping[str, object]) -> None:
    """Check that what is in the folder is a run of the same thing."""
    if not (folder / RECORD).is_file():
        raise InputError(f"{folder} is not empty, and is no run; name a new folder")
    before = read_json(folder / RECORD)
    before.pop("started", None)
    for name in sorted(before.keys() | identity.keys()):
        if before.get(name) != identity.get(name):
            kind = "a finished run" if (folder / METRICS).exists() else "begun"
            raise InputError(
                f"{folder} is not empty: {kind} with another {name}; name a new folder"
            )


def _locked(folder: Path) -> TextIOWrapper:
    """Hold a run; the operating system lets go of it when the process ends, however."""
    file = (folder / RECORD).open(encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise InputError(f"another process is writing the run in {folder}: wait for it") from error
    return file


def _came_back(path: Path) -> dict[str, dict[str, object]]:
    """The lines that are there so far, by id; half a line, as a kill can leave it, is cut off."""
    if not path.exists():
        return {}
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if whole != raw:
        path.write_bytes(whole)
    return {str(line.get("id")): line for _, line in json_lines(path)}


def package_versions() -> dict[str, str]:
    """The versions of what can change a figure, Python's own with them."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # installed in a way that keeps no record of itself
            found[name] = "unknown"
    return found


def environment() -> dict[str, object]:
    """When, with which versions and on what kind of machine a run was made."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": package_versions(),
        "machine": {
            "system": platform.system(),
            "cpu": platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def public_name(model: str) -> str:
    """A model's name without the folders of this machine, if it is a path."""
    return Path(model).name if Path(model).exists() else model


def read_json(path: Path) -> dict[str, object]:
    """A JSON object from a run's folder.

    Raises:
        InputError: it is not there or is not one.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: is {path.parent} a run's folder?") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a JSON object; make the run anew")
    return found


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write an object, readable and in a fixed order, whole or not at all."""
    half = path.with_suffix(_HALF)
    half.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(path)


def _write_lines(path: Path, records: Iterable[Mapping[str, object]]) -> None:
    half = path.with_suffix(_HALF)
    with half.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    half.replace(path)


@cache
def code_hash() -> str:
    """SHA-256 of the product's own code and data, hexadecimal: another state, another hash.

    Read once: what runs is what was there when the process began.
    """
    digest = hashlib.sha256()
    for package in ("index", "rag", "eval"):
        root = Path(__file__).parent.parent / package
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{package}/{path.relative_to(root).as_posix()}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
