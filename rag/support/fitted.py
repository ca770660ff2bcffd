"""The numbers of `rag.support.local`, fitted by `eval.calibrate_support`; docs/evaluation.md."""

from types import MappingProxyType

from rag.support.scoring import Model

FITTED = Model(
    bias=-1.92,
    weights=MappingProxyType(
        {
            "cosine": 1.04,
            "coverage": 3.81,
            "opposed": -5.02,
            "agreed": 0.73,
            "directed": -0.43,
            "denial_differs": -0.56,
            "length": -0.44,
        }
    ),
    shift=3.70,
    supported=0.75,
    partly=0.30,
)
