"""Files and pasted text that were read but not added yet, each its visitor's alone."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from gradio.utils import get_upload_folder

from index.errors import InputError
from index.readers import Upload

MOST_FILES = 50
MOST_BYTES = 40_000_000
"""Of one draft; a digest has some hundred kilobytes."""
SECONDS_KEPT = 30 * 60
MOST_DRAFTS = 16

GONE = "what was read is not kept any more: choose the files or paste the text again"


def read_uploaded(paths: Sequence[str]) -> tuple[Upload, ...]:
    """The files that a browser sent to Gradio's folder, which are removed from there.

    Raises:
        InputError: there are too many, they are too large, or one is not in that folder.
    """
    folder = Path(get_upload_folder()).resolve()
    files = [Path(path).resolve() for path in paths]
    if any(folder not in file.parents or not file.is_file() for file in files):
        raise InputError("a file did not arrive: choose it again")
    try:
        if len(files) > MOST_FILES:
            raise InputError(f"at most {MOST_FILES} files at a time: choose fewer")
        _check_size(sum(file.stat().st_size for file in files))
        return tuple(Upload(file.name, file.read_bytes()) for file in files)
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def pasted(text: str, name: str) -> tuple[Upload, ...]:
    """Pasted text as a file of this name.

    Raises:
        InputError: there is none, it is too long, or the name is none.
    """
    if not text.strip():
        raise InputError("nothing was pasted: paste a digest, a listing, or records")
    content = text.encode("utf-8", "replace")
    _check_size(len(content))
    return (Upload(name.strip(), content),)


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise InputError(
            f"that is more than {MOST_BYTES // 1_000_000} MB: add it in parts, or by the command"
            " abstractqa index"
        )


@dataclass(frozen=True)
class Draft:
    """What one visitor is about to add."""

    visitor: str
    uploads: tuple[Upload, ...]
    since: float
    """Seconds of the monotonic clock."""


class Drafts:
    """The drafts of all visitors, in memory: one a visitor, each for half an hour."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._drafts: dict[str, Draft] = {}

    def keep(self, visitor: str, uploads: tuple[Upload, ...]) -> str:
        """Keep a draft in place of the visitor's last one.

        Returns:
            The key that `read` and `drop` ask for; it cannot be guessed.
        """
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._forget()
            mine = [k for k, draft in self._drafts.items() if draft.visitor == visitor]
            for old in mine or list(self._drafts)[: max(0, len(self._drafts) - MOST_DRAFTS + 1)]:
                del self._drafts[old]
            self._drafts[key] = Draft(visitor, uploads, time.monotonic())
        return key

    def read(self, visitor: str, key: object) -> tuple[Upload, ...]:
        """The files of a draft.

        Raises:
            InputError: this visitor has no such draft, or not any more.
        """
        with self._lock:
            self._forget()
            draft = self._drafts.get(key) if isinstance(key, str) else None
        if draft is None or draft.visitor != visitor:
            raise InputError(GONE)
        return draft.uploads

    def drop(self, visitor: str, key: object) -> None:
        """Forget a draft, if it is this visitor's."""
        with self._lock:
            draft = self._drafts.get(key) if isinstance(key, str) else None
            if draft is not None and draft.visitor == visitor:
                del self._drafts[str(key)]

    def _forget(self) -> None:
        oldest = time.monotonic() - SECONDS_KEPT
        for key in [key for key, draft in self._drafts.items() if draft.since < oldest]:
            del self._drafts[key]
