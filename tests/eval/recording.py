"""Finished runs made by hand: what each question scored is all that a comparison looks at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.runs import QuestionScore, Run, load_run

Columns = Mapping[str, Mapping[str, float | None]]
"""Metric → question id → value."""


def recorded(
    folder: Path,
    columns: Columns,
    *,
    system: str = "ours",
    kind: str = "answers",
    types: Mapping[str, str] | None = None,
    unanswerable: frozenset[str] = frozenset(),
    metrics: Mapping[str, Any] | None = None,
) -> Run:
    """A finished run with these values."""
    ids = list(dict.fromkeys(id_ for column in columns.values() for id_ in column))
    questions = [
        {"id": id_, "question": f"What is {id_}?", "answerable": id_ not in unanswerable}
        for id_ in ids
    ]
    record = {"kind": kind, "system": system, "dataset": {"name": "made-up"}}
    run = Run.begin(folder, "made-up", record, questions)
    for id_ in ids:
        run.append({"id": id_})
    scores = [
        QuestionScore(
            id=id_,
            type=(types or {}).get(id_, "fact"),
            values={name: column.get(id_) for name, column in columns.items()},
        )
        for id_ in ids
    ]
    run.finish({"run": run.name, **record, **(metrics or {})}, scores)
    return load_run(folder)
