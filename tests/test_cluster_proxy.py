"""nginx in front of servers: who is led where, and what happens when one is gone."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager

import pytest
import requests

from utils.cluster.proxy import COOKIE, Proxy, Sticky


class Names(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(self.server.server_port).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@contextmanager
def named():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Names)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(params=list(Sticky))
def before(request, tmp_path):
    """Two servers that tell their ports, and nginx before them."""
    with named() as one, named() as other:
        ports = {"server 1": one.server_port, "server 2": other.server_port}
        proxy = Proxy.launch(tmp_path, ports, request.param)
        proxy.wait_until_ready()
        yield request.param, f"http://127.0.0.1:{proxy.port}/", ports, {"1": one, "2": other}
        proxy.stop()


def browse(url, visits):
    with requests.Session() as browser:
        browser.trust_env = False
        return [browser.get(url, timeout=30).text for _ in range(visits)], browser.cookies


def test_who_is_led_to_the_same_server_again(before):
    sticky, url, ports, _ = before
    visits = [browse(url, 6) for _ in range(6)]
    of_each = [set(seen) for seen, _ in visits]
    everybody = set.union(*of_each)
    if sticky is Sticky.NONE:
        assert of_each == [{str(port) for port in ports.values()}] * 6
    else:
        assert all(len(seen) == 1 for seen in of_each)
        # One address is one visitor to the one, and several to the other.
        assert len(everybody) == (2 if sticky is Sticky.COOKIE else 1)
    assert [COOKIE in cookies for _, cookies in visits] == [sticky is Sticky.COOKIE] * 6


def test_a_server_that_is_gone_is_passed_by(before):
    sticky, url, _, servers = before
    (first, *_), cookies = browse(url, 1)
    gone = next(server for server in servers.values() if str(server.server_port) == first)
    gone.shutdown()
    gone.server_close()
    for _ in range(4):
        answer = requests.get(url, cookies=cookies, timeout=30, proxies={"http": ""})
        assert answer.status_code == 200 and answer.text != first
