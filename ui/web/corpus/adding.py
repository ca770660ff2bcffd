"""Adding papers: reading what was sent, and indexing it in a thread while its progress is told."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from queue import Empty, SimpleQueue
from threading import Thread

from index.build import BuildReport, Stage, build
from index.encoder import Encoder, open_encoder
from index.plan import Preview, preview
from index.readers import Upload
from rag.settings import Settings
from ui.indexing import bring_to_chroma

SECONDS_BETWEEN_STEPS = 0.15


@dataclass(frozen=True)
class Step:
    """How far indexing is."""

    stage: Stage
    done: int
    total: int
    """0 while it is not known."""


class Adding:
    """Reads and indexes uploads into one store."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = settings.store

    @cached_property
    def _encoder(self) -> Encoder:
        return open_encoder(self._settings.encoder, self._settings.secret_of_encoder)

    def preview(self, uploads: tuple[Upload, ...], year: int | None) -> Preview:
        """What adding them would do; nothing is written.

        Raises:
            InputError: no paper could be read, or the year cannot be used.
            StoreError: the store cannot be read.
        """
        return preview(uploads, self._store, year=year)

    def add(self, uploads: tuple[Upload, ...], year: int | None) -> Iterator[Step | BuildReport]:
        """Index them: some steps on the way, and last the report.

        Indexing goes on if the iterator is closed: the index then changes a little later.

        Raises:
            AbstractQAError: see `index.build.build`; nothing was changed then.
        """
        told: SimpleQueue[Step | BuildReport | Exception] = SimpleQueue()

        def work() -> None:
            try:
                report = build(
                    uploads,
                    self._store,
                    self._encoder,
                    year=year,
                    progress=lambda *step: told.put(Step(*step)),
                )
                bring_to_chroma(self._settings)
                told.put(report)
            except Exception as error:  # noqa: BLE001 - raised again where it is waited for
                told.put(error)

        Thread(target=work, daemon=True).start()
        shown = 0.0
        while True:
            last = _newest(told)
            if isinstance(last, Exception):
                raise last
            if isinstance(last, BuildReport):
                yield last
                return
            time.sleep(max(0.0, shown + SECONDS_BETWEEN_STEPS - time.monotonic()))
            shown = time.monotonic()
            yield last


def _newest(
    told: "SimpleQueue[Step | BuildReport | Exception]",
) -> "Step | BuildReport | Exception":
    """The last thing told; waits for one. What comes after a report or an error is nothing."""
    last = told.get()
    try:
        while isinstance(last, Step):
            last = told.get_nowait()
    except Empty:
        pass
    return last
