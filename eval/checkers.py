"""How well a checker of citations tells supported claims from others."""

from collections.abc import Sequence

from tqdm.auto import tqdm

from eval.datasets import Claim
from eval.report.numbers import Cell
from eval.statistics import bootstrap_auroc, bootstrap_mean
from eval.support import LocalSupport, Supports


def check_claims(claims: Sequence[Claim], support: Supports | None = None) -> dict[str, Cell]:
    """Check every claim against its evidence, by the product's own checker if none is given.

    Returns:
        Counts, and in [0, 1] or None: `accuracy` with its bootstrap interval; `precision` and
        `recall` of "supported"; `balanced_accuracy`, the mean of the recall of either label;
        `auroc`, the area under the ROC curve of the checker's scores with its bootstrap interval,
        over the claims that it gives one, which for a checker that only says yes or no is the
        balanced accuracy; `unreadable`, the claims without a verdict, which count as not supported.
    """
    checker = support or LocalSupport()
    said = [
        checker(claim.claim, [claim.evidence])
        for claim in tqdm(claims, desc="check", unit="claim", disable=None)
    ]
    wanted = [claim.label == "supported" for claim in claims]
    right = [one == other for one, other in zip(said, wanted, strict=True)]
    both = sum(one and other for one, other in zip(said, wanted, strict=True))
    neither = sum(not one and not other for one, other in zip(said, wanted, strict=True))
    recall = both / sum(wanted) if any(wanted) else None
    other_recall = neither / (len(wanted) - sum(wanted)) if not all(wanted) else None
    accuracy = bootstrap_mean(map(float, right))
    scores = [checker.score(claim.claim, [claim.evidence]) for claim in claims]
    scored = [(score, one) for score, one in zip(scores, wanted, strict=True) if score is not None]
    area = bootstrap_auroc([score for score, _ in scored], [one for _, one in scored])
    return {
        "name": checker.name,
        "claims": len(claims),
        "supported": sum(wanted),
        "accuracy": accuracy.mean if accuracy else None,
        "accuracy_low": accuracy.low if accuracy else None,
        "accuracy_high": accuracy.high if accuracy else None,
        "precision": both / sum(said) if any(said) else None,
        "recall": recall,
        "balanced_accuracy": (
            None if recall is None or other_recall is None else (recall + other_recall) / 2
        ),
        "auroc": area.mean if area else None,
        "auroc_low": area.low if area else None,
        "auroc_high": area.high if area else None,
        "unreadable": checker.unreadable,
    }
