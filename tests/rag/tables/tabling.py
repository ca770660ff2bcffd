"""Papers about kites, and how the tests of tables look at one."""

from pathlib import Path

from made_up import shelf

from rag.tables import Table

PAPERS = shelf(Path(__file__).parent / "kites.txt")


def cells(made: Table, paper_id: str) -> dict[str, str | None]:
    (row,) = (row for row in made.rows if row.paper.id == paper_id)
    return {cell.column: cell.text for cell in row.cells}


def is_verbatim(made: Table) -> None:
    for row in made.rows:
        for cell in row.cells:
            if cell.text is not None:
                assert row.paper.abstract[cell.start : cell.end] == cell.text
                assert cell.text.strip() == cell.text
    assert Table.model_validate_json(made.model_dump_json()) == made
