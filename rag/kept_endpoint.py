"""A chat model's endpoint that was entered on the page, kept for the next start.

Address, key and model are one thing: a key goes to no other address than the one it was given for.
So all three come from the file, or none.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from index.errors import InputError, StoreError

NAME = "chat-model.env"
"""The file in the data folder; it has the form of `.env`, and is its owner's alone."""
VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "ABSTRACTQA_CHAT_MODEL")


@dataclass(frozen=True)
class ChatEndpoint:
    """Where a chat model is asked."""

    address: str
    key: str = field(repr=False)
    """Empty if the endpoint needs none."""
    model: str


def read_endpoint(folder: Path) -> ChatEndpoint | None:
    """The endpoint that is kept in `folder`, if any.

    Raises:
        InputError: the file cannot be read.
    """
    path = folder / NAME
    try:
        if not path.exists():
            return None
        kept = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: delete it, or mend it") from error
    address, key, model = (kept.get(name) or "" for name in VARIABLES)
    return ChatEndpoint(address, key, model) if address and model else None


def is_kept(folder: Path) -> bool:
    """Whether an endpoint is kept in `folder`."""
    try:
        return read_endpoint(folder) is not None
    except InputError:
        return True  # it is there, and cannot be read


def keep_endpoint(folder: Path, endpoint: ChatEndpoint) -> Path:
    """Write it to the file, which nobody but its owner can read; returns the path.

    Raises:
        StoreError: the file cannot be written.
    """
    path = folder / NAME
    values = (endpoint.address, endpoint.key, endpoint.model)
    escaped = (value.replace("\\", "\\\\").replace("'", "\\'") for value in values)
    lines = [f"{name}='{value}'\n" for name, value in zip(VARIABLES, escaped, strict=True)]
    beside = path.with_name(f"{NAME}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        # Made anew, so that it never is what somebody else has opened or linked.
        opened = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.writelines(lines)
        beside.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def forget_endpoint(folder: Path) -> None:
    """Delete the file, if there is one.

    Raises:
        StoreError: it cannot be deleted.
    """
    path = folder / NAME
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot delete {path}: {error.strerror or error}") from error
