"""Make a question set from an index's own papers, some of them unanswerable.

The folder gets `questions.jsonl` and `store`, an index of the papers that are left: measure one on
the other. `synthesis.json` says what was made from what, and why drafts were dropped. What a model
wrote is kept in `written`, a run (`eval.runs`): one that was killed asks about no paper twice.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import chain, pairwise, zip_longest
from pathlib import Path

import numpy as np
from pydantic import BaseModel
from tqdm.auto import tqdm

from eval.datasets import Evidence, Question, Words, read_rows, write_questions
from eval.judge import ask_all, read_json
from eval.report import TEMPLATES, render
from eval.runs import Run, environment, public_name, write_object
from eval.scoring import nuggets_found, quote_span
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


@dataclass(frozen=True, slots=True)
class Plan:
    """What questions to make."""

    n: int
    """How many; fewer are made if every paper had all its turns."""
    seed: int = 0
    """Of the order of the papers."""
    unanswerable: float = 0.2
    """The share of questions, in [0, 1), that lose their paper."""


Draft = tuple[int, Question]
"""The row of a paper in the index, and a question that it should answer."""


class Written(BaseModel):
    """What a model is asked for."""

    sentence: Words
    question: Words
    answer: Words


def synthesize(
    index: Index,
    encoder: Encoder,
    plan: Plan,
    out: Path,
    model: tuple[Complete, str] | None = None,
) -> dict[str, object]:
    """Make questions about papers of an index, and write them; return what `synthesis.json` holds.

    Args:
        index: The papers.
        encoder: The one the index was built with.
        plan: How many questions, and which.
        out: A folder, new or empty, or one in which a model wrote and was interrupted.
        model: Writes one question of each paper, with its name; without one a paper gives its
            cloze questions in turn. Wants a temperature above 0: weak models repeat themselves.

    Raises:
        InputError: the folder is taken, no question is wanted, or a share is outside [0, 1).
        EncoderError: the encoder is not the index's.
    """
    if plan.n < 1 or not 0 <= plan.unanswerable < 1:
        raise InputError("give at least 1 question, and a share unanswerable from 0 to below 1")
    if out.exists() and any(path.name != "written" for path in out.iterdir()):
        raise InputError(f"{out} is not empty; name a new folder")
    check_encoder(index.manifest, encoder)
    record = asdict(plan) | _made_by(index, encoder, model)
    random = np.random.default_rng(plan.seed)
    order = random.permutation(len(index.papers)).tolist()
    sieve = Sieve(index, encoder)
    if model:
        with closing(Run.begin(out / "written", out.name, record, [])) as run:
            sieve.fill(_written(index, order, model[0], run), plan.n)
    else:
        sieve.fill(_cloze(index, order), plan.n)
    random.shuffle(order)  # or the first questions would be the ones to lose their papers
    removed = sieve.papers_to_remove(plan.unanswerable, order)
    record |= _write(out, sieve, removed)
    write_object(out / "synthesis.json", record)
    return record


def _made_by(
    index: Index, encoder: Encoder, model: tuple[Complete, str] | None
) -> dict[str, object]:
    return {
        "kind": "synthesis",
        "index": index.manifest.content,
        "papers": len(index.papers),
        "encoder": public_name(encoder.name),
        "model": public_name(model[1]) if model else None,
        "prompt_sha256": sha256(json.dumps(_prompt("", "")).encode()).hexdigest(),
    }


def _write(out: Path, sieve: "Sieve", removed: set[int]) -> dict[str, object]:
    """Write the questions, and the store without the removed papers; tell what there is."""
    papers = sieve.index.papers
    left = [paper for row, paper in enumerate(papers) if row not in removed]
    build_papers(left, out / "store", sieve.encoder)
    questions = [
        _numbered(question, number, is_removed=row in removed)
        for number, (row, question) in enumerate(sieve.kept, start=1)
    ]
    write_questions(out / "questions.jsonl", questions)
    return {
        "questions": len(questions),
        "by_type": dict(Counter(question.type for question in questions)),
        "papers_removed": sorted(papers[row].title for row in removed),
        "dropped": dict(sieve.dropped),
        "environment": environment(),
    }


def _numbered(question: Question, number: int, *, is_removed: bool) -> Question:
    found: dict[str, object] = {"id": f"s{number:03}"}
    if is_removed:
        title = question.papers[0]
        note = f"{question.type}; the paper that answers is not in the store: {title}"
        found |= {"type": "removed", "answerable": False, "note": note}
        found |= {"papers": (), "evidence": (), "nuggets": ()}
    return question.model_copy(update=found)


def _asked_of(paper: Paper, kind: str, question: str, quote: str, answer: str) -> Question:
    """A question about a paper, with the stretch of its stored abstract that answers it."""
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
    """What a model writes for each paper, or what is wrong with it.

    Promptagator's recipe (Dai et al. 2023, "Promptagator: few-shot dense retrieval from 8
    examples"). Beside the question we ask for its answer and the sentence that holds it, so that
    each can be checked.
    """
    papers = {row: index.papers[row] for row in order if index.papers[row].abstract.strip()}
    prompts = {paper.id: _prompt(paper.title, paper.abstract) for paper in papers.values()}
    for row, (_, reply) in zip(papers, ask_all(run, prompts, complete), strict=True):
        found = read_draft(reply, papers[row])
        yield found if isinstance(found, str) else (row, found)


def _prompt(title: str, abstract: str) -> list[Message]:
    """The task, the examples as turns that went well, and the paper to write a question for."""
    shown = "Title: {title}\nAbstract: {abstract}".format
    turns: list[Message] = [{"role": "system", "content": render("synthesis_task.txt")}]
    for example in read_rows(TEMPLATES / "synthesis_examples.jsonl"):
        reply = json.dumps(example.pop("reply"))
        turns.append({"role": "user", "content": shown(**example)})
        turns.append({"role": "assistant", "content": reply})
    asked = shown(title=clean_text(title), abstract=clean_text(abstract))
    return [*turns, {"role": "user", "content": asked}]


def read_draft(reply: str, paper: Paper) -> Question | str:
    """The question in a reply about a paper, or what is wrong with it."""
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
    draft = _asked_of(paper, "synthetic", written.question, quote, written.answer)
    if not _states(written.sentence, draft):
        return "the answer is not in the sentence"
    return "the question gives the answer away" if _states(draft.question, draft) else draft


def _cloze(index: Index, order: Sequence[int]) -> Iterator[Draft]:
    """The most salient question of each paper, then the second one of each, and so on.

    The task is Taylor's ("Cloze procedure", 1953); asking it of sentences to test reading goes
    back to Hermann et al. ("Teaching machines to read and comprehend", 2015).
    """
    in_turn = chain.from_iterable(zip_longest(*(_cloze_of(index, row) for row in order)))
    return (draft for draft in in_turn if draft)


def _cloze_of(index: Index, row: int) -> list[Draft]:
    """Leave a number or a name out of each sentence of a paper; the rarest (by idf) come first.

    A number goes with what it counts: two digits alone stand in any longer number.
    """
    found, paper = [], index.papers[row]
    for passage in (index.passages[at] for at in passage_rows(index, row)):
        pairs = pairwise(passage.text.split())
        gaps = [f"{one} {two}" for one, two in pairs if one.isdecimal() and two.isalpha()]
        gaps += [name.text for name in index.names.read(passage.text) if name.proper]
        once = [gap for gap in gaps if len(gap) > 3 and passage.text.count(gap) == 1]
        if once:
            idf = {gap: max(map(index.lexical.idf, tokenize(gap)), default=0.0) for gap in once}
            gap = max(once, key=lambda each: idf[each])
            before, after = passage.text.split(gap)
            # The whole sentence would be found by anything.
            words = [*before.split()[-9:], "____", *after.split()[:5]]
            question = f"Fill in the blank: “… {' '.join(words)} …”"
            quote = paper.abstract[passage.start : passage.end]
            found.append((idf[gap], _asked_of(paper, "cloze", question, quote, gap)))
    return [(row, asked) for _, asked in sorted(found, key=lambda pair: -pair[0])]


class Sieve:
    """Keeps the drafts that make good questions about an index."""

    def __init__(self, index: Index, encoder: Encoder) -> None:
        self.kept: list[Draft] = []
        self.dropped: Counter[str] = Counter()
        """How many drafts were not kept, by the reason."""
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
        """Keep a draft, or say why not: it has no subject, does not find its paper, or is not new.

        "What does the proposed method improve?" could be asked of any paper: a subject is three
        words that few papers have. The round trip is Promptagator's: the product's own retrieval
        must have the paper first.
        """
        row, asked = draft
        index, probe = self.index, Probe.of(asked.question, self.index, self.encoder)
        most = max(2, 0.05 * index.lexical.size)
        counts = map(index.lexical.document_frequency.get, set(tokenize(asked.question)))
        rare = sum(0 < (count or 0) <= most for count in counts)
        if rare + sum(name.proper for name in index.names.read(asked.question)) < 3:
            return "the question does not say what it is about"
        if rank(index, probe).rows[0] != row:
            return "retrieval does not find the paper again"
        near = any(float(probe.vector @ vector) >= 0.9 for vector in self._vectors)
        if near or any((row, asked.nuggets) == (at, each.nuggets) for at, each in self.kept):
            return "too like a question that was kept"
        self.kept.append(draft)
        self._vectors.append(probe.vector)
        return None

    def papers_to_remove(self, share: float, order: Sequence[int]) -> set[int]:
        """The rows of the papers to remove so that a share of the questions loses its answer.

        All questions of a paper become unanswerable with it, so a paper is taken only if they fit
        into the share, and if no other of the first ten found states the answer of one.
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
        rows = rank(self.index, probe).rows[:11]
        papers = [self.index.papers[row] for row in rows if row != draft[0]]
        texts = (f"{paper.display_title}\n{clean_text(paper.abstract)}" for paper in papers)
        return any(_states(text, draft[1]) for text in texts)
