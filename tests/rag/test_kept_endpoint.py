"""An endpoint entered on the page and kept: its owner's alone, and one thing with its key."""

from pathlib import Path

import pytest

from index.errors import InputError, StoreError
from rag.settings import (
    KEPT,
    ChatEndpoint,
    endpoint_in_environment,
    forget_endpoint,
    is_kept,
    keep_endpoint,
    load_settings,
    read_endpoint,
)

HERE = "http://127.0.0.1:11434/v1"
ONE = ChatEndpoint(HERE, "sk-kept", "m")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and the data folder in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABSTRACTQA_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.mark.parametrize(
    "endpoint",
    [
        ONE,
        ChatEndpoint(HERE, "", "org/model:4b"),
        ChatEndpoint(HERE, r"a'b\"c\\d#$HOME${X}\n", "it's a “model” # 1 \\"),
    ],
)
def test_what_is_kept_is_read_as_it_was(folder: Path, endpoint: ChatEndpoint) -> None:
    assert read_endpoint(folder) is None
    keep_endpoint(folder, ChatEndpoint(HERE, "former", "former"))
    keep_endpoint(folder, endpoint)
    assert read_endpoint(folder) == endpoint
    assert "former" not in (folder / KEPT).read_text()
    forget_endpoint(folder)
    forget_endpoint(folder)
    assert not is_kept(folder)


def test_nobody_but_its_owner_can_read_it_even_where_others_could_before(folder: Path) -> None:
    path = folder / KEPT
    path.write_text("old")
    path.chmod(0o666)
    keep_endpoint(folder, ONE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in folder.iterdir()] == [KEPT]
    assert "sk-kept" not in repr(ONE)


def test_a_file_that_cannot_be_used_is_named(folder: Path) -> None:
    (folder / KEPT).write_bytes(b"OPENAI_API_KEY=\xff\n")
    with pytest.raises(InputError, match=KEPT):
        read_endpoint(folder)
    (folder / "file").touch()
    with pytest.raises(StoreError, match=KEPT):
        keep_endpoint(folder / "file", ONE)


def test_it_takes_the_place_of_all_that_dotenv_says_of_an_endpoint(folder: Path) -> None:
    (folder / ".env").write_text(
        "OPENAI_API_KEY=sk-other\nOPENAI_BASE_URL=http://other/v1\nABSTRACTQA_CHAT_MODEL=o\n"
        "ABSTRACTQA_CHAT_PRICE=1/2\nABSTRACTQA_ANSWER_TOKENS=99\n"
    )
    keep_endpoint(folder / "data", ChatEndpoint(HERE, "", "m"))
    settings = load_settings()
    assert (settings.openai_base_url, settings.chat_model) == (HERE, "m")
    assert settings.openai_api_key is None, "a key goes to no other address"
    assert settings.chat_price is None, "it was that of another model"
    assert settings.answer_tokens == 99


@pytest.mark.parametrize("name", ["OPENAI_BASE_URL", "openai_api_key", "ABSTRACTQA_CHAT_MODEL"])
def test_the_environment_wins_over_it_as_a_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    keep_endpoint(folder / "data", ONE)
    monkeypatch.setenv(name, " ")
    assert load_settings().chat_model == "m"
    monkeypatch.setenv(name, "x")
    assert endpoint_in_environment() == name.upper()
    settings = load_settings()
    assert settings.openai_base_url != HERE
    assert "sk-kept" not in str(
        settings.openai_api_key and settings.openai_api_key.get_secret_value()
    )
