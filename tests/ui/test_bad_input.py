"""Bad input of every kind: one clear line, exit code 1, and the published index intact."""

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import COMMAND, Capture, digest, failed, one_line, run, succeeded

from index.build import build
from index.embedding import SentenceEncoder
from ui.cli import main


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


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none/", b"", "no file in"),
        ("photo.jpg", b"\xff\xd8\xff\xe0", "no paper could be read"),
        ("empty.txt", b"", "no paper could be read"),
        ("binary.txt", bytes(range(256)) * 40, "binary.txt"),
        ("long.txt", b"kite " * 2_000_000, "long.txt:1: "),
        (
            "long.jsonl",
            b'{"title": "Kites", "abstract": "' + b"kite " * 2_000_000 + b'"}',
            "long.jsonl:1: ",
        ),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_holds_no_paper_is_refused(
    name: str, content: bytes, says: str, store: Path, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    if not name.endswith("/"):
        (path / name).write_bytes(content)
    assert says in failed(capsys, "index", str(path), "--store", str(store))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ask", "   "], "empty"),
        (["ask", "x" * 100_000], "4,000"),
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
        (["index", "--remove", "KiteNet: Flying Far", "--undo"], "give one of"),
        (["index", "--remove", "KiteNet: Flying Far", "--preview"], "give one of"),
        (["index", "--remove", "Fly kites"], "'KiteNet: Flying Far'"),
        (["index", "--remove", "bad \udcff bytes"], "no paper"),
        (["index"], "no PATH given"),
        (["index", "--preview", "no/such/path"], "does not exist"),
        (["index", "--watch", "no/such/path"], "no folder"),
        (["index", "--format", "stone-tablet", "."], "stone-tablet"),
        (["index", "--year", "20255", "."], "20255"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], says: str, store: Path, capsys: Capture
) -> None:
    assert says in failed(capsys, *arguments, "--store", str(store))


COMMANDS = [
    ["ask", "why?"],
    ["search", "kites"],
    ["papers"],
    ["ui"],
    ["index", "--undo"],
    ["index", "--remove", "KiteNet: Flying Far"],
]


@pytest.mark.parametrize("command", [*COMMANDS, ["index"]])
def test_a_store_that_is_none_is_refused_and_left_alone(
    command: list[str], tmp_path: Path, capsys: Capture
) -> None:
    if command not in (["ui"], ["index"]):  # which make one
        assert "abstractqa index" in failed(capsys, *command, "--store", str(tmp_path / "none"))
    command = [*command, str(digest(tmp_path))] if command == ["index"] else command
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("not an index")
    file = tmp_path / "file"
    file.write_text("mine")
    assert "is not an index" in failed(capsys, *command, "--store", str(foreign))
    assert "is a file" in failed(capsys, *command, "--store", str(file))
    assert contents(foreign) == {"notes.txt": b"not an index"}
    assert file.read_text() == "mine"


@pytest.mark.parametrize("command", [*COMMANDS, ["index"], ["doctor"]])
def test_a_store_of_a_newer_format_is_refused_and_left_alone(
    command: list[str], published: Path, tmp_path: Path, capsys: Capture
) -> None:
    store = shutil.copytree(published, tmp_path / "store")
    (path,) = store.glob("generations/*/manifest.json")
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "format_version": manifest["format_version"] + 1}))
    before = contents(store)
    more = [str(digest(tmp_path, "more.txt"))] if command == ["index"] else []
    code = main([*command, *more, "--store", str(store)])
    assert "newer" in one_line(code, capsys.readouterr().err)
    assert contents(store) == before


def test_a_store_where_nothing_can_be_made_is_refused(tmp_path: Path, capsys: Capture) -> None:
    papers = digest(tmp_path)
    within = papers / "store"
    assert str(within) in failed(capsys, "index", str(papers), "--store", str(within))
    # No one may make folders there, not even root.
    assert "/sys/store" in failed(capsys, "index", str(papers), "--store", "/sys/store")


def mounted(script: str, *arguments: Path | str) -> subprocess.CompletedProcess[str]:
    """Run a shell script ($1, $2, … are the arguments) with mounts that only it sees."""
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def mountable(tmp_path: Path) -> Path:
    """A folder to mount something on; without the right to mount the test skips."""
    folder = tmp_path / "mountable"
    folder.mkdir()
    if mounted('mount -t tmpfs tmpfs "$1"', folder).returncode:
        pytest.skip("this machine lets its users mount nothing")
    return folder


def test_a_read_only_folder_is_told_and_its_index_still_answers(
    store: Path, mountable: Path, tmp_path: Path
) -> None:
    more = digest(tmp_path, "more.txt")
    script = 'mount --bind -o ro "$1" "$2" && exec "$3" "$4" "$5" --store "$2"'
    done = mounted(script, store, mountable, COMMAND, "index", more)
    assert "read-only" in one_line(done.returncode, done.stderr)
    done = mounted(script, store, mountable, COMMAND, "search", "kites")
    assert done.returncode == 0, done.stderr
    assert "KiteNet" in done.stdout


def test_a_disk_without_space_is_told_and_keeps_its_index(
    published: Path, mountable: Path, tmp_path: Path
) -> None:
    pages = sum(-(-len(content) // 4096) for content in contents(published).values()) + 3
    after = tmp_path / "after"
    done = mounted(
        'mount -t tmpfs -o size="$1" tmpfs "$2" && cp -r "$3/." "$2" || exit 99\n'
        '"$4" index "$5" --store "$2"; code=$?; cp -r "$2" "$6"; exit $code',
        *(str(4096 * pages), mountable, published, COMMAND, digest(tmp_path, "more.txt"), after),
    )
    assert "no space left" in one_line(done.returncode, done.stderr)
    kept, before = (
        {name: there for name, there in contents(store).items() if not name.startswith("vectors/")}
        for store in (after, published)
    )
    assert kept == before, "all but the vectors, which keep what was encoded"


def test_files_that_cannot_grow_are_told(store: Path, tmp_path: Path) -> None:
    done = run(
        *("index", str(digest(tmp_path, "more.txt")), "--store", str(store)),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000)),
    )
    one_line(done.returncode, done.stderr)


def test_results_that_cannot_be_written_are_told(store: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run("search", "kites", "--store", str(store), stdout=full)
    assert "No space left" in one_line(done.returncode, done.stderr)


def test_a_second_index_is_refused_while_one_runs_and_questions_are_not(
    store: Path, tmp_path: Path, capsys: Capture
) -> None:
    hold = (
        "import sys; from pathlib import Path; from index.publish import writer_lock\n"
        "with writer_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "held\n"
        more = str(digest(tmp_path, "more.txt"))
        assert "another process" in failed(capsys, "index", more, "--store", str(store))
        assert "another process" in failed(capsys, "index", "--undo", "--store", str(store))
        out, _ = succeeded(capsys, "search", "kites", "--store", str(store))
        assert "KiteNet" in out


QUESTION = '{"id": "q", "type": "fact", "answerable": false, "question": "%s"}'


@pytest.mark.parametrize(
    ("line", "mode", "says"),
    [
        ("{broken", "auto", "questions.jsonl:1: not JSON"),
        ('{"id": ' + "7" * 5_000 + "}", "auto", "questions.jsonl:1: not JSON"),
        (QUESTION % ("why " * 2_000), "auto", "question 'q': the question has"),
        (QUESTION % "Do kites fly?", "generative", "chat model"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_a_run_is_made(
    line: str, mode: str, says: str, store: Path, tmp_path: Path, capsys: Capture
) -> None:
    path, run = tmp_path / "questions.jsonl", tmp_path / "run"
    path.write_text(line + "\n")
    evaluate = ("eval", "answers", str(path), "--store", str(store), "--mode", mode)
    assert says in failed(capsys, *evaluate, "--out", str(run))
    assert not run.exists()


def test_an_unknown_setting_is_told(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("ABSTRACTQA_COLOUR", "blue")
    assert "ABSTRACTQA_COLOUR" in failed(capsys, "ask", "why?")
