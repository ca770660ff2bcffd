"""Bad input of every kind: one clear line, exit code 1, and the published index intact."""

import re
import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import COMMAND, Capture, digest, failed, free_port, one_line, run

from index.build import build
from index.embedding import SentenceEncoder


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store, but for the lock, which says nothing."""
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in store.rglob("*")
        if path.is_file() and path.name != "LOCK"
    }


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, encoder: SentenceEncoder) -> Path:
    folder = tmp_path_factory.mktemp("published")
    build([digest(folder)], folder / "store", encoder)
    return folder / "store"


@pytest.fixture
def store(published: Path, tmp_path: Path) -> Iterator[Path]:
    """A published index, which must be the same at the end."""
    copy = shutil.copytree(published, tmp_path / "store")
    yield copy
    assert contents(copy) == contents(published)


def test_what_holds_no_paper_is_refused(store: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    index = ("index", str(path), "--store", str(store))
    assert "no file in" in failed(capsys, *index)
    for name, content, says in (
        ("photo.jpg", b"\xff\xd8\xff\xe0", "no paper could be read"),
        ("empty.txt", b"", "no paper could be read"),
        ("binary.txt", bytes(range(256)) * 40, "binary.txt"),
        ("long.txt", b"kite " * 2_000_000, "long.txt:1: "),
    ):
        (path / name).write_bytes(content)
        assert says in failed(capsys, *index), name
        (path / name).unlink()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ask", "   "], "empty"),
        (["ask", "bad \udcff bytes"], "UTF-8"),
        (["ask", "What is KiteNet?", "--digest", "no such digest"], "no such digest"),
        (["ask", "What is KiteNet?", "--since", "someday"], "2025-03-14"),
        (["ask", "What is KiteNet?", "--since", "2025-04-01", "--until", "2025-03-01"], "after"),
        (["ask", "What is KiteNet?", "--mode", "generative"], "chat model"),
        (["search", "kites", "--limit", "0"], "--limit 0"),
        (["search", "x" * 100_000], "4,000"),
        (["ui", "--port", "0"], "--port 0"),
        (["ui", "--host", "no.such.host.invalid"], "no.such.host.invalid"),
        (["eval", "answers", "no-such-questions.jsonl"], "no-such-questions.jsonl"),
        (["index", "--undo", "a/path"], "--undo takes no PATH"),
        (["index", "--undo"], "no earlier state"),
        (["index", "--remove", "KiteNet: Flying Far", "a/path"], "--remove takes no PATH"),
        (["index", "--remove", "KiteNet: Flying Far", "--undo"], "use only one of"),
        (["index", "--remove", "KiteNet: Flying Far", "--preview"], "use only one of"),
        (["index", "--remove", "Fly kites"], "'KiteNet: Flying Far'"),
        (["index", "--remove", "bad \udcff bytes"], "no paper"),
        (["index"], "no PATH given"),
        (["index", "--preview", "no/such/path"], "does not exist"),
        (["index", "--watch", "no/such/path"], "not a folder"),
        (["index", "--format", "stone-tablet", "."], "stone-tablet"),
        (["index", "--year", "20255", "."], "20255"),
    ],
)
def test_nonsense_is_refused(arguments: list[str], says: str, store: Path, capsys: Capture) -> None:
    assert says in failed(capsys, *arguments, "--store", str(store))


def test_a_taken_port_is_one_clear_line(store: Path, capsys: Capture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        line = failed(capsys, "ui", "--port", port, "--store", str(store))
    assert re.search(f"port {port} on 127.0.0.1: .* give another --port", line)


@pytest.mark.parametrize(
    "command", [["ask", "why?"], ["papers"], ["ui"], ["index", "."], ["index", "--undo"]]
)
def test_foreign_folders_are_kept(command: list[str], tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "notes.txt").write_text("not an index")
    port = ["--port", str(free_port())] if command == ["ui"] else []
    assert "is not an index" in failed(capsys, *command, *port, "--store", str(tmp_path))
    assert contents(tmp_path) == {"notes.txt": b"not an index"}


def test_a_read_only_folder_is_told_and_still_answers(store: Path, tmp_path: Path) -> None:
    """Mounts are seen by the script alone."""
    alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    (there := tmp_path / "there").mkdir()
    if subprocess.run([*alone, f"mount -t tmpfs tmpfs {there}"], check=False).returncode:
        pytest.skip("this machine lets its users mount nothing")

    def mounted(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = f"mount --bind -o ro {store} {there} && exec {COMMAND} $0 $1 --store {there}"
        command = [*alone, script, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    done = mounted("index", str(digest(tmp_path, "more.txt")))
    assert "read-only" in one_line(done.returncode, done.stderr)
    done = mounted("search", "kites")
    assert done.returncode == 0, done.stderr
    assert "KiteNet" in done.stdout


def test_a_store_where_nothing_can_be_made_is_refused(tmp_path: Path, capsys: Capture) -> None:
    papers = digest(tmp_path)
    within = papers / "store"
    assert str(within) in failed(capsys, "index", str(papers), "--store", str(within))
    # No one may make folders there, not even root.
    assert "/sys/store" in failed(capsys, "index", str(papers), "--store", "/sys/store")


def test_what_cannot_be_written_is_told(store: Path, tmp_path: Path) -> None:
    done = run(
        *("index", str(digest(tmp_path, "more.txt")), "--store", str(store)),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000)),
    )
    one_line(done.returncode, done.stderr)
    with Path("/dev/full").open("w") as full:
        done = run("search", "kites", "--store", str(store), stdout=full)
    assert "No space left" in one_line(done.returncode, done.stderr)
