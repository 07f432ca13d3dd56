"""The pages: the parts of them, the health, and the lots as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from bidders import DEADLINE
from conftest import Served
from sqlalchemy.exc import OperationalError

from lab_server import pages


def get(served: Served, path: str, **options: object) -> requests.Response:
    return requests.get(served.url + path, timeout=DEADLINE, **options)  # type: ignore[arg-type]


def test_the_home_page_is_the_auctions(served: Served) -> None:
    answer = get(served, "/")
    assert answer.ok
    assert answer.url == served.url + "/auctions"
    assert "<title>The auction</title>" in answer.text


def test_health_names_the_instance(served: Served) -> None:
    assert get(served, "/healthz").json() == {
        "status": "ok",
        "lots": 3,
        "clients": 0,
        "instance": served.auction.settings.instance,
    }


def test_without_its_database_the_server_is_not_well(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError("SELECT 1", {}, Exception("secret detail"))

    monkeypatch.setattr(served.auction.house, "lots", gone)
    answer = get(served, "/healthz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "database unavailable"
    assert "secret detail" not in answer.text


def test_the_lots_are_there_as_json(served: Served) -> None:
    house = served.auction.house
    placed = house.place_bid("00000000-0000-4000-8000-000000000000", 1, "Ada", 12_000)
    assert get(served, "/lots").json()["lots"] == [lot.as_json() for lot in house.lots()]
    assert get(served, "/lots/1").json()["bids"] == [placed.as_json()]
    assert "id" not in get(served, "/lots/1").json()["bids"][0]  # a bid's id is its bidder's


@pytest.mark.parametrize(
    ("path", "status"),
    [("/lots/77", 404), ("/lots/x", 404), ("/lots/-1", 404), (f"/lots/{10**30}", 404), ("/nowhere", 404)],
)
def test_what_is_not_there_is_said_as_json(served: Served, path: str, status: int) -> None:
    answer = get(served, path)
    assert answer.status_code == status
    assert answer.json()["ok"] is False


def test_a_wrong_method_is_said(served: Served) -> None:
    assert requests.delete(served.url + "/lots", timeout=DEADLINE).status_code == 405


def test_a_failure_shows_no_traceback(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("a detail of ours")

    monkeypatch.setattr(served.auction.house, "lots", fail)
    answer = get(served, "/lots")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_server_error"
    assert "a detail of ours" not in answer.text


def test_every_page_forbids_foreign_scripts(served: Served) -> None:
    for path in ("/auctions", "/lots", "/nowhere", "/static/auctions.js"):
        policy = get(served, path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy


def test_the_page_needs_nothing_from_elsewhere(served: Served) -> None:
    folder = Path(pages.__file__).parent
    for path in [*folder.glob("static/*"), *folder.glob("templates/*")]:
        for scheme in ("https://", "http://", 'src="//', "@import"):
            text = path.read_text().replace("http://www.w3.org/2000/svg", "")
            assert scheme not in text, path
    for part in ("/static/auctions.js", "/static/state.js", "/static/auctions.css", "/static/gavel.svg"):
        assert get(served, part).ok


def test_the_scripts_never_write_markup() -> None:
    for path in (Path(pages.__file__).parent / "static").glob("*.js"):
        text = path.read_text()
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"):
            assert sink not in text, path


def test_the_client_is_the_real_one_when_it_is_installed(served: Served) -> None:
    answer = get(served, "/socket.io.min.js")
    if pages.CLIENT.exists():
        assert answer.content == pages.CLIENT.read_bytes()
        assert answer.headers["Content-Type"].startswith("text/javascript")
    else:
        assert answer.status_code == 404


def test_a_missing_client_is_said_on_the_page_and_all_else_works(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pages, "CLIENT", tmp_path / "absent.js")
    page = get(served, "/auctions")
    assert "npm ci" in page.text
    assert "<script" not in page.text
    assert get(served, "/socket.io.min.js").status_code == 404
    assert get(served, "/lots").ok
