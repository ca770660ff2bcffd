"""Finished runs, read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from eval.datasets.lines import json_lines, parse
from eval.runs import ANSWERS, METRICS, QUESTIONS, RECORD, SCORES, QuestionScore, read_json
from index.errors import InputError

PRIMARY = {"answers": "right", "retrieval": "hit@1"}
"""What says of a question, for each kind of run, whether it went right: 1 or 0."""


class ScoreLine(BaseModel):
    """A line of `scores.jsonl`."""

    id: str
    type: str = ""
    values: dict[str, float | None]


@dataclass(frozen=True)
class Recorded:
    """A finished run."""

    folder: Path
    record: Mapping[str, Any]
    """What was run on what: the content of `run.json`."""
    metrics: Mapping[str, Any]
    scores: Mapping[str, QuestionScore]
    """By the question's id, in the order of the questions."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def system(self) -> str:
        """The system that was measured."""
        return str(self.record["system"])

    @property
    def kind(self) -> str:
        """What was measured: `answers` or `retrieval`."""
        return str(self.record["kind"])

    @property
    def primary(self) -> str:
        """The value that says whether a question went right."""
        return PRIMARY[self.kind]

    @property
    def support(self) -> str | None:
        """What decided whether citations support, in a run of answers."""
        found: str | None = self.record.get("configuration", {}).get("support")
        return found

    @cached_property
    def questions(self) -> Mapping[str, Mapping[str, Any]]:
        """What was asked, by id."""
        return {str(q["id"]): q for _, q in json_lines(self.folder / QUESTIONS)}

    @cached_property
    def came_back(self) -> Mapping[str, Mapping[str, Any]]:
        """What came back, by the question's id."""
        return {str(a["id"]): a for _, a in json_lines(self.folder / ANSWERS)}

    def column(self, metric: str) -> dict[str, float]:
        """A metric of every question that has it, by id."""
        return {
            id_: value
            for id_, score in self.scores.items()
            if (value := score.values.get(metric)) is not None
        }

    def right(self) -> dict[str, bool]:
        """Whether each question went right, by id."""
        return {id_: value >= 1 for id_, value in self.column(self.primary).items()}


def load_run(folder: Path) -> Recorded:
    """Read a finished run.

    Raises:
        InputError: it is no run's folder, the run is not finished, or a line is damaged.
    """
    record = read_json(folder / RECORD)
    if record.get("kind") not in PRIMARY:
        raise InputError(f"{folder / RECORD} is not of a kind of run that this version knows")
    if not (folder / METRICS).exists():
        raise InputError(
            f"the run in {folder} is not finished: give the command that began it --out {folder}"
        )
    path = folder / SCORES
    lines = [parse(ScoreLine, line, path, number) for number, line in json_lines(path)]
    scores = {line.id: QuestionScore(line.id, line.type, line.values) for line in lines}
    return Recorded(folder, record, read_json(folder / METRICS), scores)
