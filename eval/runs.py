"""A run's folder and what it records, the same on every machine: no paths, no host names."""

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from index.errors import InputError

PACKAGES = (
    "abstractqa",
    "bm25s",
    "chromadb",
    "ir-measures",
    "llama-index-core",
    "numpy",
    "sentence-transformers",
    "torch",
)
"""The packages whose version can change a figure."""


def new_run_folder(out: Path | None, dataset: str) -> Path:
    """Make the folder of a new run.

    Args:
        out: The folder, or None for `runs/<dataset>-<UTC timestamp>`.
        dataset: The dataset's name.

    Raises:
        InputError: the folder holds something already, or cannot be made.
    """
    folder = out or Path("runs") / f"{dataset}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot write a run to {folder}: {error.strerror}") from error
    if taken:
        raise InputError(f"{folder} is not empty; a run never overwrites, so name a new folder")
    return folder


def environment() -> dict[str, object]:
    """When and with which versions a run was made."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def public_name(model: str) -> str:
    """A model's name without the folders of this machine, if it is a path."""
    return Path(model).name if Path(model).exists() else model


def write_metrics(folder: Path, metrics: Mapping[str, object]) -> None:
    """Write `metrics.json`, readable and in a fixed order."""
    text = json.dumps(metrics, indent=2, ensure_ascii=False)
    (folder / "metrics.json").write_text(text + "\n", encoding="utf-8")


def format_summary(metrics: Mapping[str, object]) -> str:
    """The figures of a `metrics.json` as lines for people: one a section, one a type."""
    lines = [f"{'run':<24}{metrics['run']}"]
    for name, section in metrics.items():
        if not isinstance(section, dict) or name == "environment":
            continue
        nested = {key: value for key, value in section.items() if isinstance(value, dict)}
        flat = {key: value for key, value in section.items() if key not in nested}
        for label, values in {name: flat, **nested}.items():
            if values:
                figures = "  ".join(f"{key} {_figure(value)}" for key, value in values.items())
                lines.append(f"{label:<24}{figures}")
    return "\n".join(lines)


def _figure(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
