"""A question as it was asked, checked before anything is done, with all that belongs to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.conversation import Turn
from rag.schema import Filters, Options


@dataclass(frozen=True)
class Request:
    """A question that has been checked, with what belongs to it."""

    asked: str
    turns: tuple[Turn, ...]
    filters: Filters
    options: Options
    mask: NDArray[np.bool_]
    """The papers that pass the filters, shape (P,)."""
