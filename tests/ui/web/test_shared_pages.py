"""Read-only pages of what visitors share: for whoever has the link, and nobody else."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from browsing import served, site_of

from rag import Assistant
from ui.archive import Turn
from ui.web.accounts import Accounts, add

ME, QUESTION = "cookie me", "How many tasks does OSWorld have?"


@pytest.mark.parametrize("may_share", [True, False])
def test_who_has_the_link_reads_the_answer_without_a_login_until_it_is_withdrawn(
    sample_assistant: Assistant, tmp_path: Path, may_share: bool
) -> None:
    add(tmp_path / "people", "ada", "a long password")
    open_to_all = site_of(sample_assistant, tmp_path, share_links=may_share)
    site = replace(open_to_all, accounts=Accounts(tmp_path / "people"))
    archive = site.archive
    id_ = archive.begin(ME, QUESTION).id
    turn = Turn(question=QUESTION, answer=sample_assistant.ask(QUESTION, mode="extractive"))
    archive.put(ME, id_, turn)
    secret = archive.share(ME, id_, turn.id, is_alone=False)
    with served(site) as address, httpx.Client(base_url=address) as client:
        assert client.get("/api/papers").status_code == 401
        if not may_share:
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
        for other in (f"{secret}x", "unknown", id_):
            assert client.get(f"/shared/{other}").status_code == 404
        archive.unshare(ME, id_)
        assert client.get(f"/shared/{secret}").status_code == 404
