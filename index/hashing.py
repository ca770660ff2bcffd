"""The hash by which files are told apart."""

import hashlib
from pathlib import Path


def sha256_of(*paths: Path) -> str:
    """The SHA-256 of the files' contents one after the other, as hexadecimal digits.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
