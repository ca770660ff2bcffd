"""Running the `abstractqa` command, in this process and in one of its own; the page, too."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ui.cli import main

COMMAND = Path(sys.executable).parent / "abstractqa"

Capture = pytest.CaptureFixture[str]


def digest(folder: Path, name: str = "march.txt") -> Path:
    path = folder / name
    path.write_text(
        "new\n\nMar 14, 2025\n\n"
        "KiteNet: Flying Far\n\nKiteNet keeps 12 kites in the air at once. It needs no wind.\n\n"
        "On boats and rivers\n\nBoats float on rivers because they displace water downwards.\n",
        encoding="utf-8",
    )
    return path


def succeeded(capsys: Capture, *arguments: str) -> tuple[str, str]:
    """Run a command that must end in exit code 0; return its stdout and stderr."""
    code = main(arguments)
    out, err = capsys.readouterr()
    assert code == 0, err
    return out, err


def failed(capsys: Capture, *arguments: str) -> str:
    """Run a command that must print one clear line and end in exit code 1; return that line."""
    code = main(arguments)
    out, err = capsys.readouterr()
    assert out == ""
    return one_line(code, err)


def one_line(code: int, err: str) -> str:
    assert code == 1, err
    (line,) = err.splitlines()
    assert line.startswith("abstractqa: ")
    assert "Traceback" not in line
    return line


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60}
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [COMMAND, *arguments], text=True, check=False, **pipes | options
    )


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(store: Path, data: Path, *options: str, **settings: str) -> Iterator[str]:
    """The address of `abstractqa ui` over a store; at the end it is interrupted, as with Ctrl-C."""
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
    assert "Traceback" not in told
