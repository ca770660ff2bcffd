"""The page as a user starts it: the real command, in a process of its own."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browsing import free_port
from running import COMMAND


@contextmanager
def started(store: Path, data: Path, *options: str, **settings: str) -> Iterator[str]:
    """Run `abstractqa ui` over a store, with these settings in its environment.

    Yields:
        The address that it prints. It is interrupted at the end, as with Ctrl-C.
    """
    environment = os.environ | {"ABSTRACTQA_DATA": str(data)} | settings
    command = [COMMAND, "ui", "--store", str(store), "--port", str(free_port()), *options]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=data.parent,
        # Where the tests run in the background, interrupts are ignored, and so by what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as serving:
        assert serving.stderr is not None
        try:
            told = ""
            for told in serving.stderr:
                if told.startswith("AbstractQA is at "):
                    break
            else:
                raise AssertionError(f"the page did not start: {told}")
            yield told.split()[3]
        finally:
            serving.send_signal(signal.SIGINT)
            told = serving.stderr.read()
    assert (serving.returncode, told.splitlines()[-1]) == (130, "abstractqa: interrupted")
