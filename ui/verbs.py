"""The kinds of measuring of `abstractqa eval`; heavy imports are inside their functions."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import AbstractQAError, InputError
from ui.arguments import JSON, MODE, STORE, Entry, command, file, number, settings_of, switch, word
from ui.terminal import note, say_result, wrap

if TYPE_CHECKING:
    from eval.systems import Subject
    from index.embedding import SentenceEncoder
    from rag.chat import Complete, Message
    from rag.settings import Settings

OURS = "abstractqa"
WRITES = "llamaindex-citation"  # the only peer that writes answers with a chat model
_OUT = file("--out", "folder of the run, new or unfinished (default: in runs/)", "DIR")
_SETS = "folder of question sets and their collections"
_DATA = file("--data", f"{_SETS} (default: ../shared)", "DIR", default=Path("../shared"))
_ABOUT = "what to measure: %(default)s, or a peer of docs/evaluation.md"
_SYSTEM = word("--system", _ABOUT, default=OURS, metavar="NAME")
KINDS: dict[str, Entry] = {}  # all by name, in the order of the help


@command(
    KINDS,
    file("dataset", "a BEIR folder", "DATASET_DIR"),
    word("--split", "the relevance judgements to use (default: %(default)s)", default="test"),
    number("--size", "only N papers: the relevant ones and a fixed sample of the rest"),
    file("--run", "measure this ranking, in TREC's format"),
    *(_SYSTEM, _OUT, JSON),
)
def retrieval(arguments: Namespace) -> None:
    """Rank the papers of a benchmark."""
    from eval.datasets import fixed_subset, load_beir
    from eval.measuring import evaluate_retrieval
    from eval.peers import peer_subject
    from eval.systems import benchmark_store, open_ours, replay_ranking

    settings = settings_of(arguments)
    benchmark = load_beir(arguments.dataset, arguments.split)
    if arguments.size is not None:
        benchmark = fixed_subset(benchmark, arguments.size)
    encoder = encoder_of(settings)
    if arguments.run:
        if arguments.system != OURS:
            raise InputError("--run measures an existing ranking: omit --system")
        subject = replay_ranking(arguments.run, benchmark)
    elif arguments.system == OURS:
        subject = open_ours(benchmark_store(benchmark.papers, encoder), settings)
    else:
        subject = peer_subject(arguments.system, benchmark.papers, encoder)
    _say_metrics(arguments, evaluate_retrieval(benchmark, subject, arguments.out))


@command(
    KINDS,
    file("questions", metavar="QUESTIONS.jsonl"),
    MODE,
    number("--sample", "ask only a fixed sample of N questions"),
    word("--without", "leave this part out, to measure its effect", metavar="PART"),
    word("--left-out", "use models fitted without this collection of --data", metavar="NAME"),
    _DATA,
    file("--answers", "measure these answers, in Ragnarök's JSON"),
    switch("--judge", "check citations with the chat model"),
    *(STORE, _SYSTEM, _OUT, JSON),
)
def answers(arguments: Namespace) -> None:
    """Answer a file of questions."""
    from eval.measuring import evaluate_answers
    from eval.runs import public_name
    from eval.scoring import Supports, or_nothing
    from rag.support import JudgeChecker

    settings = settings_of(arguments)
    asking = _asking(settings, most=8) if arguments.judge else nullcontext(None)
    with asking as model, _answering(arguments, settings) as subject:
        support = None
        if model:
            support = Supports(JudgeChecker(or_nothing(model[0]), public_name(model[1])))
        given = (arguments.questions, subject, arguments.mode, arguments.out, support)
        metrics = evaluate_answers(*given, sample=arguments.sample)
    if absent := metrics["papers_not_in_index"]:
        note(f"{absent} gold papers are not in the index, and count as not found: check titles.")
    _say_metrics(arguments, metrics)


@contextmanager
def _answering(arguments: Namespace, settings: "Settings") -> Iterator["Subject"]:
    """Yield what to measure: this product, a peer over its papers, or the given answers."""
    from eval.peers import peer_subject
    from eval.systems import open_ours, replay_answers
    from rag.chat import ChatModel

    given = [arguments.answers, arguments.without, arguments.left_out, arguments.system != OURS]
    if sum(map(bool, given)) > 1:
        raise InputError("use only one of --answers, --without, --left-out and --system")
    if arguments.answers and arguments.mode != "auto":
        raise InputError("--answers measures existing answers: omit --mode")
    fitted = None
    if left_out := arguments.left_out:
        from eval.fitting import run

        if left_out not in run.SOURCES:
            raise InputError(f"no collection {left_out!r}; choose one of {', '.join(run.SOURCES)}")
        fitted = run.fit(run.load_material(arguments.data, encoder_of(settings)), left_out)
    ours = open_ours(settings.store, settings, arguments.without, fitted)
    if left_out:
        ours = replace(ours, configuration={**ours.configuration, "left_out": left_out})
    if arguments.answers:
        yield replay_answers(arguments.answers, arguments.questions, ours.papers)
    elif arguments.system == OURS:
        yield ours
    else:
        writes = arguments.mode == "generative"
        if writes and arguments.system != WRITES:
            needs = f"--mode generative needs {OURS} or {WRITES}"
            raise InputError(f"{arguments.system} writes no answers: {needs}")
        with ChatModel.open(settings) if writes else nullcontext(None) as llm:
            yield peer_subject(arguments.system, ours.papers, encoder_of(settings), llm)


@command(KINDS, file("before", metavar="RUN"), file("after", metavar="RUN"), JSON)
def compare(arguments: Namespace) -> None:
    """Set one run against another, question by question."""
    from eval.changes import compare_runs, comparison_text
    from eval.runs import load_run

    compared = compare_runs(load_run(arguments.before), load_run(arguments.after))
    say_result(arguments, compared, comparison_text(compared))


@command(
    KINDS, file("runs", metavar="RUN", nargs="+"), file("--out", "write the Markdown to FILE"), JSON
)
def leaderboard(arguments: Namespace) -> None:
    """Print tables of runs, systems side by side."""
    from eval.changes import boards
    from eval.runs import load_run

    text = boards([load_run(folder) for folder in arguments.runs])
    if arguments.out:
        _write_text(arguments.out, text + "\n")
    say_result(arguments, {"markdown": text}, text)


@command(
    *(KINDS, file("run", metavar="RUN"), _OUT, JSON),
    number("--limit", "only a fixed sample of N questions"),
)
def judge(arguments: Namespace) -> None:
    """Let the chat model rate a run's answers, from 1 to 10."""
    from eval.judge import rate_run
    from eval.runs import load_run

    run = load_run(arguments.run)
    with _asking(settings_of(arguments), most=700) as model:
        _say_metrics(arguments, rate_run(run, *model, arguments.out, arguments.limit))


@command(
    KINDS,
    switch("--update", "make today's figures the baseline"),
    file("--data", f"{_SETS}, to check as well", "DIR"),
    JSON,
)
def gate(arguments: Namespace) -> None:
    """Check that nothing got worse on the fixed set of the repository."""
    from eval import changes as fixed
    from eval.fitting.run import load_material

    settings = settings_of(arguments)
    encoder = encoder_of(settings)
    with fixed.gate_subject(settings, encoder) as subject:
        scores = {fixed.BASELINE: fixed.ask_gate(subject)}
    if arguments.data:
        scores[fixed.LEFT_OUT] = fixed.ask_left_out(load_material(arguments.data, encoder))
    count = sum(map(len, scores.values()))
    if arguments.update:
        for path, found in scores.items():
            fixed.write_baseline(found, path)
        say_result(arguments, {"baseline": count}, "The baseline was updated.")
        return
    fallen = [
        drop
        for path, now in scores.items()
        for drop in fixed.drops(fixed.read_baseline(path), now).items()
    ]
    fell = [{"figure": name, "worse": drop.lower} for name, drop in fallen]
    text = "\n".join(fixed.drop_text(*drop) for drop in fallen)
    nothing = f"Nothing got worse on {count} questions."
    say_result(arguments, {"questions": count, "fell": fell}, text or nothing)
    if fallen:
        names = ", ".join(name for name, _ in fallen)
        raise AbstractQAError(f"{len(fallen)} figures fell: {names}")


@command(
    KINDS,
    _DATA,
    switch("--leave-out", "also measure them on collections they were not fitted on"),
    switch("--check", "fit only the citation check, not the other models"),
    file("--claims", "with --check: measure it on these labelled claims too"),
    file("--out", "write the models to FILE (default: where they are used)"),
    JSON,
)
def fit(arguments: Namespace) -> None:
    """Fit the models behind the answers, and write them into the product."""
    from eval.fitting import run, wordings

    if arguments.check:
        from eval.fitting.check import check_text, fit_check

        checked = fit_check(arguments.data, arguments.claims, arguments.out)
        say_result(arguments, checked, check_text(checked))
        return
    settings = settings_of(arguments)
    encoder = encoder_of(settings)
    material = run.load_material(arguments.data, encoder)
    scores = run.answer_left_out(material) if arguments.leave_out else ()
    found = {name: run.figures(each) for name, each in scores}
    path = arguments.out or run.record_path(encoder.name)
    _write_text(path, run.record_text(run.fit(material)))
    note(f"The models are in {path}.")
    text, document = "", {"record": path.name, "left_out": found}
    if arguments.leave_out:
        kinds = document["kinds_of_wordings"] = wordings.kinds_left_out(encoder)
        text = f"{run.left_out_text(found)}\nKinds of left-out wordings read correctly: {kinds:.3f}"
    say_result(arguments, document, text)


@command(
    KINDS,
    number("--n", "number of questions", 200),
    number("--unanswerable", "share whose papers are removed", 0.2, "SHARE"),
    number("--seed", "random seed for the order of the papers", 0),
    switch("--cloze", "write fill-in questions even if a chat model is configured"),
    *(STORE, _OUT, JSON),
)
def synthesize(arguments: Namespace) -> None:
    """Write questions for the papers of an index."""
    from eval import synthesis
    from eval.runs import new_run_folder
    from index.store import Index

    settings = settings_of(arguments)
    made_from = Index.open(settings.store), encoder_of(settings)
    out = arguments.out or new_run_folder("questions")
    numbers = {name: getattr(arguments, name) for name in ("n", "seed", "unanswerable")}
    writes = settings.chat_model and not arguments.cloze
    # Weak models repeat themselves at temperature 0.
    asking = _asking(settings, 200, 0.3, arguments.seed) if writes else nullcontext(None)
    with asking as model:
        record = synthesis.synthesize(*made_from, out, model, **numbers)
    if not writes and not arguments.cloze:
        note("No chat model is configured: these are fill-in questions (type cloze).")
    text = (
        f"{record['questions']} questions in {out / 'questions.jsonl'}; ask them of the index"
        f" next to them, which lacks the papers of the unanswerable ones:\n"
        f"abstractqa eval answers {out / 'questions.jsonl'} --store {out / 'store'}"
    )
    say_result(arguments, record, text)


@command(
    *(KINDS, file("--out", "write them to FILE, for eval answers"), JSON),
    word("--vote", "which votes (default: all)", choices=("up", "down", "all"), default="all"),
)
def cases(arguments: Namespace) -> None:
    """List the answers that readers voted on, and make questions of them."""
    from eval.datasets import write_questions
    from eval.feedback import FILE, case, is_case, load

    folder = settings_of(arguments).data
    voted = [each for each in load(folder) if arguments.vote in ("all", each.vote)]
    if arguments.out:
        found = [case(each) for each in voted if is_case(each)]
        if not found:
            raise InputError(f"there is nothing to write: no such vote in {folder / FILE}")
        write_questions(arguments.out, found)
        note(f"{len(found)} cases in {arguments.out}")
        if left := len(voted) - len(found):
            note(f"{left} left out: refused because of filters, which test questions do not have.")
        if down := sum(each.type == "downvoted" for each in found):
            missing = "the right answer is unknown; add papers, evidence and nuggets."
            note(f"{down} voted down: {missing}")
    lines = []
    for each in voted:
        first, below = f"{each.vote or '':<5}{each.asked.date()}  ", " " * 17
        for text, indent in ((each.question, first), (each.reason or "no reason given", below)):
            lines.append(wrap(" ".join(text.split()), indent, below))
    if not voted:
        note(f"No such vote in {folder / FILE}: the thumbs below an answer add them.")
    say_result(arguments, voted, "\n".join(lines))


def encoder_of(settings: "Settings") -> "SentenceEncoder":
    """Open the encoder that the settings name."""
    from index.embedding import SentenceEncoder

    return SentenceEncoder.open(settings.encoder, settings.secret_of_encoder)


@contextmanager
def _asking(
    settings: "Settings", most: int, temperature: float = 0, seed: int | None = None
) -> Iterator[tuple["Complete", str]]:
    """Yield the chat model as a function, at most `most` tokens a reply, and its name."""
    from rag.chat import ChatModel

    limits = {"max_tokens": most, "temperature": temperature, "seed": seed}
    with ChatModel.open(settings) as model:

        def complete(messages: list["Message"]) -> str:
            return model.complete(messages, **limits).text

        yield complete, model.name


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _say_metrics(arguments: Namespace, metrics: Mapping[str, Any]) -> None:
    """Print the main figures, or all as JSON, and the folder that has every figure."""
    from eval.figures import MAIN
    from eval.markdown import Cell, table
    from eval.statistics import Interval

    title = str(metrics["run"])
    note(f"Every figure is in {arguments.out or Path('runs') / title}.")
    if system := metrics.get("system"):
        title = f"{title}: {system} on {metrics['dataset']['name']}"
    means = metrics.get("intervals", {})
    rows: list[list[Cell]] = [
        [name, Interval(**means[name]), means[name]["n"]] for name in MAIN if name in means
    ]
    rows += [[name, value, None] for name, value in metrics.get("figures", {}).items()]
    text = f"{title}\n\n{table(['figure', 'mean, 95 % interval', 'questions'], rows)}"
    say_result(arguments, metrics, text)
