"""What can meet in the arena: named ways of answering, those that are really there."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.schema import AnswerMode, Options

if TYPE_CHECKING:
    from rag import Assistant

MOST_MODELS = 20
"""Of those that an endpoint lists; some list hundreds."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way of answering, under the name that its votes are counted by."""

    name: str
    mode: AnswerMode
    options: Options = field(default_factory=Options)
    is_drawn: bool = True
    """Whether it meets others by chance; other models of the endpoint only when they are chosen,
    since an endpoint may list what cannot chat, or costs more."""


QUOTES = (
    Configuration("Quotes", "extractive"),
    Configuration("Quotes, strict", "extractive", Options(strictness="strict")),
    Configuration("Quotes, lenient", "extractive", Options(strictness="lenient")),
    Configuration("Quotes, 1 source", "extractive", Options(sources=1)),
    Configuration("Quotes, 3 sources", "extractive", Options(sources=3)),
)


def configurations(assistant: "Assistant") -> dict[str, Configuration]:
    """The configurations by name: quotes, then what each model of the endpoint writes."""
    models = assistant.chat_models()[:MOST_MODELS]
    written = [
        configuration
        for place, model in enumerate(models)
        for configuration in (
            Configuration(model, "generative", Options(model=model), place == 0),
            Configuration(
                f"{model}, strict", "generative", Options(model=model, strictness="strict"),
                place == 0,
            ),
        )
    ]  # fmt: skip
    return {configuration.name: configuration for configuration in (*QUOTES, *written)}
