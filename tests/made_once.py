"""Make slow test data only once per run of the tests, for all its processes."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

Once = Callable[[str, Callable[[Path], object]], Path]
"""A function that returns the folder of a name; the first process to call it makes it."""


def made_once(shared: Path, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder of this name in `shared`; no test may write into it.

    Args:
        shared: A folder of this run, the same for all its processes.
        name: The name of the data.
        make: A function that makes the data as a folder that does not exist yet.
    """
    folder, unfinished = shared / f"once-{name}", shared / f"unfinished-{name}"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed however the process ends
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(folder)
    return folder
