"""Puts the helpers of this folder on the path of every test of measuring."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from eval.vector_cache import CachedEncoder


@pytest.fixture(scope="module")
def cached_encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator["CachedEncoder"]:
    """The bundled encoder, which embeds no text twice, as the commands have it."""
    from eval.vector_cache import CachedEncoder
    from index.minilm import NAME

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield CachedEncoder.open(NAME)
