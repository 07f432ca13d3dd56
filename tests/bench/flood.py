"""Many small TCP segments over the loopback, at an even rate: ``python -m tests.bench.flood``.

A process of its own reads them, as fast as they come; its port is printed
first.  Each line of standard input, ``RATE SECONDS``, is one flood on a new
connection; what it sent is printed when it is over: bytes, and the rate that
was reached.
"""

from __future__ import annotations

import os
import socket
import sys
import time

#: Bytes of a segment: about what a bid takes.
SIZE = 100

#: Segments sent without a pause; small enough that the rate is even.
BURST = 50


def read(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(1 << 20):
                pass


def send(port: int, rate: float, seconds: float) -> tuple[int, float]:
    """How many bytes went out, and how many segments a second."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data, step = b"x" * SIZE, BURST / rate
        began = due = time.monotonic()
        sent = 0
        while due < began + seconds:
            for _ in range(BURST):
                # The end of a record: the kernel may not put two of them into one segment (tcp(7)).
                connection.sendall(data, socket.MSG_EOR)
            sent += BURST
            due += step
            if (ahead := due - time.monotonic()) > 0:
                time.sleep(ahead)
        return sent * SIZE, sent / (time.monotonic() - began)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    port = listener.getsockname()[1]
    reader = os.fork()
    if not reader:
        read(listener)
    try:
        print(port, flush=True)
        for line in sys.stdin:
            rate, seconds = map(float, line.split())
            print(*send(port, rate, seconds), flush=True)
    finally:
        os.kill(reader, 9)


if __name__ == "__main__":
    main()
