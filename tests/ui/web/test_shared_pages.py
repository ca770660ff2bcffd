"""Read-only pages of what visitors share: for whoever has the link, and nobody else."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browsing import served as opened_site

from rag import Assistant
from rag.settings import Settings
from ui.archive import Conversation, Turn
from ui.web.accounts import Accounts, add
from ui.web.site import Site

ME, QUESTION = "cookie me", "How many tasks does OSWorld have?"


@pytest.fixture(scope="module", params=[True, False], ids=["allowed", "not allowed"])
def served(
    request: pytest.FixtureRequest,
    sample_assistant: Assistant,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Site, str]]:
    """A page behind a login, and its address."""
    folder: Path = tmp_path_factory.mktemp("shared")
    settings = Settings(store=Path("unused"), data=folder / "data", share_links=request.param)
    add(folder / "people", "ada", "a long password")
    site = Site(sample_assistant, settings, folder / "runs", Accounts(folder / "people"))
    with opened_site(site) as address:
        yield site, address


def kept(site: Site) -> Conversation:
    id_ = site.archive.begin(ME, QUESTION).id
    answer = site.assistant.ask(QUESTION, mode="extractive")
    site.archive.put(ME, id_, Turn(question=QUESTION, answer=answer))
    conversation = site.archive.read(ME, id_)
    assert conversation
    return conversation


def test_who_has_the_link_reads_the_answer_without_a_login_until_it_is_withdrawn(
    served: tuple[Site, str],
) -> None:
    site, address = served
    conversation = kept(site)
    secret = site.archive.share(ME, conversation.id, conversation.turns[0].id, is_alone=False)
    with httpx.Client(base_url=address) as client:
        assert client.get("/api/papers").status_code == 401
        if not site.settings.share_links:
            assert client.get(f"/shared/{secret}").status_code in (401, 404)
            return
        shown = client.get(f"/shared/{secret}")
        assert shown.status_code == 200
        assert "369 tasks" in shown.text
        assert "<script" not in shown.text
        assert "default-src 'none'" in shown.text
        assert shown.headers["referrer-policy"] == "no-referrer"
        assert shown.headers["cache-control"] == "no-store"
        from_elsewhere = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        assert client.get(f"/shared/{secret}", headers=from_elsewhere).status_code == 200
        for other in (f"{secret}x", "unknown", conversation.id):
            assert client.get(f"/shared/{other}").status_code == 404
        site.archive.unshare(ME, conversation.id)
        assert client.get(f"/shared/{secret}").status_code == 404
