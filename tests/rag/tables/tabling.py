"""Papers about kites, and how the tests of tables look at one."""

from datetime import date

from made_up import paper

from rag.tables import Table

GLIDE = paper(
    "glide",
    "GlideBench: Measuring Paper Kites",
    "Kites are hard to steer. Existing benchmarks of kites only cover calm air. "
    "We introduce GlideBench, a benchmark for steering paper kites in strong wind, which is "
    "open to all who fly kites. It has 420 flights recorded over 3 hills. "
    "Pilots are compared by their F1 score on landing spots. "
    "The best pilot reaches 61.5\\% of the landing spots, while people reach 93\\%. "
    "Our code is available at https://example.org/glide.",
    source="march.txt",
    day=date(2025, 3, 14),
)
STRING = paper(
    "string",
    "StringNet: Steering Paper Kites with Strings",
    "Steering paper kites needs fast reactions. "
    "We propose StringNet, a controller with 13B parameters that pulls the strings of a paper "
    "kite before the wind changes, and we train it on 80 hours of video of kite pilots. "
    "StringNet outperforms all pilots of paper kites by 12\\% in accuracy. "
    "It still fails on kites without a tail.",
    source="april.txt",
    day=date(2025, 4, 22),
)
SOIL = paper(
    "soil",
    "Soil Moisture of Meadows",
    "We study how much water meadows hold. Meadows dry within nine days in summer.",
    source="april.txt",
    day=date(2025, 4, 22),
)
SAIL = paper(
    "sail",
    "WingSail: Folding Wings",
    "Boats drift in storms. WingSail is a wing of ribs that folds itself. In storms… "
    "and… in… fog it made 90 flights. WingSail stays up 9\\% longer than wings without ribs.",
)
PAPERS = (GLIDE, STRING, SOIL, SAIL)


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
