"""Encoding on a Ray cluster: the texts of an index in batches, over as many workers as it has.

Ray is optional (`pip install 'abstractqa[ray]'`). Reading, counting words and writing stay where
the command runs; they take seconds where encoding takes hours.
"""

import socket
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from index.encoder import Encoder, Vectors
from index.errors import EncoderError, InputError

if TYPE_CHECKING:
    from types import ModuleType

BATCH = 256
"""Texts that a worker encodes at once."""
WAITING = 2
"""Batches that wait for each worker: enough that none is idle, and few in memory."""
REACHED_SECONDS = 5.0
RETRIES = 5
"""Times that a batch is given to a worker again when one died with it."""


class RayEncoder:
    """An encoder whose texts to index are encoded by the workers of a Ray cluster."""

    def __init__(self, make: Callable[[], Encoder], address: str | None = None) -> None:
        """Connect to a cluster, or begin one on this machine.

        Args:
            make: Makes the encoder, here and in each worker.
            address: The cluster's, such as `ray://host:10001` or `auto`; by default it is this
                machine.

        Raises:
            InputError: Ray is not installed, or the cluster cannot be reached.
        """
        self._here = make()
        self.name, self.weights_hash = self._here.name, self._here.weights_hash
        self._make = make
        self._ray = _connected(address)

    @property
    def dimension(self) -> int:
        """The length of its vectors."""
        return self._here.dimension

    @property
    def together(self) -> int:
        """Texts that are encoded, and kept, at once."""
        return 4 * BATCH * len(self.workers)

    def encode_query(self, text: str) -> Vectors:
        """The unit vector of a question, made here, shape (dimension,)."""
        return self._here.encode_query(text)

    @cached_property
    def workers(self) -> list[Any]:
        """An actor for each GPU of the cluster, or for each processor if it has none."""
        resources = self._ray.cluster_resources()
        gpus, processors = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
        needs = {"num_gpus": 1} if gpus else {"num_cpus": 1}
        worker = self._ray.remote(_Worker).options(
            max_restarts=-1, max_task_retries=RETRIES, **needs
        )
        return [worker.remote(self._make) for _ in range(gpus or max(1, processors))]

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Unit vectors of texts, shape (len(texts), dimension).

        Each batch comes back once: one whose worker died is encoded by another.

        Raises:
            EncoderError: a worker cannot encode, or too many died.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        left = list(range(0, len(texts), BATCH))[::-1]
        under_way: dict[Any, tuple[int, Any]] = {}
        free = self.workers * WAITING
        done = 0
        while left or under_way:
            while left and free:
                at, worker = left.pop(), free.pop()
                under_way[worker.encode.remote(list(texts[at : at + BATCH]))] = (at, worker)
            (ready, *_), _ = self._ray.wait(list(under_way))
            at, worker = under_way.pop(ready)
            try:
                rows = self._ray.get(ready)
            except self._ray.exceptions.RayError as error:
                cause = (str(error).strip().splitlines() or [type(error).__name__])[-1][:160]
                raise EncoderError(f"a worker on Ray cannot encode ({cause})") from error
            vectors[at : at + len(rows)] = rows
            free.append(worker)
            done += len(rows)
            if progress:
                progress(done)
        return vectors

    def close(self) -> None:
        """Let the workers go, and a cluster that began here."""
        self._ray.shutdown()


class _Worker:
    """What encodes in a process of the cluster."""

    def __init__(self, make: Callable[[], Encoder]) -> None:
        self._encoder = make()

    def encode(self, texts: list[str]) -> Vectors:
        """The vectors of a batch."""
        return self._encoder.encode(texts)


def _connected(address: str | None) -> "ModuleType":
    try:
        import ray
    except ImportError as error:
        raise InputError(
            "Ray is not installed: run pip install 'abstractqa[ray]', or leave --engine out"
        ) from error
    try:
        parts = urlsplit(address if address and "://" in address else f"//{address or ''}")
        if parts.hostname and parts.port:  # Ray itself tries for minutes
            socket.create_connection((parts.hostname, parts.port), REACHED_SECONDS).close()
        if address is None:
            ray.init("local", log_to_driver=False, include_dashboard=False)
        else:
            ray.init(address, log_to_driver=False)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise InputError(f"no Ray cluster at {address or 'this machine'} ({reason})") from error
    module: ModuleType = ray
    return module
