"""docs/LEADERBOARD.md: everything that is measured, as one page of Markdown."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from eval.ablate import ablation_text
from eval.leaderboard import CannotRun, Column, abstention_table, board, is_answerable
from eval.peers import PEERS, peer_versions
from eval.recorded import Recorded
from eval.report.markdown import table
from eval.report.numbers import Cell, figure
from eval.runs import package_versions
from eval.statistics import bootstrap_mean
from eval.suite import SUBSET, Result, Suite

_RANKING_OF_QUESTIONS = (
    Column("nDCG@10", "nDCG@10", form="interval"),
    Column("hit@1", "hit@1"),
    Column("MRR", "MRR"),
    Column("R@10", "R@10"),
)

_HEAD = """# Leaderboard

Made by `make leaderboard` on {date}; not written by hand. Code `{code}`, Python {python}, {cores}
cores ({cpu}), no GPU, no chat model.

Every system indexes the same abstracts, embeds with the same encoder ({encoder}), runs on the same
machine, and is measured by the same code (docs/evaluation.md has each definition). Our own
constants were set with the development questions and SciFact in sight, and our confidence was
fitted on LitSearch too: of the sets here, only the ranking of LitSearch was never tuned on.
Intervals are 95 % bootstrap intervals over questions. "p" is the paired randomization test against
AbstractQA, by the first figure of the table, corrected for how many systems there are (Holm). Bold
is the best of a column. Times are medians of one question after another, and comparable within
this page only.

Most peers write answers by a chat model alone. Without one, a peer's answer is what a recipe that
shows its sources gives: the sentences of its sources in rank order, about as many words as
AbstractQA's median answer has, which is the opening of the first abstract and seldom more. Such an
answer quotes, so it is verbatim; what differs is whether it quotes the right papers and the right
sentences. Three of them are also shown with 300 words, more than three times as long as ours (a
whole abstract and half of the next): that is what length alone buys."""


def leaderboard_page(suite: Suite) -> str:
    """Measure everything, and write the page."""
    development = suite.development()
    runs, missing = _apart(development)
    parts = [
        _HEAD.format(
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            code=str(runs[0].record["code"])[:12],
            python=platform.python_version(),
            cores=os.cpu_count(),
            cpu=platform.machine(),
            encoder=runs[0].record["configuration"]["encoder"],
        ),
        f"## Development questions: finding papers\n\n{_questions(runs)}",
        board(_ranking_alike_once(runs), _RANKING_OF_QUESTIONS, "nDCG@10"),
        f"## Development questions: answers\n\n{_answers(runs)}",
        board(runs),
        f"## Knowing when not to answer\n\n{_ABSTENTION}",
        abstention_table(runs),
        _removed(suite.removed()),
    ]
    for benchmark, results in suite.benchmarks():
        ranked, unable = _apart(results)
        missing += [each for each in unable if each.system not in {m.system for m in missing}]
        described = f"{len(benchmark.beir.papers):,} abstracts, {len(benchmark.beir.qrels)} queries"
        parts.append(f"## {benchmark.name}: {described}")
        parts.append(board(ranked) if ranked else "Nothing could be run.")
        if benchmark.name.endswith(f"-{SUBSET}"):
            parts.append(_SUBSET)
    for ablations in suite.ablations():
        dataset = ablations[0].dataset
        said = _ABLATED.get(dataset, "")
        parts.append(f"## Each part switched off: {dataset}\n\n{said}{_ABLATION}")
        parts.append(ablation_text(ablations).partition("\n\n")[2])
    parts.append(f"## The checker of citations\n\n{_checker(suite)}")
    parts.append(f"## What it takes\n\n{_cost(suite, runs[0])}")
    parts.append(f"## Versions\n\n{_versions(missing)}")
    return "\n\n".join(parts)


_RANKING_NOTE = """{n} questions that stand alone: follow-ups and questions about a digest are left
out, which need the history and the filters that answering adds."""

_ANSWER_NOTE = """{n} questions, {answerable} of them answerable. "Right" is: the right papers
cited and at least half of the facts stated, or a question that the abstracts do not answer refused.
"ALCE" is the support of sentences by what they cite, here by the local checker; whatever quotes
gets all of it. AURC is the area under the risk–coverage curve, lower is better."""

_ABSTENTION = """The unanswerable development questions, by type, and the answerable ones that were
refused needlessly. A peer that shows sources always shows some, unless none is above its cutoff
(LlamaIndex's documentation has 0.7, which here leaves nothing of nearly every question)."""

_REMOVED = """**With the paper left out.** The papers were parted in five; each part was left out of
an index in turn, and the questions with one gold paper in it were asked there. Only refusing is
right, and for most of them there is nothing in the words that says so: the question is about the
subject, and other papers are near. AbstractQA refused {refused} of {n} ({share})."""

_CHECKER = """What decides above whether a citation supports its sentence, on claims that people
wrote and labelled, whose sentences reword what abstracts and passages say. Its weights are fitted
on these sets; docs/evaluation.md has the figures held out."""

_SUBSET = f"""A fixed part of LitSearch-ACL: every relevant abstract and others drawn by the hash of
their ids, {SUBSET:,} in all, so the figures are higher than on the whole."""

_ABLATED = {
    "questions": "The questions of the gate (`eval/gate/`), written without sight of the code. ",
    "typos": "The development questions with two letters of a word swapped. ",
    "names": "Each paper whose title begins with a name, asked about by that name alone. ",
}

_ABLATION = """What each figure gains without the part, with its interval: below 0 the part pays.
"Worse / better" counts questions by "right" (by hit@1 for a benchmark)."""


def _apart(results: Iterable[Result]) -> tuple[list[Recorded], list[CannotRun]]:
    runs: list[Recorded] = []
    missing: list[CannotRun] = []
    for result in results:
        if isinstance(result, CannotRun):
            missing.append(result)
        else:
            runs.append(result)
    return runs, missing


def _ranking_alike_once(runs: Sequence[Recorded]) -> list[Recorded]:
    """The runs without the variants of a peer, which answer otherwise and rank the same."""
    return [run for run in runs if not run.record["configuration"].get("options")]


def _questions(runs: Sequence[Recorded]) -> str:
    return _RANKING_NOTE.format(n=len(runs[0].column("nDCG@10")))


def _answers(runs: Sequence[Recorded]) -> str:
    answerable = sum(is_answerable(runs[0], id_) for id_ in runs[0].scores)
    return _ANSWER_NOTE.format(n=len(runs[0].scores), answerable=answerable)


def _removed(runs: Sequence[Recorded]) -> str:
    refused = [value for run in runs for value in run.column("refused").values()]
    return _REMOVED.format(
        refused=round(sum(refused)), n=len(refused), share=figure(bootstrap_mean(refused))
    )


def _checker(suite: Suite) -> str:
    found = suite.checker()
    columns = ("claims", "supported", "auroc", "accuracy", "precision", "recall")
    rows = [[name, *(figures[column] for column in columns)] for name, figures in found.items()]
    head = ["claims of", *(column.replace("_", " ") for column in columns)]
    return f"{_CHECKER}\n\n{table(head, rows)}"


def _cost(suite: Suite, ours: Recorded) -> str:
    built = suite.build_cost()
    figures = ours.metrics["answers"]
    latency, machine = figures["latency_ms"], figures["machine"]
    rows: list[list[Cell]] = [
        ["index from nothing, s", built.seconds],
        ["abstracts a second", built.papers / built.seconds],
        ["texts embedded a second", built.texts / built.seconds],
        ["index on disk, bytes an abstract", round(built.index_bytes / built.papers)],
        ["an answer, ms: median", latency["p50"]],
        ["an answer, ms: 95th percentile", latency["p95"]],
        ["an answer, ms: 99th percentile", latency["p99"]],
        ["peak memory of measuring, MiB", round(machine["peak_memory_bytes"] / 2**20)],
        ["tokens and money", "none without a chat model"],
        ["energy, J for all answers", ours.metrics["joules"] or "the machine does not say"],
    ]
    intro = f"The {built.papers} abstracts of the development set, {built.texts:,} texts embedded."
    return f"{intro}\n\n{table(['what', 'measured'], rows)}"


def _versions(missing: Sequence[CannotRun]) -> str:
    own = [f"{name} {found}" for name, found in package_versions().items()]
    rows: list[list[Cell]] = [
        [name, ", ".join(f"{key} {found}" for key, found in peer_versions(name).items()) or None]
        for name in PEERS
    ]
    text = f"{', '.join(own)}.\n\n{table(['peer', 'packages'], rows)}"
    if missing:
        reasons: list[list[Cell]] = [[each.system, each.reason] for each in missing]
        text += f"\n\nCould not run:\n\n{table(['system', 'why'], reasons)}"
    return text
