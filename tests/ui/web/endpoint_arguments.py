"""What the public endpoints take."""

from ui.web.api import ARGUMENTS


def parameters() -> dict[str, tuple[str, ...]]:
    """The names of the arguments of each endpoint, in order."""
    return {name: tuple(model.model_fields) for name, model in ARGUMENTS.items()}
