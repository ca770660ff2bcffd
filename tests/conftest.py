"""Fixtures that the tests share."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Heavy imports are inside the fixtures: most tests need neither the encoder nor LlamaIndex.
if TYPE_CHECKING:
    from chat_server import ChatServer

    from index.embedding import SentenceEncoder
    from rag import Assistant

if os.environ.get("PYTEST_XDIST_WORKER"):
    # Workers share the cores: if each ran a thread per core, threads would wait for each other.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

Once = Callable[[str, Callable[[Path], object]], Path]
"""Gives the folder of a name, made by the first process that asks for it, where it is not yet."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real digests, questions and benchmarks; skip a test without it."""
    folder = Path(os.environ.get("SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing, and CI must not skip")
        pytest.skip(f"{folder} is not here")
    return folder


@pytest.fixture(autouse=True)
def _isolate_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep the user's settings, keys and store out of the tests."""
    for name in list(os.environ):
        if name.startswith(("ABSTRACTQA_", "OPENAI_")):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ABSTRACTQA_STORE", str(home / "store"))
    monkeypatch.setenv("ABSTRACTQA_DATA", str(home / "data"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # With a judge, tests would have to script one more reply for each answer.
    monkeypatch.setenv("ABSTRACTQA_SUPPORT_CHECKER", "local")


@pytest.fixture
def anyio_backend() -> str:
    """What runs the tests that are coroutines."""
    return "asyncio"


@pytest.fixture(scope="session")
def encoder() -> "SentenceEncoder":
    """Load the bundled encoder once."""
    from index.embedding import SentenceEncoder
    from index.minilm import NAME

    return SentenceEncoder.open(NAME)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return a function that makes a folder once per run; no test may write into that folder."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, unfinished = shared / f"once-{name}", shared / f"unfinished-{name}"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # free again when the process ends, however
            if not folder.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def sample_store(once: Once, encoder: "SentenceEncoder") -> Path:
    """Build a real index of the bundled sample."""
    from index import sample
    from index.build import build

    files = sorted(Path(sample.__file__).parent.glob("*.txt"))
    return once("sample", lambda store: build(files, store, encoder))


@pytest.fixture(scope="session")
def digests_store(shared: Path, once: Once, encoder: "SentenceEncoder") -> Path:
    """Build a real index of the real digests."""
    from index.build import build

    return once("digests", lambda store: build([shared / "digests"], store, encoder, year=2025))


@pytest.fixture(scope="session")
def sample_assistant(sample_store: Path) -> "Assistant":
    """Open an assistant on the bundled sample."""
    from rag import Assistant
    from rag.settings import Settings

    return Assistant.open(store=sample_store, settings=Settings(store=sample_store))


@pytest.fixture
def chat_server() -> "Iterator[ChatServer]":
    """Run an OpenAI-compatible server on loopback with replies that the test scripts."""
    from chat_server import running

    with running() as server:
        yield server
