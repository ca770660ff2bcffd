"""Check passwords by a file of `name:hash` lines, of Argon2id (RFC 9106) by argon2-cffi.

Empty lines of the file and those that begin with # are skipped.
"""

import secrets
import stat
from contextlib import suppress
from pathlib import Path

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from index.errors import InputError

LONGEST_PASSWORD = 1_000  # characters; hashing more would only cost time
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's; 19 MiB


class Accounts:
    """The accounts in a file, read at each use; while the file is damaged the last ones count."""

    def __init__(self, path: Path) -> None:
        """Read the file; raise `InputError` if it is unreadable, has a bad line or no account."""
        self.path = path
        self._nobody = _hasher.hash(secrets.token_urlsafe())
        self._hashes = _read(path)
        if not self._hashes:
            raise InputError(f"{path}: it has no accounts; add one with --add-user NAME")

    @property
    def is_open(self) -> bool:
        """Whether other users of this machine can read the file."""
        return bool(self.path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))

    def check(self, name: str, password: str) -> bool:
        """Return whether this is that person's password; for an unknown one it takes as long."""
        found, password = self._current().get(name), password[: LONGEST_PASSWORD + 1]
        try:
            _hasher.verify(found or self._nobody, password.encode(errors="surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False
        return found is not None

    def knows(self, name: str) -> bool:
        """Return whether that person is in the file now."""
        return name in self._current()

    def _current(self) -> dict[str, str]:
        with suppress(InputError):  # while it is being edited
            self._hashes = _read(self.path)
        return self._hashes


def check_name(name: str) -> None:
    """Raise an `InputError` for a name that is not allowed in the file."""
    if not _is_name(name):
        raise InputError(f"{name!r} is not a login name: use letters, digits and . _ - @ +")


def add(path: Path, name: str, password: str) -> bool:
    """Add a person to a file, or change their password; return whether they were in it before.

    The file is made if it is missing. Raises an `InputError` for what cannot be used.
    """
    check_name(name)
    if not password:
        raise InputError("the password is empty")
    if len(password) > LONGEST_PASSWORD:
        raise InputError(f"the password is too long: at most {LONGEST_PASSWORD:,} characters")
    old = _lines(path) if path.exists() else []
    known = name in map(_name, old)
    line = f"{name}:{_hasher.hash(password.encode(errors='surrogatepass'))}"
    new = [line if _name(each) == name else each for each in old]
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text("\n".join(new if known else [*new, line]) + "\n", encoding="utf-8")
        draft.replace(path)  # atomic: a reader sees the old file or the new one
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InputError(f"{path}: {error.strerror or error}") from error
    return known


def _is_name(text: str) -> bool:
    return 0 < len(text) <= 64 and all(sign.isalnum() or sign in "._-@+" for sign in text)


def _name(line: str) -> str | None:
    stripped = line.strip()
    return None if stripped.startswith("#") else stripped.partition(":")[0]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: it is not UTF-8 text") from error


def _read(path: Path) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, text = line.strip().partition(":")
        is_hash = False
        with suppress(InvalidHashError):
            is_hash = extract_parameters(text).type is Type.ID
        if not is_hash:
            raise InputError(f"{path}:{number}: not a name:hash line; make it with --add-user NAME")
        if not _is_name(name):
            raise InputError(f"{path}:{number}: {name!r} is not a login name")
        if name in hashes:
            raise InputError(f"{path}:{number}: {name} is listed twice; keep one line")
        hashes[name] = text
    return hashes
