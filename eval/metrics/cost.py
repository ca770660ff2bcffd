"""What answering takes: time, tokens, money, memory, disk, energy."""

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from index.manifest import current, generation_folder, no_index
from rag.schema import Answer

POWERCAP = Path("/sys/class/powercap")
"""Where Linux has the processor's energy counters."""

_ZONE = re.compile(r"intel-rapl:\d+")  # AMD's processors are counted under this name too


def percentiles(values: Sequence[float]) -> dict[str, float | None]:
    """The median, the 95th and the 99th percentile, with linear interpolation; None of none."""
    return {f"p{q}": quantile(values, q / 100) for q in (50, 95, 99)}


def quantile(values: Sequence[float], q: float) -> float | None:
    """The `q` quantile, `q` in [0, 1], to three decimals; None of none."""
    return round(float(np.quantile(values, q)), 3) if values else None


def stages(answers: Iterable[Answer]) -> dict[str, float | None]:
    """The percentiles of each stage that answers were timed by, in milliseconds.

    Returns:
        `<stage>_p50`, `<stage>_p95`, `<stage>_p99`, over the answers that went through the stage.
    """
    spent: dict[str, list[float]] = {}
    for answer in answers:
        for stage, elapsed_ms in answer.timings_ms.items():
            spent.setdefault(stage, []).append(elapsed_ms)
    return {
        f"{stage}_{name}": value
        for stage, values in spent.items()
        for name, value in percentiles(values).items()
    }


def tokens(answers: Sequence[Answer]) -> tuple[int, int]:
    """The tokens that chat models read and wrote for the answers."""
    return (
        sum(answer.usage.prompt_tokens for answer in answers),
        sum(answer.usage.completion_tokens for answer in answers),
    )


def cost_usd(answers: Iterable[Answer]) -> float | None:
    """What the answers cost in US dollars; None if that is unknown for any of them.

    An answer that used no tokens cost nothing.
    """
    total = 0.0
    for answer in answers:
        usage = answer.usage
        if usage.cost_usd is not None:
            total += usage.cost_usd
        elif usage.prompt_tokens or usage.completion_tokens:
            return None
    return total


def peak_memory_bytes() -> int | None:
    """The most memory this process has held at once; None where the system does not say.

    The resident set: what lies in memory, shared libraries included. It never falls, so only the
    first of several runs in one process is measured by it.
    """
    if sys.platform == "win32":  # which has no getrusage
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # Linux counts in KiB


def index_bytes(store: Path) -> int:
    """The size on disk of a store's live generation, all its files together.

    Raises:
        StoreError: there is no index.
    """
    generation = current(store)
    if generation is None:
        raise no_index(store)
    files = generation_folder(store, generation).rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file())


class EnergyMeter:
    """The energy that the processor packages take while the block runs, of all processes.

    Linux counts it in µJ (RAPL, `Documentation/power/powercap`), and on most machines lets only
    root read it. A counter that reaches its range begins again at 0; one that does so twice, after
    an hour or more under load, cannot be told from one that did once. The memory modules, and
    domains that hold the packages again, are not counted.
    """

    def __init__(self, folder: Path = POWERCAP) -> None:
        """Use the counters in `folder`."""
        self.joules: float | None = None
        """Set at the end of the block; None where the machine does not say."""
        self._folder = folder
        self._before: dict[Path, int] = {}

    def __enter__(self) -> Self:
        """Read the counters."""
        self._before = self._read()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Read them again."""
        after = self._read()
        if self._before and after.keys() == self._before.keys():
            spent = sum(_spent(zone, self._before[zone], after[zone]) for zone in after)
            self.joules = spent / 1e6

    def _read(self) -> dict[Path, int]:
        """The counter of each processor package, in µJ; empty if one cannot be read."""
        try:
            zones = [zone for zone in self._folder.iterdir() if _ZONE.fullmatch(zone.name)]
            return {
                zone: _number(zone / "energy_uj")
                for zone in zones
                if (zone / "name").read_text(encoding="utf-8").startswith("package")
            }
        except (OSError, ValueError):
            return {}


def _spent(zone: Path, before: int, after: int) -> int:
    return after - before if after >= before else after - before + _range(zone)


def _range(zone: Path) -> int:
    return _number(zone / "max_energy_range_uj")


def _number(path: Path) -> int:
    return int(path.read_text(encoding="utf-8"))
