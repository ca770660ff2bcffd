"""Running the `abstractqa` command, in this process and in one of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from ui.cli import main

COMMAND = Path(sys.executable).parent / "abstractqa"

Capture = pytest.CaptureFixture[str]


def digest(folder: Path, name: str = "march.txt") -> Path:
    """A digest of two papers."""
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
    """The one clear line of a command that failed."""
    assert code == 1, err
    (line,) = err.splitlines()
    assert line.startswith("abstractqa: ")
    assert "Traceback" not in line
    return line


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60}
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [COMMAND, *arguments], text=True, check=False, **pipes | options
    )
