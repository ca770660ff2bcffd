"""Ask a system every question of a file or every query of a benchmark, and measure the replies.

Both write a run (`eval.runs`), which resumes where it stopped if it was killed.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from time import perf_counter

from pydantic import BaseModel
from tqdm.auto import tqdm

from eval import datasets, scoring
from eval.datasets import Benchmark, Qrels, Question
from eval.figures import answer_summary, by_type, intervals, percentiles, question_values
from eval.report import run_report
from eval.runs import ANSWERS, QuestionScore, Run, environment
from eval.scoring import AnswerScore, Supports
from eval.systems import Subject
from index.errors import InputError
from index.papers import Paper, letters
from index.sources import sha256_of
from rag.pipeline import check_question
from rag.schema import Answer, Mode


class Reply(BaseModel):
    """The reply to one question: a line of a run's `answers.jsonl`."""

    id: str
    elapsed_ms: float
    answer: Answer | None = None
    """None for a query that is only searched."""
    found: dict[str, float] | None = None
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
    """Ask the questions of a file, or a fixed choice of `sample` of them, and return the metrics.

    `out` is the run's folder, new, empty or unfinished, by default one in `runs/`; `support`
    decides whether citations support, by default the product's own checker. Raises InputError if
    one of these cannot be used, or no gold paper is in the index.
    """
    subject.check_mode(mode)
    questions, checker = _checked(path, sample), support or Supports()
    gold, absent = _gold(path, questions, subject.papers)
    record: dict[str, object] = {
        "kind": "answers",
        "system": subject.name,
        "dataset": {"name": path.name, "sha256": sha256_of(path), "questions": len(questions)},
        "configuration": {"mode": mode, "support": checker.name, **subject.configuration},
    }
    reply = partial(_answered, subject, mode)
    with closing(Run.begin(out, path.stem, record, datasets.question_rows(questions))) as run:
        replies = _replies(run, questions, reply)
        scores = [
            scoring.score_answer(question, each.answer, subject.papers, each.elapsed_ms)
            for question, each in zip(questions, replies.values(), strict=True)
            if each.answer
        ]
        first = scores[0].answer
        values = {score.question.id: question_values(score, checker) for score in scores}
        record |= {
            "papers_not_in_index": absent,
            "answered_by": {"mode": first.mode, "model": first.model, "index": first.index.id},
            "answers": answer_summary(scores, checker),
        }
        return _finish(run, record, questions, replies, gold, values, scores)


def _answered(subject: Subject, mode: Mode, question: Question) -> Reply:
    """Ask a question, and search for it if it needs no conversation."""
    started = perf_counter()
    answer = subject.ask(question, mode)
    elapsed_ms = 1000 * (perf_counter() - started)
    # Follow-ups and questions about a digest need the history and the filters that `ask` adds.
    is_bound = bool(question.history) or question.type in ("followup", "digest")
    is_searched = question.answerable and question.papers and not is_bound
    found = scoring.ranked(subject.search(question, scoring.DEPTH)) if is_searched else None
    return Reply(id=question.id, elapsed_ms=elapsed_ms, answer=answer, found=found)


def evaluate_retrieval(
    benchmark: Benchmark, subject: Subject, out: Path | None = None
) -> dict[str, object]:
    """Search all queries by a subject that has indexed the papers; write a run, return metrics."""
    record: dict[str, object] = {
        "kind": "retrieval",
        "system": subject.name,
        "dataset": benchmark.described(),
        "configuration": {"depth": scoring.DEPTH, **subject.configuration},
    }
    queries = [
        Question(id=id_, type="query", question=text, answerable=True)
        for id_, text in benchmark.queries.items()
    ]

    def reply(query: Question) -> Reply:
        started = perf_counter()
        found = subject.search(query, scoring.DEPTH + 1)
        elapsed_ms = 1000 * (perf_counter() - started)
        # As in BEIR: a query that is a paper itself is to find the others.
        others = [hit for hit in found if hit[0] != query.id][: scoring.DEPTH]
        return Reply(id=query.id, elapsed_ms=elapsed_ms, found=scoring.ranked(others))

    with closing(Run.begin(out, benchmark.name, record, datasets.question_rows(queries))) as run:
        return _finish(run, record, queries, _replies(run, queries, reply), benchmark.qrels)


def _checked(path: Path, sample: int | None) -> list[Question]:
    """Read the questions of a file, or a sample of them, and refuse one that cannot be asked."""
    questions = datasets.load_questions(path)
    for question in questions:
        try:
            check_question(question.question)
        except InputError as error:
            raise InputError(f"{path}: question {question.id!r}: {error}") from error
    size = len(questions) if sample is None else sample
    drawn = datasets.fixed_choice([each.id for each in questions], size)
    return [question for question in questions if question.id in drawn]


def _gold(path: Path, questions: Sequence[Question], papers: Sequence[Paper]) -> tuple[Qrels, int]:
    """Return the papers that a search for each question should find, and how many are missing."""
    ids = {letters(paper.title): paper.id for paper in papers}
    gold = {
        question.id: {ids.get(letters(title), f"absent: {title}"): 1 for title in question.papers}
        for question in questions
    }
    wanted = {each for judged in gold.values() for each in judged}
    absent = wanted - set(ids.values())
    if wanted and absent == wanted:
        raise InputError(f"none of the papers {path} asks about is in the index; index them first")
    return gold, len(absent)


def _replies(
    run: Run, questions: Sequence[Question], reply: Callable[[Question], Reply]
) -> dict[str, Reply]:
    """Ask the questions that the run has no reply to, one by one; return every reply by its id."""
    asked = {question.id: question for question in questions}
    rows = run.replies(asked, lambda id_: reply(asked[id_]).model_dump(mode="json"))
    list(tqdm(rows, total=len(asked), desc="asked", unit="question", disable=None))
    kept = {each.id: each for _, each in datasets.records(Reply, run.folder / ANSWERS)}
    return {id_: kept[id_] for id_ in asked}


def _finish(
    run: Run,
    measured: Mapping[str, object],
    questions: Sequence[Question],
    replies: Mapping[str, Reply],
    gold: Qrels,
    values: Mapping[str, Mapping[str, float | None]] | None = None,
    scores: Sequence[AnswerScore] = (),
) -> dict[str, object]:
    """Measure the rankings as well, and write rankings, figures with intervals, and the report."""
    found = {id_: each.found for id_, each in replies.items() if each.found is not None}
    datasets.write_trec_run(run.folder / "run.trec", found)
    searched = scoring.query_metrics({id_: gold[id_] for id_ in found}, found)
    rows = []
    for question in questions:
        time = {"latency_ms": replies[question.id].elapsed_ms}
        known = {**(values or {}).get(question.id, {}), **searched.get(question.id, {}), **time}
        rows.append(QuestionScore(id=question.id, type=question.type, values=known))
    metrics = {
        "run": run.name,
        **measured,
        "by_type": by_type(rows),
        "retrieval": {"questions": len(searched), **scoring.mean_metrics(searched)},
        "latency_ms": percentiles([each.elapsed_ms for each in replies.values()]),
        "intervals": intervals([row.values for row in rows]),
        "environment": environment(),
    }
    run.finish(metrics, rows, run_report(metrics, questions, rows, scores))
    return metrics
