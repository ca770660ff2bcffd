"""Make a question set from an index's own papers, some of them unanswerable.

The folder gets `questions.jsonl` and `store`, an index of the papers that are left: measure one on
the other. `synthesis.json` says what was made from what, and why drafts were dropped. What a model
wrote is kept in `written`, a run (`eval.runs`): one that was killed asks about no paper twice.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
from pydantic import BaseModel
from tqdm.auto import tqdm

from eval.datasets import Evidence, Question, Words, json_lines, write_questions
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

NEAR_DUPLICATE, TOP_HITS = 0.9, 10
"""Cosine from which on two questions are the same; papers found of which none but the removed one
may state the answer of an unanswerable question."""
COMMON_SHARE, RARE_WORDS = 0.05, 3
"""A question needs so many words that no more than this share of the papers have: a subject."""
BLANK, WORDS_BEFORE, WORDS_AFTER = "____", 9, 5
"""Words of the sentence around a blank: the whole of it would be found by anything."""

# A number with what it counts or measures: two digits alone stand in any longer number.
_NUMBER = re.compile(r"(?<![\w.,/^+-])\d+(?:[.,]\d+)*(?: ?%|[ -][a-z]{2,}\b)")


@dataclass(frozen=True, slots=True)
class Plan:
    """What questions to make.

    Raises:
        InputError: fewer than one question, or a share outside [0, 1).
    """

    n: int
    """How many; fewer are made if every paper had all its turns."""
    seed: int = 0
    """Of the order of the papers."""
    unanswerable: float = 0.2
    """The share of questions, in [0, 1), that lose their paper."""

    def __post_init__(self) -> None:
        if self.n < 1 or not 0 <= self.unanswerable < 1:
            raise InputError("give at least 1 question, and a share unanswerable from 0 to below 1")


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that one paper of an index should answer."""

    row: int
    """The paper's, in `index.papers`."""
    type: str
    """`cloze`, or `synthetic` if a model wrote it."""
    question: str
    quote: str
    """What answers it, word for word as the stored abstract has it."""
    answer: str

    def is_stated_in(self, text: str) -> bool:
        """Whether a text gives the answer."""
        return any(nuggets_found([[self.answer]], text))


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
        InputError: the folder is taken.
        EncoderError: the encoder is not the index's.
    """
    if out.exists() and any(path.name != "written" for path in out.iterdir()):
        raise InputError(f"{out} is not empty; name a new folder")
    check_encoder(index.manifest, encoder)
    record = _record(index, encoder, plan, model)
    random = np.random.default_rng(plan.seed)
    order = random.permutation(len(index.papers)).tolist()
    sieve = Sieve(index, encoder)
    if model:
        with Run.begin(out / "written", out.name, {"kind": "synthesis", **record}, []) as run:
            sieve.fill(_written(index, order, model[0], run), plan.n)
    else:
        sieve.fill(_cloze(index, order), plan.n)
    random.shuffle(order)  # or the first questions would be the ones to lose their papers
    removed = sieve.papers_to_remove(plan.unanswerable, order)
    record |= _write(out, sieve, removed) | {"environment": environment()}
    write_object(out / "synthesis.json", record)
    return record


def _write(out: Path, sieve: "Sieve", removed: Set[int]) -> dict[str, object]:
    """Write the questions, and the store without the removed papers; tell what there is."""
    papers = sieve.index.papers
    left = [paper for row, paper in enumerate(papers) if row not in removed]
    build_papers(left, out / "store", sieve.encoder)
    questions = _questions(sieve.kept, papers, removed)
    write_questions(out / "questions.jsonl", questions)
    return {
        "questions": len(questions),
        "by_type": dict(Counter(question.type for question in questions)),
        "papers_removed": sorted(papers[row].title for row in removed),
        "dropped": dict(sieve.dropped),
    }


def _record(
    index: Index, encoder: Encoder, plan: Plan, model: tuple[Complete, str] | None
) -> dict[str, object]:
    return {
        **asdict(plan),
        "index": index.manifest.content,
        "papers": len(index.papers),
        "encoder": public_name(encoder.name),
        "model": public_name(model[1]) if model else None,
        "prompt_sha256": sha256(json.dumps(_prompt("", "")).encode()).hexdigest(),
    }


def _questions(kept: Sequence[Draft], papers: Sequence[Paper], removed: Set[int]) -> list[Question]:
    questions = []
    for number, draft in enumerate(kept, start=1):
        given = {"id": f"s{number:03}", "question": draft.question}
        title = papers[draft.row].title
        if draft.row in removed:
            note = f"{draft.type}; the paper that answers is not in the store: {title}"
            questions.append(Question(**given, type="removed", answerable=False, note=note))
        else:
            evidence = (Evidence(paper=title, quote=draft.quote),)
            gold = {"papers": (title,), "evidence": evidence, "nuggets": ((draft.answer,),)}
            questions.append(Question(**given, type=draft.type, answerable=True, **gold))
    return questions


def _written(
    index: Index, order: Sequence[int], complete: Complete, run: Run
) -> Iterator[Draft | str]:
    """What a model writes for each paper, or what is wrong with it.

    Promptagator's recipe (Dai et al. 2023, "Promptagator: few-shot dense retrieval from 8
    examples"). Beside the question we ask for its answer and the sentence that holds it, so that
    each can be checked.
    """
    papers = {index.papers[row].id: row for row in order if index.papers[row].abstract.strip()}
    prompts = {
        id_: _prompt(index.papers[row].title, index.papers[row].abstract)
        for id_, row in papers.items()
    }
    for id_, reply in ask_all(run, prompts, complete):
        yield read_draft(reply, index.papers[papers[id_]], papers[id_])


def _prompt(title: str, abstract: str) -> list[Message]:
    """The task, the examples as turns that went well, and the paper to write a question for."""
    turns: list[Message] = [{"role": "system", "content": render("synthesis_task.txt")}]
    for _, example in json_lines(TEMPLATES / "synthesis_examples.jsonl"):
        shown = f"Title: {example['title']}\nAbstract: {example['abstract']}"
        turns.append({"role": "user", "content": shown})
        turns.append({"role": "assistant", "content": json.dumps(example["reply"])})
    shown = f"Title: {clean_text(title)}\nAbstract: {clean_text(abstract)}"
    return [*turns, {"role": "user", "content": shown}]


def read_draft(reply: str, paper: Paper, row: int) -> Draft | str:
    """The question in a reply about a paper (a row of `index.papers`), or what is wrong with it."""
    written = read_json(reply, Written)
    if written is None:
        return "the reply names no question, answer and sentence"
    span = quote_span(written.sentence, paper.abstract)
    quote = paper.abstract[slice(*span)] if span else ""
    draft = Draft(row, "synthetic", written.question, quote, written.answer)
    if not written.question.endswith(("?", "？")):
        return "not a question"
    if not 5 <= len(written.question.split()) <= 40 or not 3 <= len(written.answer) <= 80:
        return "the question or the answer is too short or too long"
    if span is None:
        return "the sentence is not in the abstract"
    if not draft.is_stated_in(written.sentence):
        return "the answer is not in the sentence"
    return "the question gives the answer away" if draft.is_stated_in(draft.question) else draft


def _cloze(index: Index, order: Sequence[int]) -> Iterator[Draft]:
    """The most salient question of each paper, then the second one of each, and so on.

    The task is Taylor's ("Cloze procedure", 1953); asking it of sentences to test reading goes
    back to Hermann et al. ("Teaching machines to read and comprehend", 2015).
    """
    in_turn = chain.from_iterable(zip_longest(*(_cloze_of(index, row) for row in order)))
    return (draft for draft in in_turn if draft)


def _cloze_of(index: Index, row: int) -> list[Draft]:
    """Leave a number or a name out of each sentence of a paper; the rarest (by idf) come first."""
    paper, found = index.papers[row], []
    for at in passage_rows(index, row):
        passage = index.passages[at]
        gaps = [match[0] for match in _NUMBER.finditer(passage.text)]
        gaps += [name.text for name in index.names.read(passage.text) if name.proper]
        once = [gap for gap in gaps if len(gap) > 3 and passage.text.count(gap) == 1]
        if once:
            idf = {gap: max(map(index.lexical.idf, tokenize(gap)), default=0.0) for gap in once}
            gap = max(once, key=lambda each: idf[each])
            before, after = passage.text.split(gap)
            words = [*before.split()[-WORDS_BEFORE:], BLANK, *after.split()[:WORDS_AFTER]]
            question = f"Fill in the blank: “… {' '.join(words)} …”"
            quote = paper.abstract[passage.start : passage.end]
            found.append((idf[gap], Draft(row, "cloze", question, quote, gap)))
    return [draft for _, draft in sorted(found, key=lambda pair: -pair[0])]


class Sieve:
    """Keeps the drafts that make good questions about an index."""

    def __init__(self, index: Index, encoder: Encoder) -> None:
        """Take the papers, and the encoder that they were indexed with."""
        self.kept: list[Draft] = []
        self.dropped: Counter[str] = Counter()
        """How many drafts were not kept, by the reason."""
        self.index, self.encoder = index, encoder
        self._vectors: list[Vectors] = []

    def fill(self, drafts: Iterable[Draft | str], n: int) -> None:
        """Keep the first `n` good drafts."""
        with tqdm(total=n, desc="questions", unit="question", disable=None) as bar:
            for draft in drafts:
                fault = draft if isinstance(draft, str) else self._add(draft)
                if fault:
                    self.dropped[fault] += 1
                    continue
                bar.update()
                if len(self.kept) == n:
                    return

    def _add(self, draft: Draft) -> str | None:
        """Keep a draft, or say why not: it has no subject, does not find its paper, or is not new.

        "What does the proposed method improve?" could be asked of any paper. The round trip is
        Promptagator's: the product's own retrieval must have the paper first.
        """
        index, probe = self.index, Probe.of(draft.question, self.index, self.encoder)
        most = max(2, COMMON_SHARE * index.lexical.size)
        counts = map(index.lexical.document_frequency.get, set(tokenize(draft.question)))
        rare = sum(0 < (count or 0) <= most for count in counts)
        if rare + sum(name.proper for name in index.names.read(draft.question)) < RARE_WORDS:
            return "the question does not say what it is about"
        if rank(index, probe).rows[0] != draft.row:
            return "retrieval does not find the paper again"
        near = any(float(probe.vector @ vector) >= NEAR_DUPLICATE for vector in self._vectors)
        if near or any((draft.row, draft.answer) == (each.row, each.answer) for each in self.kept):
            return "too like a question that was kept"
        self.kept.append(draft)
        self._vectors.append(probe.vector)
        return None

    def papers_to_remove(self, share: float, order: Sequence[int]) -> set[int]:
        """The rows of the papers to remove so that a share of the questions loses its answer.

        All questions of a paper become unanswerable with it, so a paper is taken only if they fit
        into the share, and if no other paper found for them states the answer of one.
        """
        by_row: dict[int, list[Draft]] = {row: [] for row in order}
        for draft in self.kept:
            by_row[draft.row].append(draft)
        room, removed = int(share * len(self.kept)), set()
        for row, drafts in by_row.items():
            if 0 < len(drafts) <= room and not any(map(self._is_answered_elsewhere, drafts)):
                removed.add(row)
                room -= len(drafts)
        return removed

    def _is_answered_elsewhere(self, draft: Draft) -> bool:
        """Whether another of the first `TOP_HITS` papers states the answer too."""
        probe = Probe.of(draft.question, self.index, self.encoder)
        rows = rank(self.index, probe).rows[: TOP_HITS + 1]
        papers = [self.index.papers[row] for row in rows if row != draft.row]
        texts = (f"{paper.display_title}\n{clean_text(paper.abstract)}" for paper in papers)
        return any(map(draft.is_stated_in, texts))
