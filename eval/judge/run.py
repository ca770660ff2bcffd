"""Judging recorded runs: one run's answers rated, or two runs' answers compared.

It is a run of its own (`eval.runs`): `answers.jsonl` has every reply of the judge, whole, written
as it comes, and judging that was killed goes on where it stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path, PurePath

from pydantic import TypeAdapter
from tqdm.auto import tqdm

from eval.answers import CameBack
from eval.judge.pairwise import Pair, Preference, Verdict, compare, verdict_figures
from eval.judge.prompts import response
from eval.judge.single import Item, Rating, rate, rating_figures
from eval.recorded import Recorded
from eval.runs import ANSWERS, QuestionScore, Run, environment
from index.errors import InputError
from index.sources import sha256_of
from rag.chat import Complete

QUALITY = "nugget_recall"
"""The gold quality that verdicts are held against."""

_RATING = TypeAdapter(Rating)
_VERDICT = TypeAdapter(Verdict)
_FIRST_BETTER: Mapping[Preference, float] = {"first": 1.0, "tie": 0.5, "second": 0.0}


def rate_run(
    run: Recorded,
    complete: Complete,
    judge: str,
    out: Path | None,
    limit: int | None = None,
    at_once: int = 1,
) -> dict[str, object]:
    """Rate the answers of a run from 1 to 10, each with a critique.

    Args:
        run: The answers.
        complete: The judge.
        judge: Its name, for the record.
        out: The folder, new, empty or unfinished; in `runs/` by default.
        limit: How many questions at most: those with the lowest SHA-256 of their id.
        at_once: Requests under way at a time, at least 1.

    Returns:
        What `metrics.json` holds: the figures of `rating_figures` beside the record.

    Raises:
        InputError: the run is not one of answers, or the folder is taken.
        ChatError: the judge cannot be asked; what it said so far is kept.
    """
    ids = _chosen(run.scores, [run], limit)
    record = _record("rating", judge, [run], ids)
    items = [_item(run, id_) for id_ in ids]
    asked = [run.questions[id_] for id_ in ids]
    with Run.begin(out, f"judge-{run.name}", record, asked) as kept:
        waiting = [item for item in items if item.id not in kept.done]
        said = rate(waiting, complete, at_once=at_once)
        for rating in tqdm(said, total=len(waiting), desc="judge", disable=None):
            kept.append(asdict(rating))
        ratings = [_RATING.validate_python(line) for line in kept.done.values()]
        scores = [QuestionScore(r.id, run.scores[r.id].type, {"rating": r.rating}) for r in ratings]
        return _finish(kept, record, rating_figures(items, ratings), scores)


def compare_answers(
    first: Recorded,
    second: Recorded,
    complete: Complete,
    judge: str,
    out: Path | None,
    limit: int | None = None,
    at_once: int = 1,
) -> dict[str, object]:
    """Ask which of two runs' answers is better, each pair in both orders; see `rate_run`."""
    ids = _chosen([id_ for id_ in first.scores if id_ in second.scores], [first, second], limit)
    record = _record("preference", judge, [first, second], ids)
    pairs = [_pair(first, second, id_) for id_ in ids]
    asked = [first.questions[id_] for id_ in ids]
    with Run.begin(out, f"judge-{first.name}-{second.name}", record, asked) as kept:
        waiting = [pair for pair in pairs if pair.id not in kept.done]
        said = compare(waiting, complete, at_once=at_once)
        for verdict in tqdm(said, total=len(waiting), desc="judge", disable=None):
            kept.append(asdict(verdict))
        verdicts = [_VERDICT.validate_python(line) for line in kept.done.values()]
        scores = [
            QuestionScore(
                verdict.id,
                first.scores[verdict.id].type,
                {"first_better": _FIRST_BETTER[best] if (best := verdict.preference) else None},
            )
            for verdict in verdicts
        ]
        return _finish(kept, record, verdict_figures(pairs, verdicts), scores)


def _record(
    kind: str, judge: str, runs: Sequence[Recorded], ids: Sequence[str]
) -> dict[str, object]:
    judged = [{"name": run.name, "sha256": sha256_of(run.folder / ANSWERS)} for run in runs]
    name = PurePath(judge).name if PurePath(judge).is_absolute() else judge
    return {"kind": kind, "judge": name, "runs": judged, "questions": len(ids)}


def _finish(
    kept: Run,
    record: Mapping[str, object],
    figures: Mapping[str, float | int | None],
    scores: Sequence[QuestionScore],
) -> dict[str, object]:
    metrics = {"run": kept.name, **record, "figures": dict(figures), "environment": environment()}
    kept.finish(metrics, scores)
    return metrics


def _chosen(
    ids: Sequence[str] | Mapping[str, object], runs: Sequence[Recorded], limit: int | None
) -> list[str]:
    """The questions to judge, in their order."""
    for run in runs:
        if run.kind != "answers":
            raise InputError(f"{run.folder} has no answers to judge: it measured {run.kind}")
    if not ids:
        raise InputError(f"{runs[0].folder} and {runs[-1].folder} have no question in common")
    if limit is not None and limit < 1:
        raise InputError(f"--limit {limit} is too small; give at least 1")
    drawn = sorted(ids, key=lambda id_: sha256(id_.encode()).hexdigest())[:limit]
    return [id_ for id_ in ids if id_ in set(drawn)]


def _item(run: Recorded, id_: str) -> Item:
    came_back = CameBack.model_validate(run.came_back[id_])
    values = run.scores[id_].values
    return Item(
        id_,
        str(run.questions[id_]["question"]),
        response(came_back.answer),
        values.get(QUALITY),
        bool(values["right"]),
    )


def _pair(first: Recorded, second: Recorded, id_: str) -> Pair:
    one, other = (_item(run, id_) for run in (first, second))
    gold: Preference | None = None
    if one.quality is not None and other.quality is not None:
        better: Preference = "first" if one.quality > other.quality else "second"
        gold = "tie" if one.quality == other.quality else better
    return Pair(id_, one.question, one.response, other.response, gold)
