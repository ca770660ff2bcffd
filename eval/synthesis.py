"""Make a question set from an index's own papers, with some unanswerable questions.

A model's replies are kept in a run (`eval.runs`), so a killed run asks about no paper twice.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from itertools import chain, pairwise, zip_longest
from pathlib import Path

import numpy as np
from pydantic import BaseModel
from tqdm.auto import tqdm

from eval.datasets import Evidence, Question, Words, read_rows, write_questions
from eval.judge import read_json
from eval.report import TEMPLATES, render
from eval.runs import Run, environment, public_name, write_object
from eval.scoring import nuggets_found, or_nothing, quote_span
from index.build import build_papers
from index.encoder import Encoder, Vectors
from index.errors import InputError
from index.lexical import tokenize
from index.manifest import check_encoder
from index.papers import Paper
from index.store import Index
from index.text import clean_text
from rag.chat import Complete, Message
from rag.retrieval import Probe, passage_rows, rank

Draft = tuple[int, Question]
"""The row of a paper in the index, and a question that it should answer."""


class Written(BaseModel):
    """A reply that a model is asked for."""

    sentence: Words
    question: Words
    answer: Words


def synthesize(
    index: Index,
    encoder: Encoder,
    out: Path,
    model: tuple[Complete, str] | None = None,
    *,
    n: int,
    seed: int = 0,
    unanswerable: float = 0.2,
) -> dict[str, object]:
    """Write at most `n` questions about the papers of an index; return what is recorded of it.

    `out`, new, empty or interrupted, gets `questions.jsonl`, `store`, the index to ask them of, and
    the record `synthesis.json`. The share `unanswerable`, in [0, 1), loses its papers. `model` has
    a name and writes one question a paper; without it papers give cloze questions in turn. Raises
    InputError if the folder is taken or a number cannot be used, EncoderError for another encoder.
    """
    if n < 1 or not 0 <= unanswerable < 1:
        raise InputError("give at least 1 question, and a share unanswerable from 0 to below 1")
    if out.exists() and any(path.name != "written" for path in out.iterdir()):
        raise InputError(f"{out} is not empty; name a new folder")
    check_encoder(index.manifest, encoder)
    nothing = Paper(id="", title="", abstract="")
    record: dict[str, object] = {
        **{"n": n, "seed": seed, "unanswerable": unanswerable, "kind": "synthesis"},
        "index": index.manifest.content,
        "papers": len(index.papers),
        "encoder": public_name(encoder.name),
        "model": public_name(model[1]) if model else None,
        "prompt_sha256": sha256(json.dumps(_prompt(nothing)).encode()).hexdigest(),
    }
    random, sieve = np.random.default_rng(seed), Sieve(index, encoder)
    order = random.permutation(len(index.papers)).tolist()
    if model:
        with closing(Run.begin(out / "written", out.name, record, [])) as run:
            sieve.fill(_written(index, order, model[0], run), n)
    else:
        sieve.fill(_cloze(index, order), n)
    random.shuffle(order)  # otherwise the first questions would lose their papers
    return _save(sieve, sieve.papers_to_remove(unanswerable, order), record, out)


def _save(
    sieve: "Sieve", removed: set[int], record: dict[str, object], out: Path
) -> dict[str, object]:
    papers = sieve.index.papers
    left = [paper for row, paper in enumerate(papers) if row not in removed]
    build_papers(left, out / "store", sieve.encoder)
    labelled = [_unanswerable(each) if row in removed else each for row, each in sieve.kept]
    questions = [
        each.model_copy(update={"id": f"s{number:03}"}) for number, each in enumerate(labelled, 1)
    ]
    write_questions(out / "questions.jsonl", questions)
    record |= {
        "questions": len(questions),
        "by_type": dict(Counter(question.type for question in questions)),
        "papers_removed": sorted(papers[row].title for row in removed),
        "dropped": dict(sieve.dropped),
        "environment": environment(),
    }
    write_object(out / "synthesis.json", record)
    return record


def _unanswerable(question: Question) -> Question:
    """Return the question as it is once its paper is removed."""
    note = f"{question.type}; the paper that answers is not in the store: {question.papers[0]}"
    labels = {"type": "removed", "answerable": False, "note": note}
    return question.model_copy(update={**labels, "papers": (), "evidence": (), "nuggets": ()})


def _draft(paper: Paper, kind: str, question: str, quote: str, answer: str) -> Question:
    """Make a question about a paper; `quote` is the stretch of its abstract that answers it."""
    return Question(
        id="draft",
        type=kind,
        question=question,
        answerable=True,
        papers=(paper.title,),
        evidence=(Evidence(paper=paper.title, quote=quote),),
        nuggets=((answer,),),
    )


def _states(text: str, question: Question) -> bool:
    return all(nuggets_found(question.nuggets, text))


def _written(
    index: Index, order: Sequence[int], complete: Complete, run: Run
) -> Iterator[Draft | str]:
    """Yield the question that a model writes for each paper, or what is wrong with it.

    Promptagator's recipe (Dai et al. 2023). The model also gives the answer and the sentence that
    holds it, so that each can be checked.
    """
    rows = {index.papers[row].id: row for row in order if index.papers[row].abstract.strip()}
    ask = or_nothing(complete)
    for each in run.replies(rows, lambda id_: {"reply": ask(_prompt(index.papers[rows[id_]]))}):
        row = rows[each["id"]]
        found = read_draft(str(each["reply"]), index.papers[row])
        yield found if isinstance(found, str) else (row, found)


def _prompt(paper: Paper) -> list[Message]:
    """Show the task, the examples as earlier turns, and the paper to write a question for."""
    shown = "Title: {title}\nAbstract: {abstract}".format
    turns: list[Message] = [{"role": "system", "content": render("synthesis_task.txt")}]
    for example in read_rows(TEMPLATES / "synthesis_examples.jsonl"):
        reply = json.dumps(example.pop("reply"))
        turns.append({"role": "user", "content": shown(**example)})
        turns.append({"role": "assistant", "content": reply})
    asked = shown(title=clean_text(paper.title), abstract=clean_text(paper.abstract))
    return [*turns, {"role": "user", "content": asked}]


def read_draft(reply: str, paper: Paper) -> Question | str:
    """Read the question in a reply about a paper, or return what is wrong with it."""
    written = read_json(reply, Written)
    if written is None:
        return "the reply names no question, answer and sentence"
    if not written.question.endswith(("?", "？")):
        return "not a question"
    if not 5 <= len(written.question.split()) <= 40 or not 3 <= len(written.answer) <= 80:
        return "the question or the answer is too short or too long"
    span = quote_span(written.sentence, paper.abstract)
    if span is None:
        return "the sentence is not in the abstract"
    quote = paper.abstract[slice(*span)]
    draft = _draft(paper, "synthetic", written.question, quote, written.answer)
    if not _states(written.sentence, draft):
        return "the answer is not in the sentence"
    return "the question gives the answer away" if _states(draft.question, draft) else draft


def _cloze(index: Index, order: Sequence[int]) -> Iterator[Draft]:
    """Yield the best cloze question (Taylor 1953) of each paper, then the next best of each."""
    in_turn = chain.from_iterable(zip_longest(*(_cloze_of(index, row) for row in order)))
    return (draft for draft in in_turn if draft)


def _cloze_of(index: Index, row: int) -> list[Draft]:
    """Leave a number or a name out of each sentence of a paper, the rarest (by idf) first.

    A number includes what it counts: two digits occur in any longer number.
    """
    found, paper = [], index.papers[row]
    for at in passage_rows(index, row):
        passage = index.passages[at]
        pairs = pairwise(passage.text.split())
        gaps = [f"{one} {two}" for one, two in pairs if one.isdecimal() and two.isalpha()]
        gaps += [name.text for name in index.names.read(passage.text) if name.proper]
        once = [gap for gap in gaps if len(gap) > 3 and passage.text.count(gap) == 1]
        if once:
            idf = {gap: max(map(index.lexical.idf, tokenize(gap)), default=0.0) for gap in once}
            gap = max(once, key=lambda each: idf[each])
            before, after = passage.text.split(gap)
            # Anything would find the whole sentence.
            words = [*before.split()[-9:], "____", *after.split()[:5]]
            question = f"Fill in the blank: “… {' '.join(words)} …”"
            quote = paper.abstract[passage.start : passage.end]
            found.append((idf[gap], _draft(paper, "cloze", question, quote, gap)))
    return [(row, draft) for _, draft in sorted(found, key=lambda pair: -pair[0])]


class Sieve:
    """Keeps the drafts that make good questions about an index."""

    def __init__(self, index: Index, encoder: Encoder) -> None:
        self.kept: list[Draft] = []
        self.dropped: Counter[str] = Counter()
        """The number of dropped drafts by the reason."""
        self.index, self.encoder = index, encoder
        self._vectors: list[Vectors] = []

    def fill(self, drafts: Iterable[Draft | str], n: int) -> None:
        """Keep the first `n` good drafts."""
        with tqdm(total=n, desc="questions", unit="question", disable=None) as bar:
            for draft in drafts:
                if fault := draft if isinstance(draft, str) else self._add(draft):
                    self.dropped[fault] += 1
                else:
                    bar.update()
                if len(self.kept) == n:
                    return

    def _add(self, draft: Draft) -> str | None:
        """Keep a draft, or return why not: no subject, its paper is not found, or it is not new.

        "What does the proposed method improve?" fits any paper: a subject is three words that few
        papers have. As in Promptagator, retrieval must rank the paper first.
        """
        row, question = draft
        index, probe = self.index, Probe.of(question.question, self.index, self.encoder)
        most = max(2, 0.05 * index.lexical.size)
        counts = map(index.lexical.document_frequency.get, set(tokenize(question.question)))
        rare = sum(0 < (count or 0) <= most for count in counts)
        if rare + sum(name.proper for name in index.names.read(question.question)) < 3:
            return "the question does not say what it is about"
        if rank(index, probe).rows[0] != row:
            return "retrieval does not find the paper again"
        near = any(float(probe.vector @ vector) >= 0.9 for vector in self._vectors)
        if near or any((row, question.nuggets) == (at, each.nuggets) for at, each in self.kept):
            return "too like a question that was kept"
        self.kept.append(draft)
        self._vectors.append(probe.vector)
        return None

    def papers_to_remove(self, share: float, order: Sequence[int]) -> set[int]:
        """Choose the rows of papers to remove, so that a share of the questions loses its answer.

        All questions of a paper become unanswerable, so it is chosen only if they fit into the
        share, and if no other of the first ten papers found states the answer to one of them.
        """
        room, removed = int(share * len(self.kept)), set()
        for row in order:
            drafts = [draft for draft in self.kept if draft[0] == row]
            if 0 < len(drafts) <= room and not any(map(self._is_answered_elsewhere, drafts)):
                removed.add(row)
                room -= len(drafts)
        return removed

    def _is_answered_elsewhere(self, draft: Draft) -> bool:
        probe = Probe.of(draft[1].question, self.index, self.encoder)
        rows = (row for row in rank(self.index, probe).rows[:11] if row != draft[0])
        papers = (self.index.papers[row] for row in rows)
        texts = (f"{paper.display_title}\n{clean_text(paper.abstract)}" for paper in papers)
        return any(_states(text, draft[1]) for text in texts)
