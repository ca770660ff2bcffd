"""Ask every question of a file, keep every answer, and measure them."""

import json
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from tqdm.auto import tqdm

from eval.datasets import Question, load_questions
from eval.metrics.answers import AnswerScore, score_answer
from eval.metrics.summary import answer_summary, by_type
from eval.report.html import answers_report
from eval.retrieval import evaluate_question_retrieval
from eval.runs import environment, new_run_folder, public_name, write_metrics
from index.errors import InputError
from index.hashing import sha256_of
from index.papers import Paper, letters
from rag.assistant import Assistant
from rag.engine import check_mode, check_question
from rag.schema import Mode


def evaluate_answers(
    path: Path, assistant: Assistant, mode: Mode = "auto", out: Path | None = None
) -> dict[str, object]:
    """Ask the questions of a file and write a run.

    The run's folder gets `answers.jsonl` ({id, answer} a line, written as each is given),
    `metrics.json` (what is returned) and `report.html`.

    Args:
        path: The questions (`eval.datasets.load_questions`).
        assistant: Who answers.
        mode: How to answer, as in `Assistant.ask`.
        out: The run's folder, empty or new; `runs/<dataset>-<UTC timestamp>` by default.

    Raises:
        InputError: the file is broken, the mode or the folder cannot be used, or none of the
            papers asked about is in the index; nothing is made then.
    """
    check_mode(mode)
    questions = load_questions(path)
    _check_lengths(questions, path)
    papers = assistant.papers()
    absent = _absent(questions, papers, path)
    folder = new_run_folder(out, path.stem)
    scores = ask_all(questions, assistant, mode, papers, folder / "answers.jsonl")
    first = scores[0].answer
    figures = answer_summary(scores)
    types = by_type(scores)
    metrics: dict[str, object] = {
        "run": folder.resolve().name,
        "dataset": {
            "name": path.name,
            "sha256": sha256_of(path),
            "questions": len(questions),
            "papers_not_in_index": len(absent),
        },
        "configuration": {
            "mode": first.mode,
            "model": public_name(first.model) if first.model else None,
            "index": first.index.id,
            "papers": first.index.papers,
            "encoder": public_name(first.index.encoder),
        },
        "answers": figures,
        "by_type": types,
        "retrieval": evaluate_question_retrieval(questions, assistant),
        "environment": environment(),
    }
    write_metrics(folder, metrics)
    report = answers_report(f"Answers to {path.name}", figures, types, scores)
    (folder / "report.html").write_text(report, encoding="utf-8")
    return metrics


def ask_all(
    questions: Sequence[Question],
    assistant: Assistant,
    mode: Mode,
    papers: Sequence[Paper],
    log: Path,
) -> list[AnswerScore]:
    """Ask each question, one at a time, and write each answer to `log` before the next."""
    scores: list[AnswerScore] = []
    with log.open("w", encoding="utf-8") as file:
        for question in tqdm(questions, desc="answers", unit="question", disable=None):
            history = [turn.model_dump() for turn in question.history]
            started = perf_counter()
            answer = assistant.ask(question.question, history=history, mode=mode)
            elapsed_ms = 1000 * (perf_counter() - started)
            record = {"id": question.id, "answer": answer.model_dump(mode="json")}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
            scores.append(score_answer(question, answer, papers, elapsed_ms))
    return scores


def _check_lengths(questions: Sequence[Question], path: Path) -> None:
    for question in questions:
        try:
            check_question(question.question)
        except InputError as error:
            raise InputError(f"{path}: question {question.id!r}: {error}") from error


def _absent(questions: Sequence[Question], papers: Sequence[Paper], path: Path) -> set[str]:
    """The papers that the questions are about and the index does not hold."""
    wanted = {title for question in questions for title in question.papers}
    held = {letters(paper.title) for paper in papers}
    absent = {title for title in wanted if letters(title) not in held}
    if wanted and absent == wanted:
        raise InputError(f"none of the papers {path} asks about is in the index; index them first")
    return absent
