"""What the tests share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real digests, questions and benchmarks; its tests skip without it."""
    folder = Path(os.environ.get("ABSTRACTQA_TEST_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing, and CI must not skip")
        pytest.skip(f"{folder} is not here")
    return folder


@pytest.fixture(autouse=True)
def _own_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep the user's settings, keys and store out of the tests."""
    for name in list(os.environ):
        if name.startswith(("ABSTRACTQA_", "OPENAI_")) and not name.startswith("ABSTRACTQA_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ABSTRACTQA_STORE", str(tmp_path_factory.mktemp("home") / "store"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
