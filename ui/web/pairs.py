"""Papers worth comparing: each has a name, and they are near each other."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from index.errors import InputError

if TYPE_CHECKING:
    from rag import Assistant


def near_pairs(assistant: "Assistant", names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pair named papers with near ones that are named too, no paper twice; the first 40 are tried.

    Args:
        assistant: The one whose index has them.
        names: Of each paper that may be paired, by its id.
    """
    left = dict(names)
    for one in islice(names, 40):
        if one not in left:
            continue
        name = left.pop(one)
        try:
            near = assistant.similar(one, 5)
        except InputError:  # removed since
            continue
        other = next((hit.paper.id for hit in near if hit.paper.id in left), None)
        if other is not None:
            yield name, left.pop(other)
