"""Papers in and out by the command: what was taken, lists, exports, watched folders, tables."""

import csv
import io
import json
import re
import sys
import threading
import time
from argparse import Namespace
from pathlib import Path

import pytest
from running import Capture, digest, failed, succeeded

from index.errors import InputError
from index.papers import Paper
from index.store import Index
from rag.settings import Settings
from rag.tables import Cell, Table, TableRow
from ui.indexing import DEFAULTS, watch
from ui.tables import as_csv, as_markdown, as_text

RECORD = {"title": "Counting Owls at Night", "abstract": "We count 12 owls.", "doi": "10.1/owl"}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABSTRACTQA_STORE", "store")


def test_index_says_what_each_file_was_taken_for(capsys: Capture) -> None:
    Path("a.txt").write_text(json.dumps(RECORD))
    Path("b.txt").write_text("title;abstract;DOI\nCounting Owls;We count 12 owls.;10.1/owl\n")
    indexed = ("index", "a.txt", "b.txt")
    out, err = succeeded(capsys, *indexed, "--preview", "--json")
    assert [name for name, _ in json.loads(out)["formats"]] == ["a.txt", "b.txt"]
    out, err = succeeded(capsys, *indexed)
    assert "a.txt: read as jsonl" in err
    assert "b.txt: read as csv (semicolon-separated; title ← title" in err
    assert "one paper in several places: Counting Owls (a.txt no. 1, b.txt no. 1)" in err
    assert "1 new, 0 unchanged, 0 updated, 1 duplicate" in out
    out, _ = succeeded(capsys, *indexed)
    assert "0 texts encoded" in out
    out, _ = succeeded(capsys, *indexed, "--store", "apart", "--no-merge")
    assert "2 papers" in out


def test_standard_input_is_a_file(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BytesIO(json.dumps(RECORD).encode()))
    monkeypatch.setattr(sys, "stdin", given)
    succeeded(capsys, "index", "-")
    (paper,) = Index.open(Path("store")).papers
    assert (paper.title, paper.sources[0].name) == (RECORD["title"], "stdin")


def test_columns_are_named_or_refused_in_one_line(capsys: Capture) -> None:
    Path("t.csv").write_text("naam,inhoud\nOwls at Night,We count 12 owls.\n")
    succeeded(capsys, "index", "t.csv", "--columns", "title=naam,abstract=inhoud")
    for wrong in ("title=name,abstract=inhoud", "title", "colour=naam"):
        assert "column" in failed(capsys, "index", "t.csv", "--columns", wrong)


def test_papers_are_listed_exported_and_come_back(tmp_path: Path, capsys: Capture) -> None:
    succeeded(capsys, "index", str(digest(tmp_path)))
    assert succeeded(capsys, "papers")[0].startswith("1. ")
    out, _ = succeeded(capsys, "papers", "--title", "kitenet", "--json")
    assert [paper["title"] for paper in json.loads(out)] == ["KiteNet: Flying Far"]
    succeeded(capsys, "papers", "--export", "out.bib")
    succeeded(capsys, "index", "out.bib", "--store", "copy")
    before, after = (
        {paper.id: paper.model_dump(exclude={"sources"}) for paper in Index.open(Path(at)).papers}
        for at in ("store", "copy")
    )
    assert before == after
    assert ".jsonl" in failed(capsys, "papers", "--export", "x.doc")


def test_a_folder_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.indexing.QUIET_MS", 300)
    folder, store = tmp_path / "in", tmp_path / "store"
    folder.mkdir()
    stop = threading.Event()
    named = Namespace(**vars(DEFAULTS) | {"columns": "title=Bird,abstract=Song"})
    thread = threading.Thread(target=watch, args=(folder, Settings(store=store), named, stop))
    thread.start()

    def wait(papers: int) -> None:
        until = time.monotonic() + 60
        while not (store / "CURRENT").exists() or len(Index.open(store).papers) != papers:
            assert time.monotonic() < until
            time.sleep(0.2)

    try:
        time.sleep(1)  # until the folder is looked at
        whole = json.dumps(RECORD)
        with (folder / "a.jsonl").open("w") as file:  # written in two halves
            file.write(whole[:20])
            file.flush()
            time.sleep(0.1)
            file.write(whole[20:])
        wait(1)
        (folder / "broken.bin").write_bytes(b"\0\1\2")
        (folder / "b.jsonl").write_text(json.dumps(RECORD | {"title": "Owls by Day", "doi": None}))
        wait(2)
        table = "Bird,Song\nOwls at Noon,They sleep in old barns. Nobody hears them.\n"
        (folder / "c.csv").write_text(table)
        wait(3)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("given", "says"),
    [({"format": "stone-tablet"}, "stone-tablet"), ({"address": "auto"}, "--engine ray")],
)
def test_a_watch_refuses_options_at_once(tmp_path: Path, given: dict[str, str], says: str) -> None:
    (stop := threading.Event()).set()
    with pytest.raises(InputError, match=says):
        watch(tmp_path, Settings(), Namespace(**vars(DEFAULTS) | given), stop)


# Tables

FLIGHTS = "We introduce KiteBench, a benchmark of 420 flights. Pilots reach 61\\% success."
KITES = Paper(id="kites", title="KiteBench: Steering Kites", abstract=FLIGHTS)
BOATS = Paper(id="boats", title="BoatNet", abstract="We propose BoatNet, a method for kites.")


def made(text: str, title: str = "A Paper") -> Table:
    """A table of one paper, whose abstract states one of two columns."""
    paper = Paper(id="p", title=title, abstract=text)
    cells = (Cell(column="result", text=text, start=0, end=len(text)), Cell(column="data"))
    row = TableRow(paper=paper, score=1, cells=cells)
    return Table.model_construct(columns=("result", "data"), rows=(row,))


def test_a_table_is_text_that_fits_the_terminal_a_file_of_csv_or_a_json_document(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    papers, store, file = (tmp_path / name for name in ("papers.jsonl", "store", "table.csv"))
    papers.write_text(f"{KITES.model_dump_json()}\n{BOATS.model_dump_json()}\n")
    succeeded(capsys, "index", str(papers), "--store", str(store))
    table = ("table", "kites", "--store", str(store), "--paper", "KiteBench", "--columns")
    columns = "method, result, code available?, a column whose name is longer than most"
    out, _ = succeeded(capsys, *table, columns, "--paper", "BoatNet", "--csv", str(file))
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith("1. KiteBench: Steering Kites (papers.jsonl, number 1)\n")
    assert re.search(r"^    result +Pilots reach 61% success\.$", out, re.MULTILINE)
    assert "    a column whose name is longer than most\n      not stated in the abstract" in out
    assert "\n\n2. BoatNet (papers.jsonl, number 2)\n" in out
    head, first, second = csv.reader(io.StringIO(file.read_text(encoding="utf-8")))
    assert head == ["Paper", *columns.split(", ")]
    assert (first[0], first[2], second[0]) == (KITES.title, "Pilots reach 61% success.", "BoatNet")

    out, err = succeeded(capsys, *table, "data", "--json")
    said = json.loads(out)
    (row,) = said["rows"]
    (cell,) = row["cells"]
    assert row["paper"]["abstract"][cell["start"] : cell["end"]] == cell["text"]
    keys = "question columns rows reason notice mode usage model index timings_ms"
    assert set(said) == set(keys.split())
    assert set(cell) == {"column", "text", "start", "end", "score"}
    assert err == ""


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_a_cell_of_csv_that_begins_like_a_formula_gets_an_apostrophe(sign: str) -> None:
    (_, row) = csv.reader(io.StringIO(as_csv(made(f"{sign}1+1", title=f"{sign}A1"))))
    assert row[:2] == [f"'{sign}A1", f"'{sign}1+1"]


def test_what_abstracts_hold_is_no_markup_of_markdown_and_repaints_no_terminal() -> None:
    assert as_markdown(made("a|b *c* <img src=x> [d](e)")).splitlines() == [
        "| Paper | result | data |",
        "| --- | --- | --- |",
        "| A Paper | a\\|b \\*c\\* \\<img src=x> \\[d\\](e) | not stated in the abstract |",
    ]
    assert "\x1b" not in as_text(made("red \x1b[31m kites"))
