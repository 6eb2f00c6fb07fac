"""The server as its clients meet it: real sockets on loopback, several at once, some of which leave."""

from __future__ import annotations

import io
import json
import re
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

import render
from render.outputs import trace as saved
from render.server import service as serving
from render.server.app import format_address, open_socket
from render.server.guard import Hosts
from tests.server.conftest import Answer, Running, wait_until

Serve = Callable[..., Running]


@pytest.fixture(scope="module")
def plain(serve: Serve) -> Running:
    return serve()


def test_a_server_that_listens_on_all_addresses_announces_one_that_a_browser_takes() -> None:
    with open_socket("0.0.0.0", 0) as listening:  # noqa: S104  (that is the case)
        named = urlsplit(format_address(listening))
    assert not ip_address(str(named.hostname)).is_unspecified
    assert Hosts("0.0.0.0").allow(named.netloc)  # noqa: S104


def pixels(answer: Answer) -> np.ndarray:
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png"), answer
    return np.asarray(Image.open(io.BytesIO(answer.body)))


def leave_after_asking(server: Running, path: str, **headers: str) -> socket.socket:
    """Ask for a path without waiting for the answer; closing what this gives is to leave."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return connection


def test_a_tile_is_a_crop_and_is_asked_for_once(plain: Running) -> None:
    whole = render.draw(size=512, mode="sequential").rgb
    answer = plain.get("/tiles/mandelbrot/1/1/0.png")
    large = plain.get("/tiles/mandelbrot/0/0/0@2x.png")

    assert np.array_equal(pixels(answer), whole[:256, 256:])
    assert np.array_equal(pixels(large), whole)
    assert answer.headers["cache-control"].startswith("public")
    again = plain.get("/tiles/mandelbrot/1/1/0.png", If_None_Match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    before = plain.service.counts["requests"]
    head = plain.get("/tiles/mandelbrot/5/3/3.png", method="HEAD")
    assert (head.status, head.headers.get("content-length"), plain.service.counts["requests"]) == (200, None, before)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tiles/mandelbrot/24/0/0.png", 404),
        ("/tiles/mandelbrot/1/2/0.png", 404),
        ("/tiles/mandelbrot/1/-1/0.png", 404),
        ("/tiles/mandelbrot/1/1/0@3x.png", 404),
        ("/tiles/mandelbrot/99999999999/0/0.png", 404),
        ("/tiles/mandelbrot/1/%D9%A1/0.png", 404),
        ("/tiles/nothing/0/0/0.png", 404),
        ("/tiles/..%2Fscenes%2Fmandelbrot/0/0/0.png", 404),
        ("/tiles/mandelbrot/0/0/0.png?zoom=x", 400),
        ("/tiles/mandelbrot/0/0/0.png?limit=2000000000", 400),
        ("/tiles/mandelbrot/0/0/0.png?zoom=2&zoom=3", 400),
        ("/tiles/mandelbrot/0/0/0.png?" + "a" * 5000, 414),
        ("/picture/mandelbrot.png?width=100000&height=100000", 400),
        ("/picture/mandelbrot.png", 400),
        ("/picture/mandelbrot.png?width=0&height=64", 400),
        ("/static/..%2Fapp.py", 404),
        ("/static/__init__.py", 404),
        ("/etc/passwd", 404),
    ],
)
def test_what_does_not_exist_or_makes_no_sense_is_refused(plain: Running, path: str, status: int) -> None:
    answer = plain.get(path)

    assert answer.status == status, answer.body
    assert "error" in json.loads(answer.body)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_reading_is_answered(plain: Running, method: str) -> None:
    assert plain.get("/tiles/mandelbrot/0/0/0.png", method=method).status == 405


EVERYTHING = (
    "/", "/static/leaflet.js", "/tiles/mandelbrot/0/0/0.png", "/tiles/mandelbrot.json", "/scenes.json", "/healthz",
    "/readyz", "/metrics", "/lesson.json", "/nothing",
)  # fmt: skip


@pytest.mark.parametrize("path", EVERYTHING)
def test_every_path_asks_for_whom_it_is_meant_and_is_shut_off_from_other_sites(plain: Running, path: str) -> None:
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost:x", "8.8.8.8", ""):
        assert plain.get(path, Host=host).status == 400
    for host in ("localhost", f"127.0.0.1:{plain.port}", "[::1]:1"):
        answer = plain.get(path, Host=host)
        assert answer.status in {200, 404}
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


def test_a_server_that_is_bound_to_more_answers_to_addresses_but_to_no_foreign_name() -> None:
    hosts = Hosts("0.0.0.0")  # noqa: S104  (nothing is bound)
    assert hosts.allow("192.168.1.7:8000")
    assert hosts.allow(socket.gethostname())
    assert not hosts.allow("evil.example")


def test_what_several_want_is_painted_once(serve: Serve) -> None:
    server = serve(workers=1, data_ms=30)
    path = "/tiles/mandelbrot/0/0/0.png?limit=20000&shortcuts=0"
    with ThreadPoolExecutor(8) as users:
        bodies = {answer.body for answer in users.map(lambda _: server.get(path), range(8))}

    assert len(bodies) == 1
    assert server.service.counts["painted"] == 1
    assert sum(server.service.counts[how] for how in ("painted", "shared", "cached")) == 8


def test_clients_that_leave_take_their_tiles_along(serve: Serve) -> None:
    """One worker waits for the data of a first tile; nobody wants the others any more, nor in the end that one."""
    server = serve(workers=1, data_ms=600_000, switching=False)
    first = leave_after_asking(server, "/tiles/mandelbrot/3/0/0.png")
    wait_until(lambda: bool(server.service.workers.at_work))
    others = [
        leave_after_asking(server, f"/tiles/mandelbrot/3/1/{row}.png", Cookie=f"client={row}") for row in range(8)
    ]
    wait_until(lambda: server.service.workers.count_waiting() == 8)
    for connection in others:
        connection.close()
    wait_until(lambda: server.service.open == 1)
    assert server.service.workers.count_waiting() == 0
    assert server.service.counts["dropped"] == 8

    first.close()
    wait_until(lambda: not server.service.workers.at_work)
    assert server.service.open == 0
    assert server.service.counts["gone"] == 9


def test_painting_stops_once_the_last_client_has_left(serve: Serve) -> None:
    server = serve(workers=1)
    path = "/tiles/mandelbrot/4/10/7@2x.png?limit=20000&shortcuts=0"  # inside the set: seconds of painting
    both = [leave_after_asking(server, path, Cookie=f"client={user}") for user in "ab"]
    wait_until(lambda: bool(server.service.workers.at_work) and server.service.open == 2)
    [painting] = server.service.workers.at_work.values()
    for connection in both:
        connection.close()
    wait_until(lambda: not server.service.workers.at_work)

    assert server.service.counts["stopped"] == 1
    assert painting.painted is None
    assert painting.window is None, "its memory was given back"
    assert server.get("/tiles/mandelbrot/0/0/0.png").status == 200


def test_too_many_requests_of_one_client_are_refused_and_others_are_served(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_EACH", 2)
    server = serve(workers=1, data_ms=600_000, switching=False)
    held = [leave_after_asking(server, f"/tiles/mandelbrot/3/2/{row}.png") for row in range(2)]
    wait_until(lambda: server.service.open == 2)
    answer = server.get("/tiles/mandelbrot/3/2/5.png")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    held.append(leave_after_asking(server, "/tiles/mandelbrot/3/2/6.png", Cookie="client=other"))
    wait_until(lambda: server.service.open == 3)
    for connection in held:
        connection.close()
    wait_until(lambda: server.service.open == 0)


def most_waiting(document: Any) -> Any:
    """How many requests of the lesson waited for data at the same instant."""
    waits = [wait for request in document["requests"] for wait in request["waits"]]
    return max(sum(other[0] >= one[0] > other[1] for other in waits) for one in waits)  # ms before now


@pytest.mark.parametrize("switching", [True, False])
def test_with_switching_all_wait_for_data_at_once_and_without_one_after_the_other(
    serve: Serve, *, switching: bool
) -> None:
    server = serve(workers=1, data_ms=150, switching=switching)
    barrier = threading.Barrier(4)

    def ask(user: int) -> int:
        barrier.wait()
        return server.get(f"/tiles/mandelbrot/4/3/{user}.png", Cookie=f"client=user{user}").status

    with ThreadPoolExecutor(4) as users:
        assert list(users.map(ask, range(4))) == [200] * 4
    document = json.loads(server.get("/lesson.json", Cookie="client=user2").body)

    assert (most_waiting(document) > 1) == switching
    assert len({request["user"] for request in document["requests"]}) == 4
    assert document["you"] in {request["user"] for request in document["requests"]}
    assert document["switching"] == switching
    assert "Four users waited" in document["sentences"][0]


def test_the_record_is_a_trace_like_any_other_and_opens_in_the_theatre(plain: Running) -> None:
    plain.get("/tiles/mandelbrot/3/4/4.png")
    frames = saved.parse(plain.get("/lesson.trace.json").body)

    assert frames[0].title == "server of 2 workers (switching)"
    assert frames[0].request.scene == "server"
    assert {span.kind for span in frames[0].trace.spans} == {"paint"}
    theatre = plain.get("/lesson.html")
    assert theatre.status == 200
    assert b"sha256-" in theatre.body
    assert "frame-ancestors 'none'" in theatre.headers["content-security-policy"]


def test_a_picture_of_any_size_is_that_of_draw(plain: Running) -> None:
    answer = plain.get("/picture/mandelbrot.png?width=300&height=1800&view=seahorses&palette=moss&zoom=90")
    expected = render.draw(
        view="seahorses", parameters={"palette": "moss", "zoom": 90}, size=(300, 1800), mode="sequential"
    )

    assert np.array_equal(pixels(answer), expected.rgb)
    assert "attachment" in answer.headers["content-disposition"]


def test_documents_say_what_there_is(plain: Running) -> None:
    tiles = json.loads(plain.get("/tiles/still_life.json").body)
    assert tiles["tilejson"] == "3.0.0"
    assert (tiles["minzoom"], tiles["maxzoom"], tiles["scheme"]) == (0, 9, "xyz")
    assert plain.get(tiles["tiles"][0].replace(plain.address, "/").format(z=0, x=0, y=0), method="HEAD").status == 200
    scenes = {scene["scene"]: scene for scene in json.loads(plain.get("/scenes.json").body)["scenes"]}
    assert {"mandelbrot", "julia", "still_life"} <= scenes.keys()
    assert scenes["mandelbrot"]["views"]["rosette"]["maxzoom"] < scenes["mandelbrot"]["maxzoom"]
    assert json.loads(plain.get("/healthz").body)["status"] == "ok"
    assert plain.get("/readyz").status == 200
    metrics = plain.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    sample = r"(# (HELP|TYPE) render_\w+ .+|render_\w+ [0-9.e+-]+)"
    assert all(re.fullmatch(sample, line) for line in metrics.body.decode().splitlines())


def test_the_explorer_gives_a_cookie_that_no_script_reads_and_keeps_one_that_is_there(plain: Running) -> None:
    cookie = plain.get("/").headers["set-cookie"]
    assert re.match(r"client=[A-Za-z0-9_-]{20,}; HttpOnly; Path=/; SameSite=strict", cookie)
    assert "set-cookie" not in plain.get("/", Cookie="client=mine").headers


def test_a_scene_that_the_owner_named_is_served_and_no_other_file(serve: Serve, tmp_path: Any) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        "def start(x, y, p):\n    return (x,)\ndef step(state, p):\n    return state\n"
        "def alive(state, p):\n    return state[0] > 9.0\ndef shade(state, steps, p):\n    return 0.1, 0.2, 0.3\n",
        encoding="utf-8",
    )
    server = serve(files=(str(own),))
    assert server.get("/tiles/own/0/0/0.png", method="HEAD").status == 200
    assert server.get(f"/tiles/{own}/0/0/0.png", method="HEAD").status == 404
    assert str(tmp_path) not in server.get("/scenes.json").body.decode()
