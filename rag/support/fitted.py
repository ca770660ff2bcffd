"""The numbers of `rag.support.local`, fitted by `eval.calibrate_support`; docs/evaluation.md."""

from types import MappingProxyType

from rag.support.scoring import Model

FITTED = Model(
    bias=-1.87,
    weights=MappingProxyType(
        {
            "cosine": 1.03,
            "coverage": 3.80,
            "opposed": -4.94,
            "agreed": 0.75,
            "directed": -0.48,
            "denial_differs": -0.56,
            "length": -0.44,
        }
    ),
    shift=3.68,
    supported=0.71,
    partly=0.30,
)
