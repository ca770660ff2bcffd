"""What a calibration of the check of citations found, for programs and for people."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from eval.report.markdown import table
from eval.statistics import Interval
from rag.support.scoring import Model


@dataclass(frozen=True, slots=True)
class SetFigures:
    """How well the claims of a set are told apart."""

    claims: int
    supported: int
    folds: Interval
    """AUROC where it was not fitted: each claim by a model of the other folds of every set."""
    now: float
    """AUROC of the product's own coefficients."""
    unseen: float | None
    """AUROC of a model fitted on the other sets alone; None if there are none."""


@dataclass(frozen=True, slots=True)
class Operating:
    """What a threshold lets pass of held-out claims of one sentence and of edits."""

    threshold: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of one kind of edit."""

    kind: str
    true: bool
    """Whether it is a rewording; else it made its sentence false."""
    edits: int
    supported: float
    """The share of them, and so is the next."""
    partly: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted, and how well it does."""

    model: Model
    sets: Mapping[str, SetFigures]
    supported: Operating
    partly: Operating
    edits: tuple[Passed, ...]


def calibration_text(found: Calibration) -> str:
    """What was found, as Markdown tables and the coefficients."""
    sets = [
        (name, each.claims, each.supported, each.folds, each.now, each.unseen)
        for name, each in found.sets.items()
    ]
    points = [
        (name, each.threshold, each.precision, each.recall)
        for name, each in (("supported", found.supported), ("partly", found.partly))
    ]
    edits = [
        (each.kind, "reworded" if each.true else "false", each.edits, each.supported, each.partly)
        for each in found.edits
    ]
    weights = {"bias": found.model.bias, **found.model.weights, "shift": found.model.shift}
    return "\n\n".join(
        (
            table(("set", "claims", "supported", "AUROC", "now", "unseen"), sets),
            table(("at least", "score", "precision", "recall"), points),
            table(("edit", "is", "edits", "supported", "partly"), edits),
            "\n".join(f"{name} {weight:.2f}" for name, weight in weights.items()),
        )
    )


def as_json(found: Calibration) -> dict[str, object]:
    """What was found, for programs."""
    model = {
        "bias": found.model.bias,
        "weights": dict(found.model.weights),
        "shift": found.model.shift,
        "supported": asdict(found.supported),
        "partly": asdict(found.partly),
    }
    return {
        "model": model,
        "sets": {name: asdict(each) for name, each in found.sets.items()},
        "edits": [asdict(each) for each in found.edits],
    }
