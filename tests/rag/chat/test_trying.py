"""Trying an endpoint: each outcome in one line without the key, its models, local servers."""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from chat_server import ChatServer, fails, says

from rag.chat import Tried, local_servers, try_endpoint
from rag.settings import Settings

KEY = "sk-very-secret-0123456789"
Configured = Callable[..., Settings]


def silent_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_one_that_works_says_which_model_answered_and_what_else_there_is(
    chat_server: ChatServer, configured: Configured
) -> None:
    chat_server.models = ["m", "other"]
    chat_server.script = [says("ready")]
    tried = try_endpoint(configured())
    assert (tried.works, tried.models, tried.model) == (True, ("m", "other"), "m")
    assert tried.told.startswith("Works: scripted answered in ")
    (asked,) = chat_server.received
    assert asked.body["model"] == "m"
    assert len(asked.text) < 100


def test_one_that_refuses_says_why_in_one_line_without_the_key(
    chat_server: ChatServer, configured: Configured
) -> None:
    chat_server.script = [fails(401, f"no such key {KEY}")]
    tried = try_endpoint(configured())
    assert not tried.works
    assert tried.told.startswith("Does not work: chat model 'm' at 127.0.0.1:")
    assert "refuses the key (HTTP 401): check the chat model's key" in tried.told
    assert "\n" not in tried.told
    assert KEY not in tried.told


def test_without_a_name_the_only_model_is_asked_and_of_several_none(
    chat_server: ChatServer, configured: Configured
) -> None:
    chat_server.models = ["alone"]
    chat_server.script = [says("ready")]
    tried = try_endpoint(configured(chat_model=None))
    assert (tried.works, tried.model) == (True, "alone")
    chat_server.models = ["one", "two"]
    where = chat_server.base_url
    assert try_endpoint(configured(chat_model=None)) == Tried(
        False, f"{where}: choose one of its models.", ("one", "two")
    )
    chat_server.models = []
    assert "lists none" in try_endpoint(configured(chat_model=None)).told
    assert len(chat_server.received) == 1


def test_servers_on_this_machine_are_found_by_their_models(chat_server: ChatServer) -> None:
    port = urlsplit(chat_server.base_url).port
    assert port
    ports = {"Silent": silent_port(), "Scripted": port}
    assert local_servers(ports) == [], "what lists no models is another program"
    chat_server.models = ["m"]
    (found,) = local_servers(ports)
    assert (found.name, found.address, found.models) == ("Scripted", chat_server.base_url, ("m",))


def test_what_the_environment_has_for_another_address_goes_to_that_one_alone(
    chat_server: ChatServer, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: hidden-1")
    monkeypatch.setenv("OPENAI_ORG_ID", "hidden-2")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "hidden-3")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    chat_server.script = [says("ready")]
    settings = configured()
    assert try_endpoint(settings).works
    assert "hidden" not in str(chat_server.received[-1].headers)
    monkeypatch.setenv("OPENAI_BASE_URL", settings.openai_base_url)
    chat_server.script = [says("ready")]
    assert try_endpoint(settings).works
    assert "hidden-2" in str(chat_server.received[-1].headers)
