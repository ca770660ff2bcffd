"""What shows where the product could be better or got worse, and makes questions for that."""

import json
from argparse import Namespace
from contextlib import ExitStack

from index.errors import AbstractQAError
from ui.evaluation.choices import asking, settings_of, write_text
from ui.terminal import note, say

_WRITER_TOKENS = 200
_WRITER_TEMPERATURE = 0.3


def ablate(arguments: Namespace) -> int:
    """Leave each part out in turn."""
    from eval.ablate import ablate_answers, ablate_retrieval, ablation_text, as_json
    from eval.datasets import load_beir
    from eval.retrieval import Benchmark
    from eval.runs import new_run_folder

    settings = settings_of(arguments)
    out = arguments.out or new_run_folder("ablation")
    benchmark = arguments.beir and Benchmark(
        arguments.beir.resolve().name, load_beir(arguments.beir)
    )
    found = ablate_answers(arguments.questions, settings.store, settings, out)
    if benchmark:
        found += ablate_retrieval(benchmark, settings, out)
    text = ablation_text(found)
    write_text(out / "ablation.md", text + "\n")
    say(json.dumps([as_json(each) for each in found]) if arguments.json else text)
    return 0


def fit(arguments: Namespace) -> int:
    """Fit every model behind the answers; first measure them on collections left out, if asked."""
    from eval.fitting.left_out import answer_left_out, figures, left_out_text
    from eval.fitting.run import fit as fit_models
    from eval.fitting.run import load_material, record_path, record_text
    from eval.vector_cache import CachedEncoder

    encoder = CachedEncoder.open(settings_of(arguments).encoder)
    material = load_material(arguments.data, encoder)
    found: dict[str, dict[str, float | int | None]] = {}
    if arguments.leave_out:
        found = {name: figures(scores) for name, scores in answer_left_out(material)}
    path = arguments.out or record_path(encoder.name)
    write_text(path, record_text(fit_models(material)))
    if found and not arguments.json:
        say(left_out_text(found))
    say(json.dumps({"record": path.name, "left_out": found}))
    note(f"The models are in {path}.")
    return 0


def fit_check(arguments: Namespace) -> int:
    """Fit the check of citations, and say how well it does on what it has not seen."""
    from eval.fitting.check import check_text, fit_check

    found = fit_check(arguments.data, arguments.claims, arguments.out)
    say(json.dumps(found) if arguments.json else check_text(found))
    return 0


def gate(arguments: Namespace) -> int:
    """Check that nothing got worse on the fixed set, and on the left-out sets if they are there."""
    from eval.fitting.run import load_material
    from eval.gate.regressions import (
        BASELINE,
        LEFT_OUT,
        ask_gate,
        ask_left_out,
        drops,
        gate_subject,
        read_baseline,
        write_baseline,
    )
    from eval.vector_cache import CachedEncoder

    settings = settings_of(arguments)
    encoder = CachedEncoder.open(settings.encoder)
    with gate_subject(settings, encoder) as subject:
        scores = {BASELINE: ask_gate(subject)}
    if arguments.data:
        scores[LEFT_OUT] = ask_left_out(load_material(arguments.data, encoder))
    count = sum(map(len, scores.values()))
    if arguments.update:
        for path, found in scores.items():
            write_baseline(found, path)
        say(json.dumps({"baseline": count}) if arguments.json else "The baseline is new.")
        return 0
    fallen = [drop for path, now in scores.items() for drop in drops(read_baseline(path), now)]
    if arguments.json:
        fell = [{"capability": d.capability, "worse": list(d.paired.losses)} for d in fallen]
        say(json.dumps({"questions": count, "fell": fell}))
    else:
        say("\n".join(map(str, fallen)) or f"Nothing got worse on {count} questions.")
    if fallen:
        raise AbstractQAError(
            f"{len(fallen)} capabilities fell: {', '.join(d.metric for d in fallen)}"
        )
    return 0


def synthesize(arguments: Namespace) -> int:
    """Write questions for the papers of an index."""
    from eval.runs import new_run_folder
    from eval.synthesis import synthesize as write_questions
    from eval.vector_cache import CachedEncoder
    from index.store import Index

    settings = settings_of(arguments)
    index = Index.open(settings.store)
    encoder = CachedEncoder.open(settings.encoder)
    out = arguments.out or new_run_folder("questions")
    with ExitStack() as stack:
        complete, model = None, None
        if settings.chat_model and not arguments.cloze:
            complete, model = stack.enter_context(
                asking(settings, _WRITER_TOKENS, _WRITER_TEMPERATURE, arguments.seed)
            )
        record = write_questions(
            index,
            encoder,
            arguments.n,
            out,
            complete=complete,
            model=model,
            examples=arguments.examples,
            seed=arguments.seed,
            unanswerable=arguments.unanswerable,
            k=arguments.k,
        )
    if not complete and not arguments.cloze:
        note("No chat model is configured: these are fill-in questions (type cloze).")
    if arguments.json:
        say(json.dumps(record, ensure_ascii=False))
    else:
        say(
            f"{record['questions']} questions in {out / 'questions.jsonl'}; ask them of the index"
            f" beside them, from which the unanswerable ones' papers are gone:\n"
            f"abstractqa eval answers {out / 'questions.jsonl'} --store {out / 'store'}"
        )
    return 0
