"""The whole leaderboard on a small made-up folder of data, with two peers: one that cannot run."""

import json
from pathlib import Path
from typing import Never

import pytest
from dataset_files import beir, jsonl
from test_measuring import ABSTRACTS, QUESTIONS

from eval.leaderboard import Suite
from eval.peers import PEERS, PeerEntry
from rag.fitted import record
from rag.settings import Settings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "digests").mkdir(parents=True)
    entries = "\n\n".join(f"{title}\n\n{text}" for title, text in ABSTRACTS.items())
    (folder / "digests" / "march.txt").write_text(f"new\n\nMar 14\n\n{entries}\n")
    jsonl(folder / "questions" / "dev.jsonl", *QUESTIONS)
    papers = (
        json.dumps({"_id": f"d{number}", "title": title, "text": text}) + "\n"
        for number, (title, text) in enumerate(ABSTRACTS.items())
    )
    files = {"corpus.jsonl": "".join(papers), "qrels/test.tsv": "q1\td0\t1\n"}
    for name in ("scifact", "litsearch_acl"):
        beir(folder / "beir" / name, **files)
    return folder


def broken(*_: object) -> Never:
    raise ModuleNotFoundError(name="no_such_package")


@pytest.mark.slow
def test_everything_is_measured_once_and_tabulated(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    peers = {"bm25": PEERS["bm25"], "broken": PeerEntry("broken", broken, ())}
    for module in ("eval.peers", "eval.leaderboard"):
        monkeypatch.setattr(f"{module}.PEERS", peers)
    monkeypatch.setattr("eval.leaderboard.SETS", {"dev": "digests"})
    monkeypatch.setattr("eval.leaderboard.BENCHMARKS", {"scifact": None, "litsearch_acl": 3})
    monkeypatch.setattr("eval.leaderboard.load_material", lambda *_: None)
    monkeypatch.setattr("eval.leaderboard.fit", lambda _, without: record("all-MiniLM-L6-v2"))
    text = Suite(data, tmp_path / "keep", Settings()).page()
    for row in ("| AbstractQA ", "| BM25 (bm25s) "):
        assert row in text, row
    assert "| broken | " in text
    assert "no_such_package is missing" in text
    assert "### litsearch_acl-3: 3 abstracts, 1 queries" in text
    assert str(tmp_path) not in text

    (kept,) = (tmp_path / "keep").iterdir()
    runs = {path: path.stat().st_mtime_ns for path in kept.rglob("metrics.json")}
    assert len(runs) == 6
    for path in runs:
        assert str(tmp_path) not in (path.parent / "run.json").read_text()
    Suite(data, tmp_path / "keep", Settings()).page()
    assert {path: path.stat().st_mtime_ns for path in kept.rglob("metrics.json")} == runs

    records = [json.loads((path.parent / "run.json").read_text()) for path in runs]
    assert len({record["code"] for record in records}) == 1
    assert [r["configuration"].get("left_out") for r in records].count("digests") == 1
