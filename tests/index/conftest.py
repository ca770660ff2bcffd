"""What the tests of indexing share."""

import pytest

from index.embedding import SentenceEncoder
from index.minilm import NAME


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    """The bundled encoder, loaded once."""
    return SentenceEncoder.open(NAME)
