"""The `table` command: as text, Markdown, CSV and JSON."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from running import Capture, succeeded

from index.papers import Paper
from rag.tables import Cell, Table, TableRow
from ui.tables import as_csv, as_markdown, as_text

KITES = Paper(
    id="kites",
    title="KiteBench: Steering Kites",
    abstract="We introduce KiteBench, a benchmark of 420 flights. Pilots reach 61\\% success.",
)
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
