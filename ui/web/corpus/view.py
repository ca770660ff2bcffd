"""What a visitor looks at in the tab: the browser keeps it and sends it with each request."""

import datetime as dt
import json
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ui.web.render import escape

Sort = Literal["title", "date", "digest"]
LONGEST_WORDS = 200
"""Code points of a search for papers."""
LONGEST_NAME = 1_000
"""Code points of the name of a digest and of a paper's id."""


def _first_words(words: object) -> object:
    return words[:LONGEST_WORDS] if isinstance(words, str) else words


class View(BaseModel):
    """Which papers are listed and how, or which paper is open."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    words: Annotated[str, BeforeValidator(_first_words)] = ""
    """What their titles and abstracts must hold."""
    sort: Sort = "date"
    down: bool = True
    page: int = Field(default=1, ge=1, le=1_000_000)
    digest: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The key of the digest that they must be in (`rag.digests.Digest.key`)."""
    month: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}$")
    cluster: int | None = Field(default=None, ge=0)
    """The number of their cluster on the map."""
    since: dt.date | Literal["change"] | None = None
    """New since that day, or in the last change of the index."""
    paper: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The id of the paper that is open."""

    @classmethod
    def read(cls, given: object) -> Self:
        """A view as the browser sent it; the one that lists everything if it is none."""
        try:
            return cls.model_validate(given)
        except ValidationError:
            return cls()

    @property
    def narrows(self) -> bool:
        """Whether it leaves papers out."""
        chosen = (self.digest, self.month, self.cluster, self.since)
        return bool(self.words.strip()) or any(value is not None for value in chosen)

    @property
    def attribute(self) -> str:
        """It as JSON for an HTML attribute."""
        return escape(json.dumps(self.model_dump(mode="json")))
