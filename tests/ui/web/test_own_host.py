"""A page for this machine alone cannot be reached under another name."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from ui.web.own_host import is_this_machine


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("192.168.0.7", False),
        ("example.org", False),
    ],
)
def test_whether_only_this_machine_reaches_a_page(host: str, alone: bool) -> None:
    assert is_this_machine(host) == alone


def sent_to(host: str, address: str) -> Request:
    return Request(f"{address}/config", headers={"Host": host})


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860", "LOCALHOST"])
def test_this_machine_s_own_names_are_answered(address: str, host: str) -> None:
    with urlopen(sent_to(host, address)) as response:
        assert response.status == 200


@pytest.mark.parametrize("host", ["elsewhere.example:7860", "127.0.0.1.elsewhere.example", "[::2]"])
def test_a_name_that_points_here_from_elsewhere_is_refused(address: str, host: str) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(sent_to(host, address))
    with refused.value as response:
        assert response.code == 403
        assert "open it as localhost" in response.read().decode()
