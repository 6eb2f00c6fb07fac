"""Who asks is known by cookie or address, and nobody can invent clients without end."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from render.server.cache import OVERHEAD, Cache
from render.server.clients import QUIET_SECONDS, Client, Clients


def test_a_client_is_its_cookie_or_else_its_address() -> None:
    clients = Clients()
    assert clients.identify("a", "one") != clients.identify("a", "two")
    assert clients.identify("a", "bad cookie") == clients.identify("a", "") == Client("a")
    assert clients.identify("b", "one") != clients.identify("a", "one")
    assert [clients.number(clients.identify(*who)) for who in (("a", "one"), ("a", "two"), ("a", ""))] == [1, 2, 3]


def test_an_address_has_so_many_clients_and_more_only_once_others_are_quiet() -> None:
    now = 0.0
    clients = Clients(most_of_address=3, clock=lambda: now)
    for cookie in "abc":
        clients.identify("here", cookie)
    assert clients.identify("here", "d") == clients.identify("here", "e") == Client("here")
    assert clients.identify("there", "d").cookie == "d"

    now += QUIET_SECONDS + 1
    assert clients.identify("here", "f").cookie == "f"


def test_the_client_that_nobody_has_heard_of_longest_makes_room() -> None:
    now = 0.0
    clients = Clients(most_of_address=2, clock=lambda: now)
    for cookie in "ab":
        clients.identify("here", cookie)
    now += QUIET_SECONDS + 1
    clients.identify("here", "a")
    clients.identify("here", "c")
    assert [bool(clients.number(Client("here", cookie))) for cookie in "abc"] == [True, False, True]


def test_an_address_whose_clients_are_forgotten_may_have_as_many_again() -> None:
    clients = Clients(most_of_address=2, most_known=3)
    for address, cookie in ("here", "a"), ("here", "b"), ("1", ""), ("2", ""), ("3", ""):
        clients.identify(address, cookie)
    assert [clients.identify("here", cookie).cookie for cookie in "cde"] == ["c", "d", ""]


def test_no_more_clients_are_known_than_there_is_room_for() -> None:
    clients = Clients(most_known=10)
    for number in range(100):
        clients.identify(str(number), "x")
    assert len(clients) == 10
    assert clients.number(Client("0", "x")) == 0


def test_a_cache_never_grows_beyond_its_size_and_drops_what_was_not_asked_for() -> None:
    cache = Cache(5 * (100 + OVERHEAD))
    for number in range(5):
        cache.keep(number, bytes(100))
    cache.get(0)
    cache.keep(5, bytes(100))
    cache.keep(6, bytes(3000))

    assert [cache.get(number) is not None for number in range(7)] == [True, False, True, True, True, True, False]
    assert cache.bytes == 5 * (100 + OVERHEAD)


def test_leaflet_is_that_of_its_makers() -> None:
    """The bytes of `npm pack leaflet@1.9.4`."""
    folder = files("render.server").joinpath("pages/leaflet")
    hashes = {
        name: hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest()[:16]
        for name in ("leaflet.js", "leaflet.css")
    }
    assert hashes == {"leaflet.js": "db49d009c841f5ca", "leaflet.css": "a783710282418482"}
    assert "BSD 2-Clause" in folder.joinpath("LICENSE").read_text(encoding="utf-8")
