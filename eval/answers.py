"""Ask a system every question of a file, keep every answer, and measure them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

from pydantic import BaseModel
from tqdm.auto import tqdm

from eval.datasets import Question, load_questions, parse, sample_by_type
from eval.figures import (
    Section,
    answer_summary,
    by_type,
    intervals,
    mean_of,
    question_values,
)
from eval.report import answers_report
from eval.retrieval import DEPTH, MEASURES, mean_metrics, query_metrics, ranked
from eval.runs import ANSWERS, QuestionScore, Run, environment
from eval.scoring import score_answer
from eval.support import Supports, local_support
from eval.systems import Ours, Subject
from index.errors import InputError
from index.papers import Paper, letters
from index.sources import sha256_of
from rag.pipeline import check_question
from rag.schema import Answer, Mode


class CameBack(BaseModel):
    """What one question gave: a line of a run's `answers.jsonl`."""

    id: str
    answer: Answer
    elapsed_ms: float
    found: dict[str, float] | None
    """The search for the question's words: paper id → score; None if it was not searched."""


def evaluate_answers(
    path: Path,
    subject: Subject,
    mode: Mode = "auto",
    out: Path | None = None,
    support: Supports | None = None,
    *,
    sample: int | None = None,
) -> dict[str, object]:
    """Ask the questions of a file, and write a run (`eval.runs`) of which it returns the metrics.

    A run that was killed goes on where it stopped. Questions that stand alone are searched too.

    Args:
        path: The questions (`eval.datasets.load_questions`).
        subject: Who answers.
        mode: How to answer, as in `Assistant.ask`.
        out: The run's folder, new, empty or unfinished; by default one in `runs/`.
        support: Decides whether citations support; by default the product's own checker.
        sample: Ask only so many of the questions, of every type (`sample_by_type`).

    Raises:
        InputError: the file, the mode or the folder cannot be used, or none of the papers that
            are asked about is in the index; nothing is made then.
    """
    if isinstance(subject.system, Ours):
        subject.system.check_mode(mode)
    questions = _checked(path, sample)
    absent = _absent(questions, subject.papers, path)
    checker = support or local_support()
    record = {
        "kind": "answers",
        "system": subject.system.name,
        "dataset": {"name": path.name, "sha256": sha256_of(path), "questions": len(questions)},
        "configuration": {"mode": mode, "support": checker.name, **subject.configuration},
    }
    asked = [question.model_dump(mode="json") for question in questions]
    with Run.begin(out, path.stem, record, asked) as run:
        _ask_all(questions, subject, mode, run)
        return _measure(run, record, questions, subject.papers, checker, len(absent))


def _checked(path: Path, sample: int | None) -> list[Question]:
    """The questions of a file, or a sample of them, each one that can be asked."""
    questions = load_questions(path)
    for question in questions:
        try:
            check_question(question.question)
        except InputError as error:
            raise InputError(f"{path}: question {question.id!r}: {error}") from error
    return questions if sample is None else sample_by_type(questions, sample)


def _ask_all(questions: Sequence[Question], subject: Subject, mode: Mode, run: Run) -> None:
    """Ask each question that the run has no answer to, one at a time."""
    waiting = [question for question in questions if question.id not in run.done]
    for question in tqdm(waiting, desc="answers", unit="question", disable=None):
        history = [turn.model_dump() for turn in question.history]
        started = perf_counter()
        answer = subject.system.ask(question.question, history, mode)
        elapsed_ms = 1000 * (perf_counter() - started)
        hits = subject.system.search(question.question, DEPTH) if _stands_alone(question) else None
        found = None if hits is None else ranked(hits)
        line = CameBack(id=question.id, answer=answer, elapsed_ms=elapsed_ms, found=found)
        run.append(line.model_dump(mode="json"))


def _stands_alone(question: Question) -> bool:
    """Whether searching for the question's own words can find its papers.

    Follow-ups and questions about a digest need the history and the filters that `ask` adds
    before it searches.
    """
    return bool(
        question.answerable
        and question.papers
        and not question.history
        and question.type not in ("followup", "digest")
    )


def _measure(
    run: Run,
    record: Mapping[str, object],
    questions: Sequence[Question],
    papers: Sequence[Paper],
    support: Supports,
    absent: int,
) -> dict[str, object]:
    """Measure what came back, and finish the run; its metrics begin with the record."""
    back = {
        id_: parse(CameBack, line, run.folder / ANSWERS, number)
        for number, (id_, line) in enumerate(run.done.items(), start=1)
    }
    scores = [score_answer(q, back[q.id].answer, papers, back[q.id].elapsed_ms) for q in questions]
    searched = _search_metrics(questions, back, papers)
    rows = [
        QuestionScore(
            id=score.question.id,
            type=score.question.type,
            values={**question_values(score, support), **searched.get(score.question.id, {})},
        )
        for score in scores
    ]
    first = scores[0].answer
    about = {"run": run.name, **record, "papers_not_in_index": absent}
    about["answered_by"] = {"mode": first.mode, "model": first.model, "index": first.index.id}
    metrics: dict[str, object] = {
        **about,
        "answers": answer_summary(scores, support),
        "by_type": _with_retrieval(by_type(scores), rows),
        "retrieval": {"questions": len(searched), **(mean_metrics(searched) if searched else {})},
        "intervals": intervals([row.values for row in rows]),
        "environment": environment(),
    }
    title = f"{record['system']}: {run.name}"
    run.finish(metrics, rows, answers_report(title, metrics, scores, about))
    return metrics


def _with_retrieval(
    types: Mapping[str, Section], rows: Sequence[QuestionScore]
) -> dict[str, Section]:
    """The figures of each type with those of its search beside them."""
    return {
        kind: section
        | {
            name: mean_of(row.values.get(name) for row in rows if row.type == kind)
            for name in MEASURES
        }
        for kind, section in types.items()
    }


def _search_metrics(
    questions: Sequence[Question], back: Mapping[str, CameBack], papers: Sequence[Paper]
) -> dict[str, dict[str, float]]:
    """Every measure of retrieval of the questions that were searched, by id."""
    ids = {letters(paper.title): paper.id for paper in papers}
    run = {q.id: found for q in questions if (found := back[q.id].found) is not None}
    qrels = {
        # A paper that is not in the index keeps its title, so that it counts as not found.
        question.id: {ids.get(letters(title), f"absent: {title}"): 1 for title in question.papers}
        for question in questions
        if question.id in run
    }
    return query_metrics(qrels, run)


def _absent(questions: Sequence[Question], papers: Sequence[Paper], path: Path) -> set[str]:
    """The papers that the questions are about and the index does not hold."""
    wanted = {title for question in questions for title in question.papers}
    held = {letters(paper.title) for paper in papers}
    absent = {title for title in wanted if letters(title) not in held}
    if wanted and absent == wanted:
        raise InputError(f"none of the papers {path} asks about is in the index; index them first")
    return absent
