"""Find the live generation of a store, and read and check its manifest and files."""

import json
import re
import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field

from index.catalog import Papers
from index.encoder import Encoder
from index.errors import EncoderError, StoreError
from index.sources import Origin, sha256_of, source_name

FORMAT_VERSION = 3
FILE_NAME = "manifest.json"
CURRENT = "CURRENT"
LOCK = "LOCK"
GENERATIONS = "generations"
VECTORS = "vectors"
UNFINISHED = ".tmp"  # the suffix of a generation's folder while it is being written
_T = TypeVar("_T")
_ID = r"\d{8}T\d{6}-[0-9a-f]{8}"
_OURS = {CURRENT, f"{CURRENT}.tmp", LOCK, GENERATIONS, VECTORS}


class Manifest(BaseModel, frozen=True):
    """The last file written into a generation, which is invalid without it."""

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
    origins: dict[str, Origin] = Field({}, description="Name of a source that was a file → it.")
    run: dict[str, Any] = Field({}, description="Key of the run, and what it would do again.")
    content: str = Field(default="", description="SHA-256 of the ids and texts of all passages.")
    code: str = Field(default="", description="SHA-256 of the code that cut the papers.")
    vectors: str = Field(default="", description="The file of vectors, relative to the store.")
    records: int = Field(default=0, description="Records in it when this was published.")
    checksums: tuple[int, ...] = Field((), description="CRC-32 of each block of those records.")
    files: dict[str, str] = Field({}, description="Path of every other file here → its SHA-256.")


def current(store: Path) -> str | None:
    """Return the id of the live generation, None if nothing was published.

    If `CURRENT` is lost, the newest is live. `StoreError` if the folder is unreadable or no store.
    """
    try:
        given = (store / CURRENT).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        given = None
    except (IsADirectoryError, UnicodeDecodeError):
        given = ""
    except (OSError, ValueError) as error:
        raise unreadable(store, error) from error
    if given is not None and re.fullmatch(_ID, given):
        return given
    folders = (folder for folder in own_generations(store) if (folder / FILE_NAME).is_file())
    finished = [folder.name for folder in folders if folder.suffix != UNFINISHED]
    if given is not None and not finished:
        raise _not_a_store(store, CURRENT)
    return finished[-1] if finished else None


def own_generations(store: Path) -> list[Path]:
    """Return this program's folders in `generations/`, finished or not, oldest first."""
    return [path for path in _entries(store / GENERATIONS) if _is_generation(path)]


def _is_generation(path: Path) -> bool:
    is_id = bool(re.fullmatch(_ID, path.name.removesuffix(UNFINISHED)))
    return is_id and path.is_dir() and not path.is_symlink()


def _entries(folder: Path) -> list[Path]:
    """Return the paths in a folder, by name; none if there is no such folder."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise unreadable(folder, error) from error


def check_is_store(store: Path) -> None:
    """Check that `store` is a store or could become one: missing, empty, or with hidden files only.

    Raises `StoreError` if it is a file or has other files in it, or its name is not UTF-8.
    """
    try:
        str(store).encode()
    except UnicodeEncodeError as error:
        name = source_name(store)
        raise StoreError(f"the folder name {name} is not UTF-8: choose another --store") from error
    entries = _entries(store)
    if not entries and store.is_file():
        raise StoreError(f"{store} is a file, not an index folder: choose another --store")
    if current(store) is not None:
        return
    generations = store / GENERATIONS
    foreign = [path for path in entries if path.name not in _OURS]
    foreign += [generations] if generations.is_file() else []
    foreign += [path for path in _entries(generations) if not _is_generation(path)]
    for path in foreign:
        if not (path.name.startswith(".") and path.is_file()):
            raise _not_a_store(store, path.relative_to(store).as_posix())


def _not_a_store(store: Path, held: str) -> StoreError:
    what = f"{store} is not an index folder (it contains {held!r})"
    return StoreError(f"{what}: choose another --store")


def unreadable(store: Path, error: OSError | ValueError) -> StoreError:
    """Return the error for a folder that the operating system fails to read."""
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return StoreError(f"{store} cannot be read ({why}): choose another --store")


def _command(store: Path) -> str:
    return f"abstractqa index PATH... --store {shlex.quote(str(store))}"


def no_index(store: Path) -> StoreError:
    """Return the error for a store in which nothing was published."""
    return StoreError(f"no index at {store}: run {_command(store)}")


def damaged(store: Path, what: str) -> StoreError:
    """Return the error for a damaged index, with the steps that repair it."""
    remedy = f"delete generations and CURRENT in it, then run: {_command(store)}"
    return StoreError(f"the index at {store} is damaged ({what}): {remedy}")


def read_manifest(store: Path, generation: str) -> Manifest:
    """Read a generation's manifest; `StoreError` if it is missing, damaged or of another format."""
    try:
        given = json.loads((store / GENERATIONS / generation / FILE_NAME).read_text("utf-8"))
        version = int(given["format_version"])
        if version == FORMAT_VERSION:
            return Manifest.model_validate(given)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise damaged(store, f"{generation}/{FILE_NAME} cannot be read") from error
    remedy = "upgrade abstractqa, or choose another --store"
    if version < FORMAT_VERSION:
        remedy = f"delete generations, vectors and CURRENT in it, then run: {_command(store)}"
    what = f"has format {version}, but this version of abstractqa reads {FORMAT_VERSION}"
    raise StoreError(f"the index at {store} {what}: {remedy}")


def hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file under `folder`, by its path relative to it."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def check_files(store: Path, manifest: Manifest) -> None:
    """Check the hash of every file of a generation: `StoreError` if one is missing or changed."""
    for name, expected in manifest.files.items():
        file = f"{manifest.generation}/{name}"
        try:
            is_same = sha256_of(store / GENERATIONS / file) == expected
        except OSError as error:
            raise damaged(store, f"{file} cannot be read") from error
        if not is_same:
            raise damaged(store, f"{file} has changed since it was written")


def check_encoder(manifest: Manifest, encoder: Encoder) -> None:
    """Raise an `EncoderError` if `encoder` is not the one the index was built with."""
    if manifest.weights_hash == encoder.weights_hash:
        return
    built, given = f"{manifest.encoder!r}", f"{encoder.name!r}"
    if manifest.encoder == encoder.name:
        built += f" (weights {manifest.weights_hash[:12]})"
        given += f" (weights {encoder.weights_hash[:12]})"
    remedy = "set ABSTRACTQA_ENCODER to that one, or index into another --store"
    raise EncoderError(f"the index was built with the encoder {built}, not {given}: {remedy}")


def read_papers(store: Path, generation: str) -> tuple[Manifest, Papers]:
    """Check a generation's files and read its manifest and papers, or raise `StoreError`."""
    manifest = read_manifest(store, generation)
    check_files(store, manifest)
    try:
        return manifest, Papers.load(store / GENERATIONS / generation)
    except OSError as error:
        raise unreadable(store, error) from error


def live_generation(store: Path) -> str:
    """Return the id of the live generation; `StoreError` if there is none, or it is no store."""
    check_is_store(store)
    if (generation := current(store)) is None:
        raise no_index(store)
    return generation


def live_papers(store: Path) -> tuple[Manifest | None, Papers | tuple[()]]:
    """Read the live generation's manifest and papers, if any; raises as `read_papers`."""
    return read_live(store, read_papers) if current(store) else (None, ())


def read_live(store: Path, read: Callable[[Path, str], _T]) -> _T:
    """Return the result of `read` for the store and its live generation; `StoreError` if none."""
    while True:
        generation = live_generation(store)
        try:
            return read(store, generation)
        except StoreError:
            # Another process may have published twice and removed the files while they were read.
            if current(store) in {None, generation}:
                raise
