"""What the public endpoints take."""

import inspect

from ui.web.api import ENDPOINTS, Programs


def parameters() -> dict[str, tuple[str, ...]]:
    """The names of the arguments of each endpoint, in order."""
    return {
        name: tuple(inspect.signature(getattr(Programs, name)).parameters)[1:] for name in ENDPOINTS
    }
