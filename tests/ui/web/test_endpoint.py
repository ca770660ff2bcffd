"""The chat model set on the page: tried, used at once, kept if wanted, and only by the operator."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browsing import QUESTION, ask, opened, served, site_of
from chat_server import ChatServer, Received, Scripted, fails, says, streams
from playwright.sync_api import Browser, Page, expect

from index.errors import InputError
from rag import Assistant
from rag.settings import KEPT, OPENAI, ChatEndpoint, Settings, read_endpoint
from ui.web.chat.chat_settings import Endpoints
from ui.web.server import build
from ui.web.site import Site

KEY = "sk-entered-0123456789"
CONFIGURED = "sk-configured-0123456789"
SAID = "OSWorld is a benchmark of 369 computer tasks [1.2]. "


def writes(request: Received) -> Scripted:
    """A model that is of help with the question and with a try."""
    if "ready" in request.text:
        return says("ready")
    stream = request.body.get("stream")
    if "OSWorld" in request.text:
        return streams(SAID) if stream else says(SAID)
    return streams("no") if stream else says("no")


@pytest.fixture
def assistant(sample_store: Path, chat_server: ChatServer) -> Iterator[Assistant]:
    """An assistant that quotes; a key is configured, for the scripted endpoint."""
    chat_server.script = writes
    chat_server.models = ["scripted", "other"]
    where: Any = {"openai_base_url": chat_server.base_url, "openai_api_key": CONFIGURED}
    settings = Settings(store=sample_store, support_checker="local", **where)
    opened = Assistant.open(store=sample_store, settings=settings)
    yield opened
    opened.close()


@pytest.fixture
def site(assistant: Assistant, tmp_path: Path) -> Site:
    return site_of(assistant, tmp_path)


def told(update: tuple[Any, ...]) -> str:
    return str(update[-1])


def sent_keys(server: ChatServer) -> set[str]:
    return {request.headers["Authorization"].removeprefix("Bearer ") for request in server.received}


def test_an_endpoint_is_tried_and_then_writes_the_answers_that_follow(
    site: Site, chat_server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoints, where = Endpoints(site), chat_server.base_url
    assert "Works: scripted answered" in told(endpoints.test(where, KEY, "scripted"))
    assert site.assistant.chat_model is None, "a try changes nothing"
    used = endpoints.use(where, KEY, "scripted", False)
    assert f"In use: scripted at {where[7:-3]}, with a key." in told(used)
    assert used[1] == ""
    answer = site.assistant.ask(QUESTION)
    assert (answer.model, answer.mode) == ("scripted", "generative")
    assert sent_keys(chat_server) == {KEY}
    assert not (site.settings.data / KEPT).exists()
    assert KEY not in str([*used, *endpoints.load()])
    chat_server.script = lambda _: fails(401, f"no such key: {KEY}")
    failed = told(endpoints.test(where, "", "scripted"))
    assert "Does not work" in failed
    assert KEY not in failed
    assert "chat/completions" in caplog.text, "the log says something"
    assert KEY not in caplog.text
    # Back to what the environment says, which is nothing.
    assert "No chat model is in use" in told(endpoints.use("", "", "", False))
    assert site.assistant.ask(QUESTION).mode == "extractive"


def test_a_question_begun_keeps_its_model(assistant: Assistant, chat_server: ChatServer) -> None:
    settings = assistant.settings
    assert settings
    assistant.use_chat_model(settings.at(ChatEndpoint(chat_server.base_url, KEY, "first")))
    events = assistant.stream(QUESTION)
    next(events)
    assistant.use_chat_model(settings.at(ChatEndpoint(chat_server.base_url, KEY, "second")))
    *_, last = events
    assert last.answer.model == "first"  # type: ignore[union-attr]
    assert assistant.ask(QUESTION).model == "second"


def test_the_key_in_use_goes_to_its_address_alone(site: Site, chat_server: ChatServer) -> None:
    endpoints = Endpoints(site)
    endpoints.test(chat_server.base_url, "", "scripted")
    endpoints.test(f"{chat_server.base_url}/", "", "scripted")
    assert sent_keys(chat_server) == {CONFIGURED}
    chat_server.received.clear()
    elsewhere = chat_server.base_url.replace("127.0.0.1", "localhost")
    endpoints.test(elsewhere, "", "scripted")
    assert sent_keys(chat_server) == {"no-key"}


def test_a_tick_keeps_it_and_no_tick_forgets_it(site: Site, chat_server: ChatServer) -> None:
    endpoints, where, data = Endpoints(site), chat_server.base_url, site.settings.data
    endpoints.use(where, KEY, "scripted", True)
    assert read_endpoint(data) == ChatEndpoint(where, KEY, "scripted")
    assert (data / KEPT).stat().st_mode & 0o777 == 0o600
    assert endpoints.load()[3] is True
    endpoints.use(where, "", "scripted", False)
    assert read_endpoint(data) is None
    endpoints.use(where, KEY, "scripted", True)
    endpoints.use("", "", "", True)
    assert not (data / KEPT).exists()


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        (("http://user:pass@127.0.0.1/v1", KEY, "m"), "The address must be like"),
        ((OPENAI, "", "m"), "OpenAI needs a key"),
        (("http://127.0.0.1:9/v1", "sk ä", "m"), "The key contains characters"),
        (("http://127.0.0.1:9/v1", KEY, "m\n2"), "enter it again"),
        (("http://127.0.0.1:9/v1", KEY * 99, "m"), "enter it again"),
        ((None, ["x"], {}), "The address must be like"),
    ],
)
def test_nonsense_changes_nothing(site: Site, entered: tuple[Any, Any, Any], said: str) -> None:
    endpoints = Endpoints(site)
    for update in (endpoints.test(*entered), endpoints.use(*entered, True)):
        assert said in told(update)
        assert KEY not in told(update)
    assert site.assistant.chat_model is None
    assert read_endpoint(site.settings.data) is None


def test_an_address_may_lack_what_people_leave_out(site: Site, chat_server: ChatServer) -> None:
    short = chat_server.base_url.removeprefix("http://").removesuffix("/v1")
    assert "choose a model" in told(Endpoints(site).use(short, "", "", False)).lower()
    named = Endpoints(site).test(short, "", "")
    assert [value for _, value in named[2].choices] == ["other", "scripted"]
    assert Endpoints(site).test(short, "", "scripted")[0] == chat_server.base_url


def test_who_may_not_set_it_sees_nothing_of_it(site: Site, chat_server: ChatServer) -> None:
    closed = replace(site, may_change=False)
    assert site.assistant.chat_model is None
    config = json.dumps(build(closed).get_config_file(), default=str)
    assert "aqa-chat-endpoint" not in config
    assert "ABSTRACTQA_CHAT_MODEL=" in config, "how its operator sets it"
    endpoints, where = Endpoints(closed), chat_server.base_url
    for entered in ((where, KEY, "scripted", True), ("", "", "", False)):
        assert "cannot be set on this page" in told(endpoints.use(*entered))
    with pytest.raises(InputError):
        endpoints.load()
    assert chat_server.received == []
    assert "aqa-chat-endpoint" in json.dumps(build(site).get_config_file(), default=str)
    assistant, settings = site.assistant, site.settings
    somebody: Any = object()
    assert not Site(assistant, settings, accounts=somebody).may_set_model


@pytest.mark.browser
def test_from_quotes_to_writing(browser: Browser, site: Site, chat_server: ChatServer) -> None:
    with served(site) as address, opened(browser, address) as page:
        page.get_by_role("button", name="Settings").click()
        said = page.locator("#aqa-chat-endpoint-told")
        expect(said).to_contain_text("No chat model is in use")
        key = page.locator("#aqa-chat-endpoint-key input")
        expect(key).to_have_attribute("type", "password")
        fill(page, "Address", chat_server.base_url)
        key.fill(KEY)
        chat_server.script = lambda _: fails(401, "wrong key")
        fill(page, "Model name", "scripted")
        page.get_by_role("button", name="Test", exact=True).click()
        expect(said).to_contain_text("Does not work: chat model 'scripted'")
        chat_server.script = writes
        page.get_by_role("button", name="Use", exact=True).click()
        expect(said).to_contain_text("In use: scripted at 127.0.0.1")
        expect(key).to_have_value("")
        page.keyboard.press("Escape")
        ask(page, QUESTION)
        expect(page.locator(".aqa-chat-by")).to_contain_text("Written by scripted")
        # Another page over the same server has it too, and no key.
        page.reload()
        page.get_by_role("button", name="Settings").click()
        expect(said).to_contain_text("In use: scripted at 127.0.0.1")
        expect(key).to_have_value("")
        config = page.evaluate("fetch('/config').then((reply) => reply.text())")
        assert KEY not in config + page.content()
        assert CONFIGURED not in config + page.content()


def fill(page: Page, label: str, text: str) -> None:
    """Write into a list that takes other words, too."""
    box = page.get_by_role("combobox", name=label, exact=True)
    box.fill(text)
    box.press("Enter")
