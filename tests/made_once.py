"""What takes long to make is made once in a run of the tests, for all its processes."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

Once = Callable[[str, Callable[[Path], object]], Path]
"""Gives the folder of a name, made by the first process that asks for it."""


def made_once(shared: Path, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name in `shared`; no test writes into it.

    Args:
        shared: A folder of this run, the same for all its processes.
        name: Of what is made.
        make: Makes it, as a folder that is not there yet.
    """
    folder, unfinished = shared / f"once-{name}", shared / f"unfinished-{name}"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # free again when the process ends, however
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(folder)
    return folder
