"""Fit the check of citations (`rag.support.local`), and measure it: `abstractqa eval fit --check`.

It learns from claims that are made from the abstracts of four collections, true and false, from a
chat model's paraphrases of some of their sentences (`paraphrases.jsonl`), and from SciFact's
claims. Figures of a collection are of a network that has not seen it; RAGTruth's answers and the
hand-written claims on the bundled sample are in no fit.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from eval.datasets import read_rows
from eval.fitting.claims import EDITS, Example, made_examples
from eval.markdown import Cell, table
from eval.statistics import auroc, mean_of
from index.papers import Paper
from index.readers import read
from index.text import clean_text
from rag.support import local
from rag.support.local import Inputs, Network, Pairs, read_sentence
from rag.support.numbers import missing_names, missing_numbers

if TYPE_CHECKING:
    import torch

PARAPHRASES = Path(__file__).parent / "paraphrases.jsonl"
LEFT_OUT = (("acl", "bio"), ("arxiv", "med"))
"""The collections that claims are made from, in pairs that are left out together."""
SENTENCES, EPOCHS, BATCH = 400, 6, 64
"""Sentences of each collection that claims are made from; passes of the fit, claims at a time."""
MOST_WRONG = 0.08
"""Of the false claims that may pass as supported, and of the true ones as unsupported."""
ALIKE = 0.7
"""Cosine of a paraphrase and its sentence from which on it is taken for one."""
OF_PARAPHRASE, OF_SCIFACT = 8, 3
"""So often such a claim counts: there are few, by models and by people, and not made by rules."""
PROJECTED, HIDDEN, FOUND, MIXED = 24, 48, 16, 32
"""Widths of the layers of the network."""


class Seen(NamedTuple):
    """An example as the network sees it, each sentence of its claim for itself."""

    example: Example
    inputs: tuple[Inputs, ...]


Scored = list[tuple[Seen, float]]
"""Examples with their scores."""


def look(examples: Sequence[Example]) -> list[Seen]:
    """Align claims with what they cite."""
    seen = []
    for example in examples:
        cited = [each for text in example.cited for each in local.sentences(clean_text(text))]
        sources = [each for each in map(read_sentence, cited) if each.stems]
        claims = [
            each for each in map(read_sentence, local.statements(example.claim)) if each.stems
        ]
        found = tuple(local.inputs(claim, sources) for claim in claims if sources)
        seen.append(Seen(example, found))
    return seen


def fit_check(
    data: Path, claims: Path | None = None, out: Path | None = None
) -> dict[str, dict[str, float | None]]:
    """Fit the network on all that there is, and write it; figures are of networks left out.

    Args:
        data: The folder of corpora and of labelled claims.
        claims: Hand-written claims on the bundled sample, to be measured too.
        out: Where to write the weights; by default where the product reads them.

    Returns:
        By what it is measured on: AUROC, and the shares of true and of false claims that are
        supported at the threshold. The threshold is chosen on collections left out.
    """
    made = look(_made(data / "corpora"))
    scifact = look(labelled(data / "faithfulness" / "scifact_claims.jsonl", "scifact"))
    ragtruth = look(labelled(data / "faithfulness" / "ragtruth_qa.jsonl", "ragtruth"))
    sample = look(labelled(claims, "sample")) if claims else []
    left, of_scifact = _left_out(made, scifact)
    least = _quantile([*left, *of_scifact], 1 - MOST_WRONG, is_true=False)
    most = _quantile([*left, *of_scifact], MOST_WRONG, is_true=True)
    weights = fit([*made, *scifact * OF_SCIFACT])
    weights |= {"supported": np.float32(least), "unsupported": np.float32(min(least, most))}
    np.savez_compressed(
        out or local.WEIGHTS, **{k: v.astype(np.float32) for k, v in weights.items()}
    )
    found = {
        "made, collections left out": left,
        "scifact, left out": of_scifact,
        "ragtruth, in no fit": scored(weights, ragtruth),
        "hand-written, in no fit": scored(weights, sample),
    }
    for kind in dict.fromkeys(each.example.kind for each in sample):
        found[kind] = scored(weights, [each for each in sample if each.example.kind == kind])
    return {name: _figures(each, least) for name, each in found.items() if each}


def _left_out(made: list[Seen], scifact: list[Seen]) -> tuple[Scored, Scored]:
    """The scores of made claims and of SciFact's, each by a network that has not seen them."""
    left: Scored = []
    for pair in LEFT_OUT:
        others = [each for each in made if each.example.group not in pair]
        own = [each for each in made if each.example.group in pair]
        left += scored(fit([*others, *scifact * OF_SCIFACT]), own)
    of_scifact: Scored = []
    for fold in range(2):
        rest = fit([*made, *scifact[1 - fold :: 2] * OF_SCIFACT])
        of_scifact += scored(rest, scifact[fold::2])
    return left, of_scifact


def _made(folder: Path) -> list[Example]:
    """Claims made of each collection, and paraphrases of its sentences."""
    found: list[Example] = []
    papers: dict[str, list[Paper]] = {}
    for name in (name for pair in LEFT_OUT for name in pair):
        every = read([folder / f"{name}.jsonl"])
        papers[name] = [each for each in every if isinstance(each, Paper)]
        found += made_examples(papers[name], name, SENTENCES)
    return [*found, *paraphrased(papers)]


def paraphrased(papers: Mapping[str, Sequence[Paper]]) -> list[Example]:
    """A model's paraphrases of sentences, and edits of them that change their meaning.

    Those that lost a name or a number, or are far from their sentence, are left out.
    """
    draw = random.Random(0)  # noqa: S311 - a draw, not a secret
    by_id = {(group, paper.id): paper for group, listed in papers.items() for paper in listed}
    found: list[Example] = []
    for row in read_rows(PARAPHRASES):
        paper, text, group = (
            by_id.get((row["collection"], row["id"])),
            row["text"],
            row["collection"],
        )
        if paper is None:
            continue
        source = " ".join(clean_text(paper.abstract[row["start"] : row["end"]]).split())
        lost = missing_numbers(source, [text]) or missing_numbers(text, [source])
        one, other = (read_sentence(each).total for each in (source, text))
        cosine = float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
        if lost or missing_names(text, [paper.title, source]) or cosine < ALIKE:
            continue
        cited = (f"{paper.display_title}: {source}",)
        found += [Example(text, cited, True, "paraphrase", group)] * OF_PARAPHRASE
        for kind, edit in EDITS.items():
            if (changed := edit(text, draw)) and changed != text:
                found.append(Example(changed, cited, False, kind, group))
    return found


def labelled(path: Path, group: str) -> list[Example]:
    """Claims that people have labelled, with what they cite: a whole text, or quotes of papers."""
    found = []
    for row in read_rows(path):
        texts, is_true = row["evidence"], row["label"] == "supported"
        quotes = [] if isinstance(texts, str) else texts
        cited = tuple(f"{at['title']}: {at['quote']}" for at in quotes) or (texts,)
        found.append(Example(row["claim"], cited, is_true, row.get("kind", group), group))
    return found


def fit(seen: Sequence[Seen], seed: int = 0) -> dict[str, Any]:
    """The weights of a network that tells supported claims from others."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(2)
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    net = _net()
    rows = [(each, one) for each in seen for one in each.inputs if len(each.inputs) == 1]
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = EPOCHS * (len(rows) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps + 1)
    for _ in range(EPOCHS):
        draw.shuffle(rows)
        for at in range(0, len(rows), BATCH):
            batch = rows[at : at + BATCH]
            logits = net(_tensors([one for _, one in batch]))
            truth = torch.tensor([float(each.example.supported) for each, _ in batch])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # untyped there
            optimiser.step()
            schedule.step()
    return {name: value.detach().numpy() for name, value in net.state_dict().items()}


def _net() -> Any:
    """The network of `rag.support.local`, to be fitted."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.claim, self.cited = (
                nn.ModuleDict(
                    {
                        "project": nn.Linear(384, PROJECTED),
                        "first": nn.Linear(4 * PROJECTED + local.SCALARS, HIDDEN),
                        "second": nn.Linear(HIDDEN, FOUND),
                    }
                )
                for _ in range(2)
            )
            self.mix = nn.Linear(6 * FOUND + local.GLOBALS, MIXED)
            self.out = nn.Linear(MIXED, 1)
            self.drop = nn.Dropout(0.2)

        def pool(self, side: Any, pairs: Mapping[str, torch.Tensor]) -> torch.Tensor:
            own, other = side["project"](pairs["own"]), side["project"](pairs["other"])
            compared = (own, other, own * other, (own - other).abs(), pairs["scalars"])
            hidden = self.drop(side["first"](self.drop(torch.cat(compared, dim=2))).relu())
            mask = pairs["mask"][:, :, None]
            found = side["second"](hidden).relu() * mask
            weights = (pairs["weights"] * pairs["mask"])[:, :, None]
            weighted = (found * weights).sum(1) / weights.sum(1)
            return torch.cat((weighted, found.max(1).values, found.sum(1) / mask.sum(1)), dim=1)

        def forward(self, batch: Mapping[str, Any]) -> torch.Tensor:
            pooled = [self.pool(self.claim, batch["claim"]), self.pool(self.cited, batch["cited"])]
            mixed = self.mix(self.drop(torch.cat((*pooled, batch["whole"]), dim=1))).relu()
            logits: torch.Tensor = self.out(mixed)[:, 0]
            return logits

    return Net()


def _tensors(batch: Sequence[Inputs]) -> dict[str, Any]:
    import torch

    return {
        "claim": _padded([each.claim for each in batch]),
        "cited": _padded([each.cited for each in batch]),
        "whole": torch.from_numpy(np.stack([each.whole for each in batch])),
    }


def _padded(pairs: Sequence[Pairs]) -> dict[str, "torch.Tensor"]:
    """Pairs of words as tensors of one length, with a mask of what is there."""
    import torch

    def column(rows: Iterable[Any]) -> torch.Tensor:
        tensors = [torch.from_numpy(np.asarray(each, dtype=np.float32)) for each in rows]
        return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)

    names = ("own", "other", "scalars", "weights")
    columns = {name: column(getattr(each, name) for each in pairs) for name in names}
    return {**columns, "mask": column(np.ones(len(each.own)) for each in pairs)}


def scored(weights: Mapping[str, Any], seen: Sequence[Seen]) -> Scored:
    """The score of each example: the product of its sentences'; 0 for one with none."""
    network = Network(weights)
    return [
        (each, math.prod(map(network.probability, each.inputs)) if each.inputs else 0.0)
        for each in seen
    ]


def _quantile(found: Scored, share: float, *, is_true: bool) -> float:
    return float(np.quantile([s for each, s in found if each.example.supported is is_true], share))


def _figures(found: Scored, least: float) -> dict[str, float | None]:
    truth = [each.example.supported for each, _ in found]
    kept = {which: [s >= least for each, s in found if each.example.supported is which] for which in
            (True, False)}  # fmt: skip
    return {
        "claims": len(found),
        "auroc": auroc([score for _, score in found], truth),
        "true supported": mean_of(kept[True]),
        "false supported": mean_of(kept[False]),
    }


def check_text(found: Mapping[str, Mapping[str, float | None]]) -> str:
    """The figures as a table."""
    names = ("claims", "auroc", "true supported", "false supported")
    rows: list[list[Cell]] = [[what, *map(each.get, names)] for what, each in found.items()]
    return table(["measured on", *names], rows)
