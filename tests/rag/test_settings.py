"""Settings come from the environment or `.env`; what is wrong there is named in one line.

An endpoint entered on the page and kept is its owner's alone, and one thing with its key.
"""

import traceback
from pathlib import Path

import pytest
from dotenv import dotenv_values

from index.errors import InputError, StoreError
from rag.settings import (
    KEPT,
    ChatEndpoint,
    Settings,
    endpoint_in_environment,
    forget_endpoint,
    is_kept,
    keep_endpoint,
    load_settings,
    read_endpoint,
    variables,
)

EXAMPLE = Path(__file__).parents[2] / ".env.example"
HERE = "http://127.0.0.1:11434/v1"
ONE = ChatEndpoint(HERE, "sk-kept", "m")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with that of data in it, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABSTRACTQA_STORE", raising=False)
    monkeypatch.setenv("ABSTRACTQA_DATA", str(tmp_path / "data"))
    return tmp_path


def problem() -> str:
    with pytest.raises(InputError) as error:
        load_settings()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_dotenv_sets_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text(
        "ABSTRACTQA_ENCODER=from-file\nABSTRACTQA_CHAT_MODEL= \nABSTRACTQA_ANSWER_TOKENS=\n"
        "ABSTRACTQA_STORE=~/papers\n",
        "utf-8",
    )
    assert load_settings().store == Path.home() / "papers"
    assert load_settings().chat_model is None, "nothing written is the default"
    assert load_settings().encoder == "from-file"
    monkeypatch.setenv("ABSTRACTQA_ENCODER", "from-environment")
    assert load_settings().encoder == "from-environment"


def test_a_key_that_is_wrong_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("ABSTRACTQA_ENCODRE=x\n", encoding="utf-8")
    assert "ABSTRACTQA_ENCODRE" in problem()
    (folder / ".env").write_bytes(b"ABSTRACTQA_ENCODER=\xff\xfe\n")
    assert ".env" in problem()
    (folder / ".env").unlink()
    for price in ("1", "a/b", "-1/2", "1/inf", "1/2/3"):
        monkeypatch.setenv("ABSTRACTQA_CHAT_PRICE", price)
        assert "0.15/0.60" in (said := problem())
        assert "ABSTRACTQA_CHAT_PRICE" in said
    monkeypatch.delenv("ABSTRACTQA_CHAT_PRICE")
    monkeypatch.setenv("ABSTRACTQA_STOER", "x")
    assert "ABSTRACTQA_STOER" in problem()
    assert "ABSTRACTQA_STORE" in problem()


def test_the_example_file_lists_every_setting_with_its_default(folder: Path) -> None:
    defaults = load_settings()
    assert defaults.encoder == "all-MiniLM-L6-v2"
    assert defaults.store.parts[-2:] == ("abstractqa", "store")
    assert defaults.store.is_absolute()
    (folder / ".env").write_bytes(EXAMPLE.read_bytes())
    assert load_settings() == defaults
    assert [each.name for each in folder.iterdir()] == [".env"]
    given = dotenv_values(EXAMPLE)
    assert given.keys() == set(variables().values())
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default is None else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default
        assert given[variables()[name]] == default, name
        assert field.description, name


def test_a_key_is_in_no_repr_no_dump_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    settings = load_settings()
    assert settings.openai_api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert "sk-secret" not in settings.model_dump_json()
    monkeypatch.setenv("ABSTRACTQA_CHAT_DEADLINE_SECONDS", "-1")
    with pytest.raises(InputError, match="ABSTRACTQA_CHAT_DEADLINE_SECONDS") as error:
        load_settings()
    assert "sk-secret" not in "".join(traceback.format_exception(error.value))


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
    path = folder / KEPT
    assert "former" not in path.read_text()
    path.chmod(0o666)
    keep_endpoint(folder, endpoint)
    assert path.stat().st_mode & 0o777 == 0o600, "for its owner alone, even where it was not"
    assert [each.name for each in folder.iterdir()] == [KEPT]
    assert "sk-kept" not in repr(endpoint)
    forget_endpoint(folder)
    forget_endpoint(folder)
    assert not is_kept(folder)


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
def test_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
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
