from __future__ import annotations

import gc
import socket
from contextlib import ExitStack

from tests.browser.proxy import Proxy


def test_what_comes_while_it_ends_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        for connections in range(1, 9):
            with ExitStack() as clients, Proxy(upstream.getsockname()[1]) as proxy:
                for _ in range(connections):
                    clients.enter_context(socket.create_connection(("127.0.0.1", proxy.port)))
    gc.collect()  # what is still open warns, which fails the test
