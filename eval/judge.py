"""Rate recorded answers from 1 to 10 by a chat model that also writes a critique of each.

After Auto-J (Li et al. 2023, "Generative Judge for Evaluating Alignment"). The judge's agreement
with the gold labels is always reported. Judging is a run of its own (`eval.runs`), which resumes.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field
from scipy.stats import spearmanr
from tqdm.auto import tqdm

from eval.datasets import fixed_choice
from eval.report import render
from eval.runs import ANSWERS, QuestionScore, Run, environment, public_name
from eval.scoring import or_nothing, plain_text
from eval.statistics import auroc, mean_of
from index.errors import InputError
from index.sources import sha256_of
from rag.chat import Complete, Message
from rag.schema import Answer

Read = TypeVar("Read", bound=BaseModel)


class Rating(BaseModel):
    """A reply that rates an answer."""

    rating: Annotated[int, Field(ge=1, le=10)]


def rate_run(
    run: Run, complete: Complete, judge: str, out: Path | None, limit: int | None = None
) -> dict[str, object]:
    """Rate the answers of a run from 1 to 10, each with a critique, and return the metrics.

    `judge` is the model's name; `out` is a folder, new, empty or unfinished, by default in `runs/`.
    At most `limit` questions are rated, a fixed choice. Replies without a rating are in no figure
    but `unreadable`. Raises InputError if the run has no answers or the folder is taken, ChatError
    if the judge cannot be reached.
    """
    if run.kind != "answers":
        raise InputError(f"{run.folder} has no answers to judge: it measured {run.kind}")
    drawn = fixed_choice(list(run.scores), len(run.scores) if limit is None else limit)
    ids = [id_ for id_ in run.scores if id_ in drawn]
    judged = {"name": run.name, "sha256": sha256_of(run.folder / ANSWERS)}
    record = {"kind": "rating", "judge": public_name(judge), "run": judged, "questions": len(ids)}
    questions = [run.questions[id_] for id_ in ids]
    with closing(Run.begin(out, f"judge-{run.name}", record, questions)) as kept:
        ask = or_nothing(complete)
        replies = kept.replies(ids, lambda id_: {"reply": ask(_prompt(run, id_))})
        shown = tqdm(replies, total=len(ids), disable=None)
        read = {each["id"]: read_json(str(each["reply"]), Rating) for each in shown}
        ratings = {id_: float(found.rating) for id_, found in read.items() if found}
        found = {"unreadable": len(ids) - len(ratings), **_figures(run, ratings)}
        metrics = {"run": kept.name, **record, "figures": found, "environment": environment()}
        rows = [QuestionScore(id=id_, values={"rating": ratings.get(id_)}) for id_ in ids]
        kept.finish(metrics, rows)
        return metrics


def _figures(run: Run, ratings: Mapping[str, float]) -> dict[str, float | None]:
    """Measure the ratings and their agreement with the gold labels.

    `spearman` is the rank correlation of ratings and nugget recall, in [-1, 1] (Spearman 1904),
    `auroc` the chance that a right answer is rated higher than a wrong one; each is None if there
    is only one value to compare.
    """
    right, quality = run.right(), run.column("nugget_recall")
    both = [id_ for id_ in ratings if id_ in quality]
    columns = [[each[id_] for id_ in both] for each in (ratings, quality)]
    varies = all(len(set(column)) > 1 for column in columns)
    return {
        "rated": len(ratings),
        "mean": mean_of(ratings.values()),
        "spearman": float(spearmanr(*columns).statistic) if varies else None,
        "quality_gold": len(both),
        "auroc": auroc(list(ratings.values()), [right[id_] for id_ in ratings]),
    }


def _prompt(run: Run, id_: str) -> list[Message]:
    """Show the question, the answer or the reason of a refusal, and the cited passages."""
    answer = Answer.model_validate(run.came_back[id_]["answer"])
    passages = (
        f"[{reference.number}] {reference.paper.title}: "
        + " … ".join(f'"{passage.text}"' for passage in reference.passages)
        for reference in answer.references
    )
    asked = render(
        "judge_rating.txt",
        question=str(run.questions[id_]["question"]),
        answer=answer.text if plain_text(answer.text) else answer.reason or "",
        passages="\n".join(passages) or "(none: it cites nothing)",
    )
    return [
        {"role": "system", "content": render("judge_system.txt")},
        {"role": "user", "content": asked},
    ]


def read_json(reply: str, model: type[Read]) -> Read | None:
    """Return the last JSON object of a reply that is a `model`, whatever surrounds it."""
    at = reply.rfind("{")
    while at >= 0:
        try:
            return model.model_validate(json.JSONDecoder().raw_decode(reply, at)[0])
        except (ValueError, RecursionError):
            at = reply.rfind("{", 0, at)
    return None
