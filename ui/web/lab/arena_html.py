"""What the arena shows: two answers with their sources, the verdict, and who stands where."""

from collections.abc import Collection, Sequence

from eval.arena import MIDDLE, SCALE, Standing, Vote, Winner, groups, scores
from index.text import clean_text
from rag.digests import label
from rag.schema import Answer, Reference
from ui.web.chat.turn_html import answer_html, doubts_html
from ui.web.lab.battles import Battle
from ui.web.render import escape

_SIDES = ("A", "B")
_VERDICTS: dict[Winner, str] = {
    "left": "You found A better.",
    "right": "You found B better.",
    "tie": "You found them equally good.",
    "both bad": "You found both bad.",
}
_MARGIN = 0.04
"""Of the axis, at each end."""


def waiting_html(question: str) -> str:
    """While both are asked."""
    status = '<p class="aqa-arena-status" role="status" aria-busy="true">Both are answering …</p>'
    return _asked(question) + status


def battle_html(battle: Battle) -> str:
    """Two answers side by side; who gave them is told once there is a vote."""
    panes = "".join(_pane(battle, place) for place in range(2))
    status = (
        _VERDICTS[battle.winner] + " Your vote counts in the standings below."
        if battle.winner
        else "Which answer is better? You will see who gave them after your vote."
    )
    return (
        f'{_asked(battle.question)}<div class="aqa-arena-panes">{panes}</div>'
        f'<p class="aqa-arena-status" role="status">{status}</p>'
    )


def problem_html(message: str) -> str:
    """A mistake the visitor can mend."""
    shown = escape(message[:1].upper() + message[1:])
    return f'<p class="aqa-arena-problem" role="alert">{shown}.</p>'


def _asked(question: str) -> str:
    return f'<h2 class="aqa-arena-question">{escape(" ".join(question.split()))}</h2>'


def _pane(battle: Battle, place: int) -> str:
    side, winner = _SIDES[place], ("left", "right")[place]
    voted, anchor = battle.winner is not None, f"arena-{side.lower()}"
    name = f"<span>{escape(battle.pair[place].name)}</span>" if voted else ""
    won = " aqa-arena-won" if battle.winner == winner else ""
    return (
        f'<section class="aqa-arena-pane{won}" aria-label="Answer {side}" tabindex="0">'
        f"<h3>{side}{name}</h3>"
        # A notice names how many sources were allowed, or how strict it was to be.
        f"{sourced_html(battle.answers[place], anchor, notice=voted)}</section>"
    )


def standings_html(votes: Sequence[Vote]) -> str:
    """The table of scores of the votes that stand, and what should be known of it."""
    if not votes:
        return (
            f'{_HEADING}<p class="aqa-arena-none">No votes yet. Ask a question above, compare the '
            "two answers, and vote: the scores appear here.</p>"
        )
    table = scores(votes)
    low, high = min(row.low for row in table), max(row.high for row in table)
    margin = _MARGIN * (high - low)
    rows = "".join(
        _row(place, row, low - margin, high + margin) for place, row in enumerate(table, start=1)
    )
    return (
        f'{_HEADING}<table class="aqa-arena-table"><caption>{len(votes):,} vote'
        f"{'s' * (len(votes) != 1)}</caption><thead><tr>"
        '<th scope="col"><span class="aqa-arena-hidden">Rank</span></th>'
        '<th scope="col">Configuration</th><th scope="col">Score</th>'
        '<th scope="col">95 % interval</th><th scope="col">Battles</th>'
        '<th scope="col">Won</th><th scope="col">Tied</th><th scope="col">Lost</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{_notes(votes)}"
    )


_HEADING = "<h2>Standings</h2>"


def _row(place: int, row: Standing, low: float, high: float) -> str:
    def at(points: float) -> float:
        return 100 * (points - low) / (high - low)

    bar = (
        f'<span class="aqa-arena-bar" aria-hidden="true"><i style="left:{at(MIDDLE):.1f}%"></i>'
        f'<b style="left:{at(row.low):.1f}%;width:{at(row.high) - at(row.low):.1f}%"></b>'
        f'<em style="left:{at(row.score):.1f}%"></em></span>'
    )
    return (
        f'<tr><td>{place}</td><th scope="row">{escape(row.name)}</th>'
        f"<td>{row.score:.0f}</td><td>{bar}<span>{row.low:.0f} – {row.high:.0f}</span></td>"
        f"<td>{row.battles:,}</td><td>{row.wins:,}</td><td>{row.ties:,}</td>"
        f"<td>{row.losses:,}</td></tr>"
    )


def _notes(votes: Sequence[Vote]) -> str:
    notes = [
        "Bradley–Terry scores by maximum likelihood, with a weak prior. A tie counts as half a win"
        f" of each, and so does “both bad”. {SCALE:.0f} points are odds of 10 to 1; the mean is"
        f" {MIDDLE:.0f}. Where two intervals overlap much, the votes do not tell the two apart."
    ]
    apart = groups(votes)
    if len(apart) > 1:
        named = "; ".join(" with ".join(sorted(group)) for group in apart)
        notes.append(
            f"No chain of battles joins these yet, so scores compare within a group only: {named}."
        )
    return "".join(f'<p class="aqa-arena-note">{escape(note)}</p>' for note in notes)


def sourced_html(answer: Answer, anchor: str, *, notice: bool = True) -> str:
    """The answer's text, its notice, and the papers it cites with what is cited of them.

    What is cited is shown only if it does not stand in the text anyway.

    Args:
        answer: Any answer; a refusal has its reason and the nearest papers instead.
        anchor: Unique on the page: the ids within begin with `aqa-source-<anchor>`.
        notice: Whether to say how the answer came about, which tells how it was made.
    """
    if answer.status != "answered":
        return _refusal(answer)
    text, marked = answer_html(answer, anchor)
    doubts = "" if marked else doubts_html(answer.doubts)
    notices = f"<p>{escape(answer.notice)}</p>" if answer.notice and notice else ""
    notes = f'<div class="aqa-arena-notes">{doubts}{notices}</div>' if doubts or notices else ""
    quoted = {sentence.text for sentence in answer.sentences}
    sources = "".join(_source(reference, anchor, quoted) for reference in answer.references)
    listed = f'<ol class="aqa-arena-sources">{sources}</ol>' if sources else ""
    return f'<div class="aqa-arena-text">{text}</div>{notes}{listed}'


def _source(reference: Reference, anchor: str, shown: Collection[str]) -> str:
    paper, id_ = reference.paper, f"aqa-source-{anchor}-{reference.number}"
    days = sorted({source.date for source in paper.sources if source.date})
    where = " · ".join(label("", day) for day in days)
    passages = [(passage.start, clean_text(passage.text)) for passage in reference.passages]
    quotes = "".join(
        f'<blockquote id="{id_}-{start}">{escape(words)}</blockquote>'
        for start, words in passages
        if not any(words in sentence for sentence in shown)
    )
    return (
        f'<li id="{id_}" tabindex="-1"><p><span class="aqa-arena-number">{reference.number}</span> '
        f"<strong>{escape(paper.display_title)}</strong>"
        f"{f' <span>{escape(where)}</span>' if where else ''}</p>{quotes}</li>"
    )


def _refusal(answer: Answer) -> str:
    reason = f"<p>{escape(answer.reason)}</p>" if answer.reason else ""
    nearest = "".join(f"<li>{escape(clean_text(near.title))}</li>" for near in answer.nearest)
    listed = f"<p>The nearest papers:</p><ul>{nearest}</ul>" if nearest else ""
    return (
        '<div class="aqa-arena-refusal"><p><strong>The abstracts do not say.</strong></p>'
        f"{reason}{listed}</div>"
    )
