"""Encode texts on other machines: at an OpenAI-compatible endpoint, or on a Ray cluster."""

import hashlib
import socket
from collections.abc import Callable, Sequence
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

import numpy as np

from index.encoder import KEPT_TOGETHER, Counted, Encoder, Vectors, ignore
from index.errors import EncoderError, InputError, first_line

if TYPE_CHECKING:
    from openai import OpenAI

BATCH = 128  # texts in one request
MOST_CHARACTERS = 8000  # endpoints refuse more tokens than their model reads
TIMEOUT_SECONDS = 60.0
RAY_BATCH = 256  # texts that a worker encodes at once


def address(text: str) -> SplitResult | None:
    """Return the parts of an HTTP or HTTPS address; None if the text is not one."""
    try:
        parts = urlsplit(text)
        is_valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if is_valid else None


class RemoteEncoder:
    """A model that turns texts into vectors behind an OpenAI-compatible endpoint."""

    together = KEPT_TOGETHER

    def __init__(self, place: str, key: str | None = None) -> None:
        """Set the place, `http://127.0.0.1:8080/v1#bge-small`; `EncoderError` if it is invalid."""
        self._url, _, self.name = place.partition("#")
        parts = address(self._url)
        if parts is None or not self.name:
            remedy = "write http://HOST:PORT/v1#MODEL"
            raise EncoderError(f"the encoder {place!r} is not a valid address: {remedy}")
        if parts.username or parts.password:
            remedy = "put it in ABSTRACTQA_ENCODER_KEY"
            raise EncoderError(f"the encoder's address contains a password: {remedy}")
        self._key = key

    @cached_property
    def weights_hash(self) -> str:
        """SHA-256 of the model's name and its vectors' length: the weights cannot be read."""
        return hashlib.sha256(f"{self.name}\n{self.dimension}".encode()).hexdigest()

    @cached_property
    def dimension(self) -> int:
        """The length of the vectors; the first use makes a request."""
        return int(self._vectors(["length"]).shape[1])

    def encode(self, texts: Sequence[str], *, progress: Counted = ignore) -> Vectors:
        """Encode texts as unit vectors, shape (n, d); `EncoderError` if the endpoint fails."""
        parts = []
        for at in range(0, len(texts), BATCH):
            parts.append(self._vectors(texts[at : at + BATCH]))
            progress(min(at + BATCH, len(texts)))
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), dtype=np.float32)

    def encode_query(self, text: str) -> Vectors:
        """Encode a question as a unit vector, shape (dimension,); raises as `encode`."""
        return np.asarray(self._vectors([text])[0])

    @cached_property
    def _client(self) -> "OpenAI":
        from openai import OpenAI  # imported here: most encoders are local

        key, seconds = self._key or "none", TIMEOUT_SECONDS
        return OpenAI(base_url=self._url, api_key=key, timeout=seconds, max_retries=3)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        from httpx import InvalidURL
        from openai import OpenAIError

        given = [text[:MOST_CHARACTERS] or " " for text in texts]
        try:
            create = self._client.embeddings.create
            reply = create(model=self.name, input=given, encoding_format="float")
            rows = sorted(reply.data, key=lambda each: each.index)
            vectors = np.asarray([row.embedding for row in rows], dtype=np.float32)
        except (OpenAIError, InvalidURL, ValueError, TypeError, AttributeError) as error:
            what = f"the encoder {self.name} at {self._url} did not answer ({first_line(error)})"
            raise EncoderError(what) from error
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        is_matrix = vectors.ndim == 2 and len(vectors) == len(texts)
        if not (is_matrix and np.all((lengths > 0) & np.isfinite(lengths))):
            what = f"{len(vectors)} vectors for {len(texts)} texts, or some zero or not finite"
            raise EncoderError(f"the encoder {self.name} at {self._url} returned {what}")
        return np.asarray(vectors / lengths, dtype=np.float32)


class RayEncoder:
    """An encoder that encodes the texts to index on the workers of a Ray cluster."""

    def __init__(self, make: Callable[[], Encoder], address: str | None = None) -> None:
        """Connect to a cluster, `ray://host:10001`, or start one; `InputError` without Ray."""
        self._make, self._local = make, make()
        self.name, self.weights_hash = self._local.name, self._local.weights_hash
        self._ray = _connect(address)

    @property
    def dimension(self) -> int:
        """The length of the vectors."""
        return self._local.dimension

    @property
    def together(self) -> int:
        """Number of texts to encode and save as one batch."""
        return 4 * RAY_BATCH * len(self.workers)

    def encode_query(self, text: str) -> Vectors:
        """Encode a question here, not on a worker, as a unit vector, shape (dimension,)."""
        return self._local.encode_query(text)

    @cached_property
    def workers(self) -> list[Any]:
        """One actor for each GPU of the cluster, or for each processor if it has no GPU."""
        resources = self._ray.cluster_resources()
        gpus, processors = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
        needs = {"num_gpus": 1} if gpus else {"num_cpus": 1}
        # If a worker dies, its batch is tried again, five times at most.
        worker = self._ray.remote(_Worker).options(max_restarts=-1, max_task_retries=5, **needs)
        return [worker.remote(self._make) for _ in range(gpus or max(1, processors))]

    def encode(self, texts: Sequence[str], *, progress: Counted = ignore) -> Vectors:
        """Encode texts as unit vectors, shape (n, d); `EncoderError` if the workers fail."""
        from ray.util import ActorPool

        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        batches = [texts[at : at + RAY_BATCH] for at in range(0, len(texts), RAY_BATCH)]
        done = 0
        try:
            pool = ActorPool(self.workers * 2)  # two batches each, so that none is idle
            for rows in pool.map(lambda worker, batch: worker.encode.remote(list(batch)), batches):
                vectors[done : done + len(rows)] = rows
                done += len(rows)
                progress(done)
        except self._ray.exceptions.RayError as error:
            cause = (str(error).strip().splitlines() or [type(error).__name__])[-1][:160]
            raise EncoderError(f"a Ray worker could not encode ({cause})") from error
        return vectors

    def close(self) -> None:
        """Stop the workers, and a cluster that was started here."""
        self._ray.shutdown()


class _Worker:
    def __init__(self, make: Callable[[], Encoder]) -> None:
        self._encoder = make()

    def encode(self, texts: list[str]) -> Vectors:
        return self._encoder.encode(texts)


def _connect(address: str | None) -> ModuleType:
    try:
        import ray
    except ImportError as error:
        remedy = "run pip install 'abstractqa[ray]', or omit --engine"
        raise InputError(f"Ray is not installed: {remedy}") from error
    try:
        parts = urlsplit(address if address and "://" in address else f"//{address or ''}")
        if parts.hostname and parts.port:  # Ray itself tries for minutes
            socket.create_connection((parts.hostname, parts.port), timeout=5).close()
        where, dashboard = ("local", False) if address is None else (address, None)
        ray.init(where, log_to_driver=False, include_dashboard=dashboard)
    except (OSError, ValueError, RuntimeError) as error:
        place = address or "this machine"
        raise InputError(f"no Ray cluster at {place} ({first_line(error)})") from error
    module: ModuleType = ray
    return module
