"""What visitors mark papers with: theirs alone, bounded, in the file of the conversations."""

from pathlib import Path

import pytest

from index.errors import InputError
from ui.archive import Archive
from ui.archive import marks as module
from ui.archive.marks import LONGEST_NOTE, LONGEST_TAG, MOST_TAGS, Mark

ANN, BEN = "cookie a", "cookie b"


def test_marks_are_ones_own_and_change_one_by_one(tmp_path: Path) -> None:
    marks = Archive(tmp_path).marks
    assert marks.of(ANN) == {}
    marks.change(ANN, ["p", "q"], {"starred": True})
    marks.change(ANN, ["p"], {"note": "mine", "tags": " to cite,, kites , to  cite"})
    assert marks.of(ANN) == {
        "p": Mark(starred=True, note="mine", tags=("to cite", "kites")),
        "q": Mark(starred=True),
    }
    assert marks.of(BEN) == {}
    marks.change(BEN, ["p"], {"read": True})
    marks.change(ANN, ["p", "q"], {"starred": False, "note": "", "tags": ""})
    assert Archive(tmp_path).marks.of(ANN) == {}
    assert Archive(tmp_path).marks.of(BEN) == {"p": Mark(read=True)}


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
        marks.change(ANN, ["p"], change)
    assert "\n" not in str(told.value)
    assert marks.of(ANN) == {}


def test_a_list_of_tags_is_kept_and_a_damaged_mark_is_left_out(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.marks.change(ANN, ["p", "q"], {"tags": ["to  cite, kites", "kites"]})
    assert archive.marks.of(ANN)["p"].tags == ("to cite", "kites")
    with archive.marks._database.writing() as rows:
        rows.execute(
            "UPDATE marks SET tags = ? WHERE paper = 'p'", (",".join(map(str, range(84))),)
        )
    assert list(archive.marks.of(ANN)) == ["q"]
    archive.marks.change(ANN, ["p"], {"tags": "again"})
    assert archive.marks.of(ANN)["p"].tags == ("again",)


def test_marks_of_gone_papers_take_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MARKED", 2)
    marks = Archive(tmp_path).marks
    marks.change(ANN, ["p", "q"], {"starred": True})
    with pytest.raises(InputError, match="at most 2 papers"):
        marks.change(ANN, ["r"], {"starred": True}, there={"p", "q", "r"})
    marks.change(ANN, ["r"], {"starred": True}, there={"q", "r"})
    assert list(marks.of(ANN)) == ["p", "q", "r"]
