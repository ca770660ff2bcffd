"""A table in the making, as events: what is being done, and at the end the table."""

from collections.abc import Callable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread
from typing import Self

from rag.schema import Progress
from rag.tables.models import Table

Tell = Callable[[Progress], None]


class TableEvents(Iterator[Progress | Table]):
    """What a table tells while it is made in a thread; the last event is the table."""

    def __init__(self, make: Callable[[Tell], Table], stop: Callable[[], None]) -> None:
        """Begin.

        Args:
            make: Makes the table, and tells of it on the way.
            stop: Makes it stop, from any thread.
        """
        self._events: SimpleQueue[Progress | Table | Exception] = SimpleQueue()
        self._make = make
        self._stop = stop
        self._ended = False
        Thread(target=copy_context().run, args=(self._run,), daemon=True).start()

    def _run(self) -> None:
        try:
            self._events.put(self._make(self._events.put))
        except Exception as error:  # noqa: BLE001 - it is raised where the events are read
            self._events.put(error)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Progress | Table:
        """The next event, once there is one; raises what making the table raised."""
        if self._ended:
            raise StopIteration
        event = self._events.get()
        self._ended = not isinstance(event, Progress)
        if isinstance(event, Exception):
            raise event
        return event

    def close(self) -> None:
        """Stop making it, from any thread: whoever waits for the next event gets StoppedError."""
        self._stop()
