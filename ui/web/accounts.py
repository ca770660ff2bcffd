"""Who may log in: a file of `name:hash` lines, one a person.

A hash is scrypt's (RFC 7914) with its parameters and its salt, so that older lines stay good when
the parameters grow: `scrypt$16384$8$5$<salt>$<key>`, both in base64. Empty lines and lines that
begin with # are passed over.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

from index.errors import InputError

LONGEST_PASSWORD = 1_000
"""Characters; more would only keep the machine busy."""

_NAME = re.compile(r"[\w.@+-]{1,64}")
_COST, _BLOCK, _LANES = 2**14, 8, 5  # 16 MiB and about 0.2 s (OWASP, Password Storage)
_MOST_COST, _MOST_BLOCK, _MOST_LANES = 2**20, 32, 16
_SALT_BYTES = 16
_KEY_BYTES = 32


@dataclass(frozen=True)
class _Hash:
    cost: int
    block: int
    lanes: int
    salt: bytes
    key: bytes

    @classmethod
    def of(cls, password: str) -> Self:
        salt = secrets.token_bytes(_SALT_BYTES)
        empty = cls(_COST, _BLOCK, _LANES, salt, b"")
        return cls(_COST, _BLOCK, _LANES, salt, empty.derive(password, _KEY_BYTES))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read one as `str` writes it; raises ValueError if it is none."""
        kind, cost, block, lanes, salt, key = text.split("$")
        read = cls(int(cost), int(block), int(lanes), _decoded(salt), _decoded(key))
        if kind != "scrypt" or len(read.salt) < 8 or not 16 <= len(read.key) <= 64:
            raise ValueError(kind)
        if not (2 <= read.cost <= _MOST_COST and read.cost & (read.cost - 1) == 0):
            raise ValueError(cost)
        if not (1 <= read.block <= _MOST_BLOCK and 1 <= read.lanes <= _MOST_LANES):
            raise ValueError(block)
        return read

    def __str__(self) -> str:
        salt, key = (base64.b64encode(part).decode() for part in (self.salt, self.key))
        return f"scrypt${self.cost}${self.block}${self.lanes}${salt}${key}"

    def derive(self, password: str, length: int) -> bytes:
        return hashlib.scrypt(
            password.encode(errors="surrogatepass"),
            salt=self.salt,
            n=self.cost,
            r=self.block,
            p=self.lanes,
            maxmem=256 * self.cost * self.block * self.lanes,
            dklen=length,
        )

    def fits(self, password: str) -> bool:
        return hmac.compare_digest(self.derive(password, len(self.key)), self.key)


class Accounts:
    """The people in a file, read again when it changes; a damaged change keeps the old ones."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            InputError: it cannot be read, a line is none of an account, or there is none.
        """
        self.path = path
        self._lock = Lock()
        self._nobody = _Hash.of(secrets.token_urlsafe())
        self._secret = secrets.token_bytes()
        self._proofs: dict[str, tuple[_Hash, bytes]] = {}
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
        proof = hmac.digest(self._secret, password.encode(errors="surrogatepass"), "sha256")
        known, right = self._proofs.get(name, (None, b""))
        if found is not None and found is known and hmac.compare_digest(proof, right):
            return True
        fits = (found or self._nobody).fits(password)
        if found is None or not fits:
            return False
        self._proofs[name] = found, proof
        return True

    def knows(self, name: str) -> bool:
        """Whether that person is still in the file."""
        return name in self._current()

    def _current(self) -> dict[str, _Hash]:
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
        InputError: the name or the password cannot be used, or the file is damaged.
    """
    check_name(name)
    if not password:
        raise InputError("the password is empty")
    if len(password) > LONGEST_PASSWORD:
        raise InputError(f"the password is too long: at most {LONGEST_PASSWORD:,} characters")
    known = name in _read(path) if path.exists() else False
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    line = f"{name}:{_Hash.of(password)}"
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


def _read(path: Path) -> dict[str, _Hash]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: it is not UTF-8 text") from error
    hashes: dict[str, _Hash] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, text = line.strip().partition(":")
        try:
            found = _Hash.read(text)
        except ValueError as error:
            raise InputError(
                f"{path}:{number}: not a line of a name and a hash; make it with --add-user NAME"
            ) from error
        if not _NAME.fullmatch(name):
            raise InputError(f"{path}:{number}: {name!r} is no name for a login")
        if name in hashes:
            raise InputError(f"{path}:{number}: {name} is there twice; keep one line")
        hashes[name] = found
    return hashes


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error
