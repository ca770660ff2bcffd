"""The fit, on three made-up collections of four papers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.datasets import write_json_lines
from eval.fitting import run, wordings
from eval.fitting.run import SOURCES, Material
from index.embedding import SentenceEncoder
from rag import fitted

# Of each collection: what its papers are about, and the names, tasks and figures of four.
COLLECTIONS = {
    "digests": ("mosses", ("PeatNet", "Sporely", "BogMap", "FernCount"), "wet moorland"),
    "acl": ("birdsong", ("ChirpFormer", "Larkling", "NestEar", "WingTalk"), "noisy gardens"),
    "arxiv": ("bridges", ("SpanCheck", "RustEye", "Truss2Vec", "ArchScan"), "old ironwork"),
}
TASKS = ("counting", "naming", "mapping", "dating")


def abstract(name: str, task: str, subject: str, place: str, number: int) -> str:
    return (
        f"People spend weeks on {task} {subject} by hand. We present {name}, a small network for"
        f" {task} {subject} in {place}. It was trained on {number} labelled photographs. It fails"
        f" after heavy snow because the edges of {subject} blur. The code is free."
    )


def asked(id_: str, kind: str, question: str, titles: list[str], **more: Any) -> dict[str, Any]:
    row = {"id": id_, "type": kind, "question": question, "answerable": bool(titles)}
    return {**row, "papers": titles, **more}


def questions(papers: dict[str, str], subject: str, place: str) -> list[dict[str, Any]]:
    found = []
    for at, (title, text) in enumerate(papers.items()):
        name, number = title.partition(":")[0], str(40 + at)
        sentences = [f"{each.rstrip('.')}." for each in text.split(". ")]
        trained = [{"paper": title, "quote": sentences[2]}]
        fails = [{"paper": title, "quote": sentences[3]}]
        number_of = f"How many labelled photographs was {name} trained on?"
        found += [
            asked(f"n{at}", "fact", number_of, [title], evidence=trained, nuggets=[[number]]),
            asked(f"w{at}", "why", f"Why does {name} fail after snow?", [title], evidence=fails),
        ]
    titles = list(papers)
    history = [
        {"role": "user", "content": f"What is {titles[0].partition(':')[0]}?"},
        {"role": "assistant", "content": f"A network, from {titles[0]}."},
    ]
    return [
        *found,
        asked("list", "list", f"Which papers are about {subject} in {place}?", titles[:2]),
        asked("next", "followup", "How many photographs?", titles[:1], history=history),
        asked("miss", "near-miss", f"How many drones does {subject} research fly?", []),
        asked("off", "off-topic", "Who won the chess world championship in 1972?", []),
    ]


def by_place(row: dict[str, Any], papers: dict[str, str]) -> dict[str, Any]:
    """A question with its evidence by the place in the abstract, as our own questions have it."""
    places = []
    for each in row.get("evidence", ()):
        start = papers[each["paper"]].index(each["quote"])
        places.append([each["paper"], start, start + len(each["quote"])])
    return {**row, "evidence": places}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for part in ("digests", "corpora", "questions", "own", "evidence"):
        (folder / part).mkdir()
    for collection, (subject, names, place) in COLLECTIONS.items():
        papers = {
            f"{name}: {task.capitalize()} {subject.capitalize()} with Little Data": abstract(
                name, task, subject, place, 40 + at
            )
            for at, (name, task) in enumerate(zip(names, TASKS, strict=True))
        }
        asking = questions(papers, subject, place)
        source = SOURCES[collection]
        file = source.papers if source.papers.endswith(".jsonl") else "digests/march.jsonl"
        dated = {"date": "2025-03-14"}
        rows = [{"id": t, "title": t, "abstract": text, **dated} for t, text in papers.items()]
        write_json_lines(folder / file, rows)
        for at, name in enumerate(source.sets):
            write_json_lines(folder / "questions" / f"{name}.jsonl", asking[at :: len(source.sets)])
        own = [] if source.sets else [by_place(row, papers) for row in asking]
        write_json_lines(folder / "own" / f"{collection}.jsonl", own)
    for name in ("covid", "xquad", "scifact"):
        sentences = [f"The {name} ferry is blue.", "It carries nine cars.", "Storms stop it."]
        question = f"How many cars does the {name} ferry carry?"
        row = {"question": question, "title": "", "sentences": sentences, "evidence": [1]}
        write_json_lines(folder / "evidence" / f"{name}.jsonl", [row])
    return folder


@pytest.fixture(scope="module")
def material(
    data: Path, encoder: SentenceEncoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Material]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        few = wordings.filled()[::14]  # all of them take half a minute
        patch.setattr("eval.fitting.wordings.filled", lambda: few)
        patch.setattr("eval.fitting.models.own_turns", lambda: few)
        patch.setattr("eval.fitting.collections.OWN", data / "own")
        patch.setattr("eval.fitting.run.SOURCES", {name: SOURCES[name] for name in COLLECTIONS})
        yield run.load_material(data, encoder)


@pytest.mark.slow
def test_the_same_inputs_give_the_same_bytes_which_the_product_reads(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = run.fit(material, without="arxiv")
    text = run.record_text(record)
    assert text == run.record_text(run.fit(material, without="arxiv"))
    (tmp_path / "made-up--encoder.json").write_text(text)
    monkeypatch.setattr(fitted, "FOLDER", tmp_path)
    read = fitted.record.__wrapped__("made-up/encoder")
    assert read.vocabulary == record.vocabulary
    assert read.thresholds == record.thresholds
    assert read.models.keys() == record.models.keys()
    for name, model in record.models.items():
        assert read.models[name].classes == model.classes
        assert read.models[name].weights == pytest.approx(model.weights, rel=1e-3)


def test_every_set_is_answered_by_models_that_have_not_seen_its_collection(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str | None] = []

    def fit_noted(material: Material, without: str | None = None) -> fitted.Record:
        left.append(without)
        return fitted.record(material.encoder.name)

    monkeypatch.setattr(run, "fit", fit_noted)
    scores = {name: each for name, each in run.answer_left_out(material) if each}
    assert left == ["digests", "acl", "arxiv"]
    sizes = {name: len(each) for name, each in scores.items()}
    assert sizes == {"dev": 6, "dev2": 6, "acl": 12, "own arxiv": 12}
    text = run.left_out_text({name: run.figures(each) for name, each in scores.items()})
    assert "| right: why " in text
    assert "| off-topic refused " in text
    assert len({len(line) for line in text.splitlines()}) == 1
