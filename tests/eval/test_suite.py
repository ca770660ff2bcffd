"""The whole leaderboard on a small made-up folder of data, with two peers: one that cannot run."""

import json
from pathlib import Path
from types import MappingProxyType

import pytest
from test_evaluate import ABSTRACTS, QUESTIONS, write_jsonl

from eval.page import leaderboard_page
from eval.peers.registry import PEERS, PeerEntry
from eval.suite import Suite
from rag.settings import Settings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "digests").mkdir(parents=True)
    entries = "\n\n".join(f"{title}\n\n{text}" for title, text in ABSTRACTS.items())
    (folder / "digests" / "march.txt").write_text(f"new\n\nMar 14\n\n{entries}\n")
    (folder / "questions").mkdir()
    write_jsonl(folder / "questions" / "dev.jsonl", QUESTIONS)
    for name in ("scifact", "litsearch_acl"):
        beir = folder / "beir" / name
        (beir / "qrels").mkdir(parents=True)
        write_jsonl(
            beir / "corpus.jsonl",
            [
                {"_id": f"d{number}", "title": title, "text": text}
                for number, (title, text) in enumerate(ABSTRACTS.items())
            ],
        )
        write_jsonl(beir / "queries.jsonl", [{"_id": "q1", "text": "bog water levels"}])
        (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td0\t1\n")
    (folder / "faithfulness").mkdir()
    claim = {"id": "1", "claim": "Bogs are wet.", "evidence": "Wet.", "label": "supported"}
    write_jsonl(folder / "faithfulness" / "bogs.jsonl", [claim])
    return folder


@pytest.mark.slow
def test_everything_is_measured_once_and_tabulated(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    peers = {"bm25": PEERS["bm25"], "broken": PeerEntry("no_such_peer", "None", ())}
    for module in ("eval.peers.registry", "eval.suite", "eval.page"):
        monkeypatch.setattr(f"{module}.PEERS", MappingProxyType(peers))
    monkeypatch.setattr("eval.suite.VARIANTS", (("bm25", {"words": 20}),))
    monkeypatch.setattr("eval.suite.SUBSET", 3)
    # The gate has tests of its own, and every part is switched off in those of its module.
    monkeypatch.setattr("eval.ablate.PARTS", ("lexical", "refusals"))
    monkeypatch.setattr("eval.suite.GATE_QUESTIONS", data / "questions" / "dev.jsonl")
    monkeypatch.setattr("eval.gate.regressions.PAPERS", data / "digests" / "march.txt")
    monkeypatch.setattr("eval.gate.regressions.sample.__file__", str(data / "none.py"))
    text = leaderboard_page(Suite(data, tmp_path / "keep", Settings()))
    for row in ("| AbstractQA ", "| BM25 (bm25s) ", "| BM25 (bm25s), words 20 ", "| refusals "):
        assert row in text, row
    assert "| broken | " in text
    assert "eval.peers.no_such_peer is missing" in text
    assert "## litsearch-acl-3: 3 abstracts, 1 queries" in text
    assert str(tmp_path) not in text

    (kept,) = (tmp_path / "keep").iterdir()
    runs = {path: path.stat().st_mtime_ns for path in kept.rglob("metrics.json")}
    assert len(runs) >= 20
    for path in runs:
        assert str(tmp_path) not in (path.parent / "run.json").read_text()
    leaderboard_page(Suite(data, tmp_path / "keep", Settings()))
    assert {path: path.stat().st_mtime_ns for path in kept.rglob("metrics.json")} == runs

    write_jsonl(data / "questions" / "dev.jsonl", QUESTIONS[:2])
    (left_out,) = Suite(data, tmp_path / "keep", Settings()).removed()
    assert left_out.questions["m1"]["answerable"] is False
    assert left_out.record["configuration"]["papers"] == 3
    assert len(list((tmp_path / "keep").iterdir())) == 2
    records = [json.loads((path.parent / "run.json").read_text()) for path in runs]
    assert len({record["code"] for record in records}) == 1
