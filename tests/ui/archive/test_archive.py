"""Conversations and marks of papers are kept and changed, each for its own visitor alone."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from index.errors import InputError, StoreBusyError, StoreError
from rag import Answer, Assistant, Filters, Options
from ui.archive import FILE, Archive, Conversation, Turn
from ui.archive import marks as module
from ui.archive.marks import LONGEST_NOTE, LONGEST_TAG, MOST_TAGS, Mark

ME, YOU = "cookie me", "cookie you"
ASKED = "How many tasks does OSWorld have?"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "data")


@pytest.fixture(scope="module")
def answer(sample_assistant: Assistant) -> Answer:
    return sample_assistant.ask(ASKED)


def kept(archive: Archive, *questions: str, visitor: str = ME) -> str:
    id_ = archive.begin(visitor, questions[0]).id
    for question in questions:
        archive.put(visitor, id_, Turn(question=question))
    return id_


def read(archive: Archive, id_: str) -> Conversation:
    found = archive.read(ME, id_)
    assert found
    return found


def titles(archive: Archive, search: str = "", visitor: str = ME) -> list[str]:
    return [summary.title for summary in archive.list(visitor, search)]


def test_a_kept_turn_comes_back_later(archive: Archive, tmp_path: Path, answer: Answer) -> None:
    turn = Turn(
        question=ASKED,
        filters=Filters(digests=("Mar 14",), title="world"),
        mode="extractive",
        options=Options(sources=3, strictness="strict"),
        answer=answer,
        followups=("And on phones?",),
        vote="down",
        vote_reason="{{too}} `short`\n\x00",
    )
    id_ = archive.begin(ME, ASKED).id
    archive.put(ME, id_, turn)
    # The files, the journals too, are their owner's alone, and let nobody in.
    files = list((tmp_path / "data").iterdir())
    assert len(files) == 3
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    assert not any(ME.encode() in file.read_bytes() for file in files)
    archive._database.close()
    found = read(Archive(tmp_path / "data"), id_)
    assert (found.title, found.turns, found.turn(turn.id)) == (ASKED, (turn,), turn)


def test_another_visitors_conversation_is_as_an_unknown_one(archive: Archive) -> None:
    id_ = kept(archive, "Mosses?")
    (turn,) = read(archive, id_).turns
    assert archive.list(YOU) == []
    assert archive.list(YOU, "moss") == []
    assert archive.read(YOU, id_) is None
    for write, *more in (
        (archive.put, turn),
        (archive.cut, turn.id),
        (archive.rename, "Mine now"),
        (archive.delete,),
    ):
        with pytest.raises(InputError, match="there is no such conversation") as unknown:
            write(YOU, "no such id", *more)
        with pytest.raises(InputError) as foreign:
            write(YOU, id_, *more)
        assert str(foreign.value) == str(unknown.value)
    assert titles(archive) == ["Mosses?"]


def test_a_turn_changes_in_its_place_and_each_change_keeps_the_others(archive: Archive) -> None:
    id_ = kept(archive, "one", "two", "three")
    before = read(archive, id_)
    two = before.turns[1].id
    assert archive.change(YOU, id_, two, partial="Wet") is None
    assert archive.change(ME, id_, "another", partial="Wet") is None
    archive.change(ME, id_, two, partial="Wet")
    after = archive.change(ME, id_, two, vote="up")
    assert after == read(archive, id_)
    changed = [("one", None, None), ("two", "Wet", "up"), ("three", None, None)]
    assert [(t.question, t.partial, t.vote) for t in after.turns] == changed
    assert after.updated == before.updated
    assert archive.cut(ME, id_, two) == after.turns[1:], "with all after it"
    assert archive.change(ME, id_, two, partial="") is None, "taken back meanwhile"
    archive.put(ME, id_, Turn(question="two, better"))
    assert [turn.question for turn in read(archive, id_).turns] == ["one", "two, better"]
    with pytest.raises(InputError, match="no such question"):
        archive.cut(ME, id_, two)


def test_a_search_takes_every_sign_as_itself(archive: Archive, answer: Answer) -> None:
    for title, question in {
        "mosses": "Which mosses?",
        "street": "Whose Straße?",
        "percent": "Is it 100% true?",
        "underscore": "What is a_b?",
        "quotes": 'Who is "quoted" by O\'Neil?',
        "ligature": "FIRE?",
    }.items():
        archive.rename(ME, kept(archive, question), title)
    id_ = archive.begin(ME, "answered").id
    archive.put(ME, id_, Turn(question=ASKED, answer=answer))
    kept(archive, "moss 100% a_b 369 osworld strasse fire '); DROP", visitor=YOU)
    every = "mosses street percent underscore quotes ligature answered"
    for search, found in {
        "MOSS": "mosses",
        "straße": "street",
        "STRASSE": "street",
        "100%": "percent",
        "0%d": "",
        "a_b": "underscore",
        "'); DROP TABLE turns; --": "",
        '"quoted" o\'neil': "quotes",
        "mosses answer": "",
        "369 osworld": "answered",
        "ﬁre": "ligature",
        "": every,
        "\ud800 ": every,
        "zz " * 5000: "",
    }.items():
        assert set(titles(archive, search)) == set(found.split()), search


def test_the_last_deleted_conversation_can_come_back(archive: Archive, tmp_path: Path) -> None:
    id_ = kept(archive, "Bogs that nobody may read")
    archive.delete(ME, id_)
    assert archive.list(ME) == archive.list(ME, "bogs") == []
    assert archive.read(ME, id_) is None
    with pytest.raises(InputError, match="no such conversation"):
        archive.put(ME, id_, Turn(question="more"))
    assert archive.last_deleted(ME).id == id_
    assert archive.last_deleted(YOU) is None
    with pytest.raises(InputError):
        archive.restore(YOU)
    archive.restore(ME)
    assert titles(archive, "bogs") == ["Bogs that nobody may read"]
    yours, other = kept(archive, "Yours?", visitor=YOU), kept(archive, "Mosses?")
    archive.delete(YOU, yours)
    archive.delete(ME, id_)
    assert titles(archive) == ["Mosses?"]
    assert archive.last_deleted(YOU).id == yours, "of each visitor"
    archive.delete(ME, other)
    archive.restore(ME)
    assert titles(archive) == ["Mosses?"]
    archive.delete(ME, other)
    archive._database.close()
    again = Archive(tmp_path / "data")
    assert again.last_deleted(ME) is None
    again._database.close()
    assert b"nobody may read" not in (tmp_path / "data" / FILE).read_bytes()


def test_turns_of_other_versions_open(archive: Archive, tmp_path: Path, answer: Answer) -> None:
    id_ = kept(archive, "before")
    archive.put(ME, id_, Turn(question="kept", answer=answer))
    archive._database.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / FILE)) as connection, connection:
        (body,) = connection.execute("SELECT body FROM turns WHERE question = 'kept'").fetchone()
        old = json.loads(body)
        old["answer"]["verdict"] = old["answer"].pop("status")
        old["colour"] = "green"
        connection.execute("UPDATE turns SET body = ? WHERE question = 'kept'", (json.dumps(old),))
        connection.execute("UPDATE turns SET body = 'no JSON' WHERE question = 'before'")
    found = read(Archive(tmp_path / "data"), id_)
    assert [turn.question for turn in found.turns] == ["before", "kept"]
    assert all(turn.problem and turn.answer is None for turn in found.turns)


def test_an_older_file_is_brought_up_a_newer_left_alone(archive: Archive, tmp_path: Path) -> None:
    id_ = kept(archive, "Kites?")
    (turn,) = read(archive, id_).turns
    path = tmp_path / "data" / FILE

    def made(statements: str) -> None:
        archive._database.close()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(statements)

    made("DROP TABLE links; DROP TABLE marks; PRAGMA user_version = 1")
    secret = Archive(tmp_path / "data").share(ME, id_, turn.id, is_alone=True)
    assert archive.shared(secret) == turn
    made("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer AbstractQA"):
        Archive(tmp_path / "data")
    assert path.read_bytes() == before


def test_a_link_shows_what_was_there_until_it_is_withdrawn(archive: Archive) -> None:
    id_ = kept(archive, "Kites?", "Boats?")
    one, two = read(archive, id_).turns
    alone = archive.share(ME, id_, two.id, is_alone=True)
    whole = archive.share(ME, id_, one.id, is_alone=False)
    assert len(whole) == 22, "128 bits"
    assert archive.shared(alone) == two
    assert archive.shared(whole).turns == (one,), "what is asked later is not shared"
    for path in archive._database.path.parent.iterdir():
        assert alone.encode() not in path.read_bytes()
    with pytest.raises(InputError):
        archive.share(YOU, id_, one.id, is_alone=True)
    assert archive.unshare(YOU, id_) == 0
    assert archive.shared("unknown") is None
    archive.rename(ME, id_, "Renamed")
    assert archive.shared(whole).title == "Renamed"
    archive.cut(ME, id_, two.id)
    assert archive.shared(alone) is None
    archive.put(ME, id_, two)
    assert archive.shared(alone) == two
    archive.cut(ME, id_, two.id)
    assert archive.unshare(ME, id_) == 2
    assert archive.shared(whole) is None
    secret = archive.share(ME, id_, one.id, is_alone=False)
    archive.delete(ME, id_)
    assert archive.shared(secret) is None


_WRITES = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from ui.archive import Archive, Turn
archive = Archive(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
mine = archive.begin("me", sys.argv[2]).id
def one(number):
    archive.put("me", archive.begin("me", "own").id, Turn(question="q"))
    archive.put("me", mine, Turn(question=f"q{number:02}"))
with ThreadPoolExecutor(8) as pool:
    list(pool.map(one, range(40)))
"""


def test_threads_and_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", _WRITES, str(tmp_path / "data")]
    processes = [subprocess.Popen([*command, name], **pipes) for name in ("a", "b")]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(60) for process in processes] == [0, 0]
    archive = Archive(tmp_path / "data")
    asked = {name: [] for name in ("a", "b", "own")}
    for each in archive.list("me"):
        asked[each.title].append(sorted(t.question for t in archive.read("me", each.id).turns))
    every = [[f"q{number:02}" for number in range(40)]]
    assert asked == {"a": every, "b": every, "own": [["q"]] * 80}


def test_a_file_that_another_process_holds_is_told_to_be_busy(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.archive.database.WAIT_SECONDS", 0.05)
    id_ = kept(archive, "Mosses?")
    other = sqlite3.connect(tmp_path / "data" / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError, match="try again"):
        archive.rename(ME, id_, "Ferns")
    assert titles(archive) == ["Mosses?"], "reading waits for no writer"
    other.close()
    archive.rename(ME, id_, "Ferns")


def test_what_cannot_be_kept_is_refused_in_one_line(archive: Archive, tmp_path: Path) -> None:
    assert (archive.list(ME), archive.read(ME, "x")) == ([], None)
    assert list(tmp_path.iterdir()) == [], "nothing is made before something is kept"
    with pytest.raises(InputError, match="reload"):
        archive.begin("", "Mosses?")
    id_ = kept(archive, "Mosses?")
    assert archive.begin(ME, "\x00 \ud800").title == "Untitled"
    for title in ("", " \n ", "x" * 201):
        with pytest.raises(InputError, match="a title"):
            archive.rename(ME, id_, title)
    with pytest.raises(InputError, match="invalid character"):
        archive.put(ME, id_, Turn(question="\ud800"))
    assert archive.read(ME, "\ud800") is None
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        Archive(tmp_path / "file").begin(ME, "Mosses?")
    (tmp_path / FILE).write_bytes(b"mosses " * 1000)
    with pytest.raises(StoreError, match="move it away") as told:
        Archive(tmp_path)
    assert "\n" not in str(told.value)


# Marks of papers


def test_marks_are_ones_own_and_change_one_by_one(tmp_path: Path) -> None:
    marks = Archive(tmp_path).marks
    assert marks.of(ME) == {}
    marks.change(ME, ["p", "q"], {"starred": True})
    marks.change(ME, ["p"], {"note": "mine", "tags": " to cite,, kites , to  cite"})
    assert marks.of(ME) == {
        "p": Mark(starred=True, note="mine", tags=("to cite", "kites")),
        "q": Mark(starred=True),
    }
    assert marks.of(YOU) == {}
    marks.change(YOU, ["p"], {"read": True})
    marks.change(ME, ["p", "q"], {"starred": False, "note": "", "tags": ""})
    assert Archive(tmp_path).marks.of(ME) == {}
    assert Archive(tmp_path).marks.of(YOU) == {"p": Mark(read=True)}


@pytest.mark.parametrize(
    "change",
    [
        {"note": "x" * (LONGEST_NOTE + 1)},
        {"tags": "x" * (LONGEST_TAG + 1)},
        {"tags": ",".join(map(str, range(MOST_TAGS + 1)))},
        {"tags": [f"a{number},b{number}" for number in range(MOST_TAGS)]},
        {"tags": [1]},
        {"tags": {"a": 1}},
        {"note": "half a character: \ud800"},
        {"starred": "perhaps"},
        {"owner": "me"},
    ],
)
def test_what_cannot_be_kept_is_one_line(tmp_path: Path, change: dict[str, object]) -> None:
    marks = Archive(tmp_path).marks
    with pytest.raises(InputError, match="cannot be saved") as told:
        marks.change(ME, ["p"], change)
    assert "\n" not in str(told.value)
    assert marks.of(ME) == {}


def test_a_list_of_tags_is_kept_and_a_damaged_mark_is_left_out(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.marks.change(ME, ["p", "q"], {"tags": ["to  cite, kites", "kites"]})
    assert archive.marks.of(ME)["p"].tags == ("to cite", "kites")
    tags = ",".join(map(str, range(84)))
    with archive.marks._database.writing() as rows:
        rows.execute("UPDATE marks SET tags = ? WHERE paper = 'p'", (tags,))
    assert list(archive.marks.of(ME)) == ["q"]
    archive.marks.change(ME, ["p"], {"tags": "again"})
    assert archive.marks.of(ME)["p"].tags == ("again",)


def test_marks_of_gone_papers_take_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MARKED", 2)
    marks = Archive(tmp_path).marks
    marks.change(ME, ["p", "q"], {"starred": True})
    with pytest.raises(InputError, match="at most 2 papers"):
        marks.change(ME, ["r"], {"starred": True}, there={"p", "q", "r"})
    marks.change(ME, ["r"], {"starred": True}, there={"q", "r"})
    assert list(marks.of(ME)) == ["p", "q", "r"]
