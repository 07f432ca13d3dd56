"""Serving the auction to many: gevent, and as many processes as you like.

``python -m lab_server.production``.  Each process serves on a port of its own;
nginx (deploy/nginx.conf) leads a client to the same one always, Redis carries
what one of them announces to the others, and PostgreSQL holds the truth.
Everything else is the same application.
"""

# gevent's rule: before anything else is imported.
from gevent import monkey

monkey.patch_all()

import os
import signal
import socket
import sys
from typing import Any

import click
import gevent
from gevent.event import Event
from gevent.pywsgi import WSGIHandler, WSGIServer
from sqlalchemy.exc import SQLAlchemyError

from lab_server import log
from lab_server.app import Auction, create_auction
from lab_server.cli import secrets_from_environment
from lab_server.settings import LOOPBACK_HOSTS, Limits, Settings

#: Without threads a client costs little: more of them may come.
LIMITS = Limits(clients=10_000, connections=20_000)

#: How long a stopping server waits for its clients to be told, in seconds.
LEAVE = 2.0


class ProductionHandler(WSGIHandler):
    """gevent's request handler, with the two cures of StudyRequestHandler that it needs, too."""

    def handle(self) -> None:
        """Serve a connection, its small packets at once."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle()

    def handle_one_response(self) -> None:
        """Answer one request; a connection that was a WebSocket has no other."""
        super().handle_one_response()
        if self.environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            self.close_connection = True


@click.command(
    context_settings={"show_default": True, "max_content_width": 110, "auto_envvar_prefix": "LAB_SERVER"}
)
@click.option("--host", default="127.0.0.1", help="The address to listen on.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="The port; 0 takes a free one.")
@click.option("--allowed-host", "hosts", multiple=True, metavar="NAME", help="A name of this server.")
@click.option(
    "--allowed-origin", "origins", multiple=True, metavar="URL", help="Another site that may connect."
)
@click.option(
    "--behind-proxy", is_flag=True, help="Believe X-Forwarded-For and -Proto of the proxy in front."
)
@click.option("--log-level", default="info", type=click.Choice(["debug", "info", "warning", "error"]))
def main(
    host: str, port: int, hosts: tuple[str, ...], origins: tuple[str, ...], behind_proxy: bool, log_level: str
) -> None:
    """Serve the auction to many clients with gevent, as one process of several.

    \b
    Environment, because these hold passwords:
      LAB_SERVER_DATABASE          postgresql://..., shared by all processes
      LAB_SERVER_MESSAGE_QUEUE     redis://..., shared by all processes; none if there is only one
      LAB_SERVER_SECRET_KEY        signs the session cookie; the same for all processes
      LAB_SERVER_AUCTIONEER_TOKEN  opens the auctioneer's namespace; the same for all processes
    """
    log.configure(log_level)
    secrets = secrets_from_environment()
    database = os.environ.get("LAB_SERVER_DATABASE")
    if database is None or len(secrets) < 2:
        raise click.UsageError("LAB_SERVER_DATABASE and the two secrets must be set; see --help")
    settings = Settings(
        database=database,
        message_queue=os.environ.get("LAB_SERVER_MESSAGE_QUEUE"),
        async_mode="gevent",
        allowed_hosts=(*LOOPBACK_HOSTS, *hosts),
        allowed_origins=origins,
        behind_proxy=behind_proxy,
        limits=LIMITS,
        **secrets,
    )
    try:
        auction = create_auction(settings)
    except SQLAlchemyError as error:
        raise click.ClickException(f"the database cannot be used: {type(error).__name__}") from None
    if auction.house.engine.dialect.name == "sqlite":
        # SQLite waits for the disk inside a call, and with it would wait all clients of this process.
        auction.house.aside = gevent.get_hub().threadpool.apply
    serve(auction, host, port)


def serve(auction: Auction, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; then tell the clients, and go."""
    server = WSGIServer(
        (host, port),
        auction.app,
        handler_class=ProductionHandler,
        spawn=auction.settings.limits.connections,
        log=None,
    )
    server.start()
    over = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, over.set)
    auction.clock.start()
    auction.listen_to_others()
    url = f"http://{host}:{server.server_port}"
    click.echo(f"Process {os.getpid()}, instance {auction.settings.instance}, listens on {url}")
    sys.stdout.flush()
    over.wait()
    server.close()  # to new clients only: stop() would break off all connections
    take_leave(auction, server)


def take_leave(auction: Auction, server: Any) -> None:
    """Tell every client that it is over, and give their connections a moment to end."""
    engine = auction.socketio.server.eio
    for client in list(engine.sockets.values()):
        client.close(wait=False, reason=engine.reason.SERVER_DISCONNECT)
    server.pool.join(timeout=LEAVE)
    engine.shutdown()
    auction.close()


if __name__ == "__main__":
    main(prog_name="python -m lab_server.production")
