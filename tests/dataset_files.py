"""Small datasets written to disk, right but for what a test changes; questions on the sample."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "questions.jsonl"
QUESTIONS: list[dict[str, Any]] = [*map(json.loads, FILE.read_text("utf-8").splitlines())]
"""Asked of the bundled sample."""


def jsonl(path: Path, *records: object) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def beir(folder: Path, **changed: str) -> Path:
    files = {
        "corpus.jsonl": '{"_id": "d1", "title": "Moss", "text": "Moss grows."}\n'
        '{"_id": "d2", "title": "Only a title", "text": ""}\n',
        "queries.jsonl": '{"_id": "q1", "text": "what grows"}\n{"_id": "q2", "text": "unjudged"}\n',
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\n",
        **changed,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
