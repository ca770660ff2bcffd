"""An index of the bundled sample to make questions from."""

from pathlib import Path

import pytest

from index.store import Index


@pytest.fixture(scope="session")
def sample_index(sample_store: Path) -> Index:
    """The bundled sample's index, whole in memory."""
    return Index.open(sample_store)
