"""What indexing would do, told before anything is written."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hashing_encoder import HashingEncoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.build import build
from index.manifest import live_papers
from index.plan import preview
from index.publish import writer_lock
from index.readers import Upload

TITLES = ("Counting Owls at Night", "Why Do Kettles Sing", "Paper Maps That Disagree", "Editorial")


def records(*titles: str, **more: object) -> bytes:
    """JSONL with a record of each title."""
    rows = ({"title": title, "abstract": f"This is on {title}.", **more} for title in titles)
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def index(store: Path, *uploads: Upload) -> None:
    build(uploads, store, HashingEncoder())


def states(store: Path, *uploads: Upload) -> list[tuple[str, str]]:
    return [(entry.state, entry.paper.title) for entry in preview(uploads, store).entries]


def test_each_entry_has_its_state_and_its_place(tmp_path: Path) -> None:
    owls, kettles, maps, _ = TITLES
    index(tmp_path, Upload("a.jsonl", records(owls, kettles)))
    upload = Upload("b.jsonl", records(maps, owls, maps))
    found = preview([upload], tmp_path)
    assert [(entry.state, entry.paper.title) for entry in found.entries] == [
        ("new", maps),
        ("updated", owls),
        ("duplicate", maps),
    ]
    source = found.entries[0].paper.sources[0]
    assert (source.name, source.position) == ("b.jsonl", 1)
    assert states(tmp_path, Upload("a.jsonl", records(owls, kettles))) == [
        ("unchanged", owls),
        ("unchanged", kettles),
    ]


def test_a_preview_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    index(tmp_path, Upload("a.jsonl", records(TITLES[0])))
    with writer_lock(tmp_path):
        assert preview([Upload("b.jsonl", records(TITLES[1]))], tmp_path).new == 1


FILES = st.lists(
    st.tuples(
        st.sampled_from(["a.jsonl", "b.jsonl"]),
        st.lists(
            st.tuples(st.sampled_from(TITLES), st.sampled_from([{}, {"id": "x"}, {"year": 2024}])),
            min_size=1,
            max_size=4,
        ),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES)
def test_a_preview_tells_what_indexing_then_does(
    tmp_path_factory: pytest.TempPathFactory,
    runs: Sequence[tuple[str, Sequence[tuple[str, dict[str, object]]]]],
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    store = folder / "store"
    for name, rows in runs:
        file = folder / name
        file.write_bytes(b"".join(records(title, **more) for title, more in rows))
        told = preview([file], store)
        report = build([file], store, HashingEncoder())
        for count in ("new", "unchanged", "updated", "duplicate", "rejected", "papers"):
            assert getattr(told, count) == getattr(report, count), count
        assert len(told.removed) == report.removed
        seen = Counter(entry.state for entry in told.entries)
        assert (seen["new"], seen["unchanged"]) == (told.new, told.unchanged)
        assert seen["duplicate"] == told.duplicate
        assert seen["updated"] <= told.updated
        assert {entry.paper.id for entry in told.entries} <= {p.id for p in live_papers(store)[1]}
