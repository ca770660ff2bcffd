"""Write small datasets, valid except for what a test changes; questions on the sample."""

import json
from pathlib import Path
from typing import Any

OSWORLD = (
    "OSWorld: Benchmarking Multimodal Agents for Open-Ended Tasks in Real Computer Environments"
)
MINDSEARCH = "MindSearch: Mimicking Human Minds Elicits Deep AI Searcher"
QUESTIONS: list[dict[str, Any]] = [
    {"id": "tasks", "type": "fact", "answerable": True, "papers": [OSWORLD],
     "question": "How many tasks does OSWorld have?", "nuggets": [["369"]]},
    {"id": "pages", "type": "fact", "answerable": True, "papers": [MINDSEARCH],
     "question": "How many pages can MindSearch read in three minutes?", "nuggets": [["300"]]},
    {"id": "people", "type": "followup", "answerable": True, "papers": [OSWORLD],
     "question": "how well do people do on it?",
     "history": [{"role": "user", "content": "What is OSWorld?"},
                 {"role": "assistant", "content": f"{OSWORLD}."}],
     "nuggets": [["72.36"]]},
    {"id": "chess", "type": "off-topic", "answerable": False,
     "question": "Who won the chess world championship in 1972?"},
]  # fmt: skip
"""Questions on the bundled sample."""


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
