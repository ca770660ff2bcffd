"""Who may log in: a file of `name:hash` lines, one a person.

A hash is Argon2id's (RFC 9106), as argon2-cffi writes it, with its parameters and its salt. Empty
lines and lines that begin with # are passed over.
"""

import hmac
import re
import secrets
import stat
from pathlib import Path
from threading import Lock

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from index.errors import InputError

LONGEST_PASSWORD = 1_000
"""Characters; more would only keep the machine busy."""

_NAME = re.compile(r"[\w.@+-]{1,64}")
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's; 19 MiB


class Accounts:
    """The people in a file, read again when it changes; a damaged change keeps the old ones."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            InputError: it cannot be read, a line is none of an account, or there is none.
        """
        self.path = path
        self._lock = Lock()
        self._nobody = _hasher.hash(secrets.token_urlsafe())
        self._secret = secrets.token_bytes()
        self._proofs: dict[str, tuple[str, bytes]] = {}
        self._seen = _state(path)
        self._hashes = _read(path)
        if not self._hashes:
            raise InputError(f"{path}: nobody is in it; add a person with --add-user NAME")

    @property
    def is_open(self) -> bool:
        """Whether other users of this machine can read the file."""
        return bool(self.path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))

    def check(self, name: str, password: str) -> bool:
        """Whether this is the password of that person.

        It takes as long for a wrong password as for an unknown person. A right one is known again
        at once: a program sends it with every request.
        """
        found, password = self._current().get(name), password[: LONGEST_PASSWORD + 1]
        proof = hmac.digest(self._secret, _encoded(password), "sha256")
        known, right = self._proofs.get(name, ("", b""))
        if found and found == known and hmac.compare_digest(proof, right):
            return True
        try:
            _hasher.verify(found or self._nobody, _encoded(password))
        except (VerificationError, InvalidHashError):
            return False
        if found is None:
            return False
        self._proofs[name] = found, proof
        return True

    def knows(self, name: str) -> bool:
        """Whether that person is still in the file."""
        return name in self._current()

    def _current(self) -> dict[str, str]:
        with self._lock:
            try:
                seen = _state(self.path)
                if seen != self._seen:
                    self._hashes, self._seen = _read(self.path), seen
            except InputError:
                pass  # while it is being edited; whoever serves it was told at the start
            return self._hashes


def check_name(name: str) -> None:
    """Refuse a name that cannot stand in the file.

    Raises:
        InputError: it has other signs than letters, digits and a few more, or too many.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name for a login: use letters, digits and . _ - @ +")


def add(path: Path, name: str, password: str) -> bool:
    """Add a person to a file, or give one a new password; the file is made if there is none.

    Returns:
        Whether the person was in it before.

    Raises:
        InputError: the name or the password cannot be used, or the file cannot be read or written.
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
        draft.replace(path)  # at once: a page that reads it meanwhile sees the old or the new one
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InputError(f"{path}: {error.strerror or error}") from error
    return known


def _name(line: str) -> str | None:
    stripped = line.strip()
    return None if stripped.startswith("#") else stripped.partition(":")[0]


def _state(path: Path) -> tuple[int, int, int]:
    """What changes when a file does."""
    try:
        now = path.stat()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    return now.st_mtime_ns, now.st_size, now.st_ino


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
        if not _is_hash(text):
            raise InputError(
                f"{path}:{number}: not a line of a name and a hash; make it with --add-user NAME"
            )
        if not _NAME.fullmatch(name):
            raise InputError(f"{path}:{number}: {name!r} is no name for a login")
        if name in hashes:
            raise InputError(f"{path}:{number}: {name} is there twice; keep one line")
        hashes[name] = text
    return hashes


def _is_hash(text: str) -> bool:
    try:
        return extract_parameters(text).type is Type.ID
    except InvalidHashError:
        return False


def _encoded(password: str) -> bytes:
    return password.encode(errors="surrogatepass")
