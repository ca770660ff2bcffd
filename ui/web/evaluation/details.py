"""One run: what was run on what, its main figures, and each type of question."""

from eval.figures import as_interval
from eval.report import HEAD
from eval.runs import REPORT, Recorded
from eval.statistics import Interval, breakdown
from eval.tables import figure as shown
from eval.tables import interval
from ui.web.evaluation.plots import by_type
from ui.web.evaluation.runs_table import words
from ui.web.render import escape

_FIGURES = {"answers": HEAD, "retrieval": ("hit@1", "nDCG@10", "MRR", "MAP", "R@5", "R@10")}


def details_html(run: Recorded, name: str) -> str:
    """The run `name` of the catalogue, whole but for its questions."""
    stored = run.metrics.get("intervals", {})
    tiles = "".join(
        _tile(words(each), found)
        for each in _FIGURES[run.kind]
        if each in stored and (found := as_interval(stored[each]))
    )
    configuration = run.record.get("configuration", {})
    about = ", ".join(
        f"{words(key)} {value}"
        for key, value in configuration.items()
        if isinstance(value, str | int) and len(str(value)) <= 40
    )
    report = (
        f'<p class="aqa-evaluation-note">Every figure and question: <code>'
        f"{escape(str(run.folder / REPORT))}</code></p>"
        if (run.folder / REPORT).exists()
        else ""
    )
    return (
        f'<h2 id="aqa-evaluation-run" tabindex="-1">{escape(name)}</h2>'
        f'<p class="aqa-evaluation-note">{escape(run.system)} on '
        f"{escape(str(run.record['dataset']['name']))}, {len(run.scores):,} questions"
        f"{f'; {escape(about)}' if about else ''}</p>"
        f'<div class="aqa-evaluation-sides"><dl class="aqa-evaluation-tiles">{tiles}</dl>'
        f"<div>{by_type(run.primary, {run.system: types_of(run)})}</div></div>"
        f"{report}"
    )


def types_of(run: Recorded) -> dict[str, Interval]:
    """How often each type of question went right."""
    column = run.column(run.primary)
    kinds = dict.fromkeys(score.type for score in run.scores.values())
    return breakdown(
        {
            kind: [column.get(id_) for id_, score in run.scores.items() if score.type == kind]
            for kind in kinds
        }
    )


def _tile(name: str, found: Interval) -> str:
    places = 2 if abs(found.mean) < 10 else 0
    return (
        f"<div><dt>{escape(name)}</dt><dd><strong>{shown(found.mean)}</strong> "
        f"<small>{interval(found, places)} n {found.n:,}</small></dd></div>"
    )
