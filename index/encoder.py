"""Encode texts as unit vectors: by sentence-transformers, imported when used, or `minilm`."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from index import minilm
from index.errors import EncoderError, first_line
from index.sources import sha256_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
Counted = Callable[[int], None]  # called with the number of texts encoded so far
BATCH = 32
KEPT_TOGETHER = 512  # texts encoded and saved as one batch, which is what a kill loses
FEW = 128  # most texts that the bundled encoder encodes without torch, which takes long to load


def ignore(*_: object) -> None:
    """Do nothing with a count."""


class Encoder(Protocol):
    """An encoder: it turns texts into vectors, and identifies itself."""

    @property
    def name(self) -> str:
        """The encoder's name, as users write it."""

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the weights, hexadecimal; encoders with the same hash are the same."""

    @property
    def dimension(self) -> int:
        """The length of the encoder's vectors."""

    @property
    def together(self) -> int:
        """Number of texts to encode and save as one batch."""

    def encode(self, texts: Sequence[str], *, progress: Counted = ignore) -> Vectors:
        """Encode texts as unit vectors, shape (len(texts), d); `progress` gets the number done."""

    def encode_query(self, text: str) -> Vectors:
        """Encode a question as a unit vector, shape (d,)."""


def open_encoder(name: str, key: str | None = None) -> Encoder:
    """Open an endpoint, `ADDRESS#MODEL`, or a local encoder; raises as `LocalEncoder.open`."""
    if name.startswith(("http://", "https://")):
        from index.remote import RemoteEncoder  # imported here: most encoders are local

        return RemoteEncoder(name, key)
    return LocalEncoder.open(name)


class LocalEncoder:
    """A sentence-transformers model, the bundled all-MiniLM-L6-v2 or another."""

    together = KEPT_TOGETHER

    def __init__(self, name: str, folder: Path, weights_hash: str) -> None:
        """Use `open` instead."""
        self.name, self.folder, self.weights_hash = name, folder, weights_hash
        self._is_bundled = name == minilm.NAME
        self._model: SentenceTransformer | None = None
        # Neither loading nor the tokenizers of sentence-transformers are thread-safe.
        self._lock = Lock()

    @classmethod
    def open(cls, name: str) -> Self:
        """Open the encoder `name`: the bundled one, a local folder, or a model hub's id.

        It is loaded when first used. Raises `EncoderError` if there is no such encoder here or on
        the hub, or its weights are damaged.
        """
        if name in {minilm.NAME, f"sentence-transformers/{minilm.NAME}"}:
            folder = minilm.bundled_folder()
            return cls(minilm.NAME, folder, minilm.check_weights(folder))
        folder = _find(name)
        return cls(name, folder, _hash(name, folder))

    @property
    def dimension(self) -> int:
        """The length of the vectors; the first use loads a model that is not bundled."""
        if self._is_bundled:
            return minilm.DIMENSION
        with self._lock:
            return int(self._load_model().get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str], *, progress: Counted = ignore) -> Vectors:
        """Encode texts to index as unit vectors, shape (n, dimension).

        Raises `EncoderError` if the model cannot be loaded, or gave a vector that is not finite.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        # So that little padding is wasted.
        longest_first = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        is_light = self._is_bundled and self._model is None and len(texts) <= FEW
        step = 1 if is_light else BATCH
        for at in range(0, len(texts), step):
            rows = longest_first[at : at + step]
            if is_light:
                vectors[rows] = self.encode_query(texts[rows[0]])
            else:
                batch = [texts[row] for row in rows]
                with self._lock:
                    encode = self._load_model().encode_document
                    vectors[rows] = encode(batch, batch_size=BATCH, show_progress_bar=False)
            progress(at + len(rows))
        return self._normalise(vectors)

    def encode_query(self, text: str) -> Vectors:
        """Encode a question as a unit vector, shape (dimension,); raises as `encode`."""
        with self._lock:
            if self._is_bundled:
                vector = minilm.shared(self.folder).encode(text)
            else:
                vector = self._load_model().encode_query(text, show_progress_bar=False)
        return self._normalise(np.asarray(vector, dtype=np.float32))

    def _normalise(self, vectors: Vectors) -> Vectors:
        if not np.isfinite(vectors).all():
            raise EncoderError(f"the encoder {self.name} returned a vector that is not finite")
        # Normalised here in float32: in half precision, lengths would differ from 1.
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

    def _load_model(self) -> "SentenceTransformer":
        """Return the model, loaded at first use; the caller holds the lock."""
        if self._model is None:
            # Imported here: it brings torch and takes 5-10 s.
            from safetensors import SafetensorError
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call] # untyped there
            try:
                self._model = SentenceTransformer(
                    str(self.folder), local_files_only=True, model_kwargs=_precision()
                )
            except (
                OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError,
                ImportError, SafetensorError,
            ) as error:  # fmt: skip
                what = f"the encoder {self.name} cannot be loaded from {self.folder}"
                raise EncoderError(f"{what} ({first_line(error)})") from error
        return self._model


def _precision() -> dict[str, object]:
    """Choose bfloat16 weights where they are faster; they turn vectors by less than a degree."""
    import torch

    is_fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return {"dtype": torch.bfloat16} if is_fast and not torch.cuda.is_available() else {}


def _find(name: str) -> Path:
    """Return the folder of the model `name`: a local one, in the hub's cache, or downloaded."""
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if name.startswith(("/", ".", "~")) or name.count("/") > 1:
        raise EncoderError(f"no encoder at {name}: give a folder that contains a model")
    # Imported here: it takes most of a second, and the bundled encoder needs no hub.
    from huggingface_hub import model_info, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    client_error: type[Exception] = HfHubHTTPError.__mro__[1]  # of the installed HTTP client
    repository = name if "/" in name else f"sentence-transformers/{name}"
    with suppress(OSError, ValueError):  # it is not in the cache: ask the hub
        return Path(snapshot_download(repository, local_files_only=True))
    try:
        # First one short request: without a network, a download would retry for minutes.
        model_info(repository, timeout=5)
        others = "onnx/* openvino/* *.h5 *.msgpack *.ot *.onnx *.tflite".split()
        return Path(snapshot_download(repository, ignore_patterns=others))
    except (OSError, ValueError, RuntimeError, client_error) as error:
        what = f"no encoder {name!r} on this machine, and it could not be downloaded"
        remedy = f"check the name, or use {minilm.NAME}, which is bundled"
        raise EncoderError(f"{what} ({first_line(error)}): {remedy}") from error


def _hash(name: str, folder: Path) -> str:
    """Return the SHA-256 of the folder's weight files, concatenated in the order of their paths."""
    found = (*folder.rglob("*.safetensors"), *folder.rglob("*.bin"))
    others = {"onnx", "openvino"}
    files = sorted(path for path in found if others.isdisjoint(path.relative_to(folder).parts))
    if not files:
        raise EncoderError(f"the encoder {name} has no weight files in {folder}")
    try:
        return sha256_of(*files)
    except OSError as error:
        raise EncoderError(f"the encoder {name} cannot be read: {first_line(error)}") from error
