"""What a generation of the index holds: counts, encoder, and the hash of every file at rest."""

import json
import shlex
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from index.encoder import Encoder
from index.errors import EncoderError, StoreError
from index.hashing import sha256_of
from index.sources import Origin

FORMAT_VERSION = 2
FILE_NAME = "manifest.json"


class Manifest(BaseModel):
    """The last file written into a generation; without it the generation does not count."""

    model_config = ConfigDict(frozen=True)

    format_version: int = FORMAT_VERSION
    generation: str
    previous: str | None = Field(description="The generation this one started from.")
    created: datetime = Field(description="UTC.")
    encoder: str
    weights_hash: str = Field(description="SHA-256 of the encoder's weights, hexadecimal.")
    dimension: int
    space: Literal["cosine"] = "cosine"
    papers: int
    passages: int
    origins: dict[str, Origin] = Field(
        default_factory=dict, description="Name of each source that was a file → that file."
    )
    content: str = Field(default="", description="SHA-256 of the ids and texts of all passages.")
    code: str = Field(default="", description="SHA-256 of the code that cut the papers.")
    vectors: str = Field(default="", description="The file of vectors, relative to the store.")
    records: int = Field(default=0, description="Records in it when this was published.")
    checksums: tuple[int, ...] = Field(
        default=(), description="CRC-32 of each block of those records."
    )
    files: dict[str, str] = Field(
        default_factory=dict, description="Relative path of every other file → its SHA-256."
    )


def hash_files(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file under `folder`, by its path relative to it."""
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_manifest(folder: Path, store: Path) -> Manifest:
    """Read a generation's manifest.

    Raises:
        StoreError: it is missing, damaged, or of a newer format.
    """
    try:
        given = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        version = int(given["format_version"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise damaged(store, f"{folder.name}/{FILE_NAME} cannot be read") from error
    if version > FORMAT_VERSION:
        raise StoreError(
            f"the index at {store} has format {version} and this version of abstractqa reads up to"
            f" {FORMAT_VERSION}: upgrade abstractqa, or give another --store"
        )
    try:
        return Manifest.model_validate(given)
    except ValidationError as error:
        raise damaged(store, f"{folder.name}/{FILE_NAME} cannot be read") from error


def check_files(folder: Path, manifest: Manifest, store: Path) -> None:
    """Check every file of a generation against its hash.

    Raises:
        StoreError: a file is missing or has changed.
    """
    for name, expected in manifest.files.items():
        try:
            found = sha256_of(folder / name)
        except OSError as error:
            raise damaged(store, f"{folder.name}/{name} cannot be read") from error
        if found != expected:
            raise damaged(store, f"{folder.name}/{name} has changed since it was written")


def check_encoder(manifest: Manifest, encoder: Encoder) -> None:
    """Check that `encoder` is the one the index was built with.

    Raises:
        EncoderError: it is another; the message has both names, and both hashes if the names
            are the same.
    """
    if manifest.weights_hash == encoder.weights_hash:
        return
    built, given = f"{manifest.encoder!r}", f"{encoder.name!r}"
    if manifest.encoder == encoder.name:
        built += f" (weights {manifest.weights_hash[:12]})"
        given += f" (weights {encoder.weights_hash[:12]})"
    raise EncoderError(
        f"the index was built with the encoder {built}, not {given}:"
        " set ABSTRACTQA_ENCODER to that one, or index into another --store"
    )


def damaged(store: Path, what: str) -> StoreError:
    """The error for an index that cannot be read, with what mends it."""
    return StoreError(
        f"the index at {store} is damaged ({what}): remove generations and CURRENT in it,"
        f" then run: abstractqa index PATH... --store {shlex.quote(str(store))}"
    )
