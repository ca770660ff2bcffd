"""`abstractqa eval fit --check`: the network behind the check of citations, and its figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.fitting.claims import made_examples
from eval.fitting.support import (
    MOST_WRONG,
    SENTENCES,
    Looking,
    Seen,
    fit,
    handmade,
    labelled,
    paraphrased,
    scores,
)
from eval.statistics import auroc as bootstrap_auroc
from index.papers import Paper
from index.readers import read
from rag.support.local import WEIGHTS

COLLECTIONS = ("acl", "bio", "arxiv", "med")
SCIFACT, RAGTRUTH = "scifact", "ragtruth"
_PAIRS = (("acl", "bio"), ("arxiv", "med"))
"""Collections that are left out together."""
_FOLDS = 2
_TIMES = 3
"""So often a claim of SciFact counts: they are few, and written by people."""


def fit_check(
    data: Path, claims: Path | None = None, out: Path | None = None
) -> dict[str, dict[str, float]]:
    """Fit the network on all that there is, and write it; figures are of networks left out.

    Args:
        data: The folder of corpora and of labelled claims.
        claims: Hand-written claims on the bundled sample, to be measured too.
        out: Where to write the weights; by default where the product reads them.

    Returns:
        By what it is measured on: AUROC, and the shares of true and of false claims that are
        supported at the threshold. The threshold is chosen on collections left out.
    """
    looking = Looking()
    papers = {name: _papers(data / "corpora" / f"{name}.jsonl") for name in COLLECTIONS}
    examples = [e for name in COLLECTIONS for e in made_examples(papers[name], name, SENTENCES)]
    examples += paraphrased(papers, looking)
    made = looking.look(examples)
    scifact = looking.look(labelled(data / "faithfulness" / "scifact_claims.jsonl", SCIFACT))
    ragtruth = looking.look(labelled(data / "faithfulness" / "ragtruth_qa.jsonl", RAGTRUTH))
    sample = looking.look(handmade(claims)) if claims else []
    left: list[tuple[Seen, float]] = []
    for pair in _PAIRS:
        others = [each for each in made if each.example.group not in pair]
        own = [each for each in made if each.example.group in pair]
        left += zip(own, scores(fit([*others, *scifact * _TIMES]), own).tolist(), strict=True)
    of_scifact: list[tuple[Seen, float]] = []
    for fold in range(_FOLDS):
        own = scifact[fold::_FOLDS]
        rest = [each for at, each in enumerate(scifact) if at % _FOLDS != fold]
        weights = fit([*made, *rest * _TIMES])
        of_scifact += zip(own, scores(weights, own).tolist(), strict=True)
    both = [*left, *of_scifact]
    least = _quantile(both, 1 - MOST_WRONG, is_true=False)
    weights = fit([*made, *scifact * _TIMES])
    weights["supported"] = np.float32(least)
    weights["unsupported"] = np.float32(min(least, _quantile(both, MOST_WRONG, is_true=True)))
    np.savez_compressed(out or WEIGHTS, **{k: v.astype(np.float32) for k, v in weights.items()})
    found = {
        "made, collections left out": _figures(left, least),
        "scifact, left out": _figures(of_scifact, least),
        "ragtruth, in no fit": _figures(_scored(weights, ragtruth), least),
    }
    if sample:
        found["hand-written, in no fit"] = _figures(_scored(weights, sample), least)
        for kind in dict.fromkeys(each.example.kind for each in sample):
            own = [each for each in sample if each.example.kind == kind]
            found[f"  {kind}"] = _figures(_scored(weights, own), least)
    return found


def _quantile(scored: Sequence[tuple[Seen, float]], share: float, *, is_true: bool) -> float:
    own = [score for each, score in scored if each.example.supported is is_true]
    return float(np.quantile(own, share))


def _papers(path: Path) -> list[Paper]:
    return [each for each in read([path]) if isinstance(each, Paper)]


def _scored(weights: Any, seen: Sequence[Seen]) -> list[tuple[Seen, float]]:
    return list(zip(seen, scores(weights, seen).tolist(), strict=True))


def _figures(scored: Sequence[tuple[Seen, float]], least: float) -> dict[str, float]:
    truth = [each.example.supported for each, _ in scored]
    found = [score for _, score in scored]
    passed: dict[bool, list[bool]] = {True: [], False: []}
    for is_true, score in zip(truth, found, strict=True):
        passed[is_true].append(score >= least)
    figures = {"claims": float(len(scored))}
    if area := bootstrap_auroc(found, truth):
        figures["auroc"] = area.mean
    for name, kept in (("true supported", passed[True]), ("false supported", passed[False])):
        if kept:
            figures[name] = sum(kept) / len(kept)
    return figures


def check_text(found: dict[str, dict[str, float]]) -> str:
    """The figures as a table."""
    names = ("claims", "auroc", "true supported", "false supported")
    lines = [f"{'':30}" + "".join(f"{name:>17}" for name in names)]
    for what, figures in found.items():
        cells = [f"{figures[n]:.3f}" if n in figures and n != "claims" else "-" for n in names]
        cells[0] = f"{figures['claims']:.0f}"
        lines.append(f"{what:30}" + "".join(f"{cell:>17}" for cell in cells))
    return "\n".join(lines)
