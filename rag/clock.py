"""Where the time of an answer goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Milliseconds spent in each step."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step under `name`, one that fails or is given up, too."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.ms[name] = round((time.perf_counter() - start) * 1000, 3)

    def done(self) -> dict[str, float]:
        """All steps, and the total since the clock was made."""
        return {**self.ms, "total": round((time.perf_counter() - self._start) * 1000, 3)}
