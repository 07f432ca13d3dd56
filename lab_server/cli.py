"""The command line: ``python -m lab_server``.

Secrets come from the environment, never from an option: a command line can be
read by every user of the machine.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
import threading
import time
from _thread import interrupt_main
from dataclasses import replace
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from lab_server import log
from lab_server.lessons import SHOWS, Lesson
from lab_server.settings import LOOPBACK_HOSTS, Settings

#: The secrets' names in the environment; each has a fresh random value when it is not set.
SECRETS = {
    "secret_key": "LAB_SERVER_SECRET_KEY",
    "auctioneer_token": "LAB_SERVER_AUCTIONEER_TOKEN",
}

_LESSONS = "\n".join(f"  {lesson:<16} {SHOWS[lesson]}" for lesson in Lesson)

_EPILOG = f"""\b
Lessons:
{_LESSONS}

\b
Environment, because these hold passwords:
  LAB_SERVER_MESSAGE_QUEUE     redis://..., where several processes meet; none if there is only one
  LAB_SERVER_SECRET_KEY        signs the session cookie
  LAB_SERVER_AUCTIONEER_TOKEN  opens the auctioneer's namespace
Options can be set there, too: LAB_SERVER_PORT, LAB_SERVER_DATABASE, ...
"""


@click.command(
    epilog=_EPILOG,
    context_settings={"show_default": True, "max_content_width": 110, "auto_envvar_prefix": "LAB_SERVER"},
)
@click.option("--host", default="127.0.0.1", help="The address to listen on.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="The port; 0 takes a free one.")
@click.option(
    "--database", default=Settings().database, metavar="URL", help="sqlite:///FILE or postgresql://..."
)
@click.option(
    "--lesson",
    "lessons",
    type=click.Choice([lesson.value for lesson in Lesson]),
    multiple=True,
    help="Bring a fault back.",
)
@click.option("--allowed-host", "hosts", multiple=True, metavar="NAME", help="Another name of this server.")
@click.option(
    "--allowed-origin", "origins", multiple=True, metavar="URL", help="Another site that may connect."
)
@click.option(
    "--behind-proxy", is_flag=True, help="Believe X-Forwarded-For and -Proto of the proxy in front."
)
@click.option(
    "--ping-interval",
    default=Settings().ping_interval,
    type=click.IntRange(1, 25),
    metavar="SECONDS",
    help="From one heartbeat to the next.",
)
@click.option("--log-level", default="info", type=click.Choice(["debug", "info", "warning", "error"]))
@click.option("--stop-with-parent", is_flag=True, help="Stop when the process that started this one ends.")
def main(
    host: str,
    port: int,
    database: str,
    lessons: tuple[str, ...],
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    behind_proxy: bool,
    ping_interval: int,
    log_level: str,
    stop_with_parent: bool,
) -> None:
    """Hold an auction over Socket.IO, served by Flask and Werkzeug for study.

    When it listens it prints one line that ends in its URL.
    """
    # Imported here, so that --help answers at once.
    from lab_server import serving
    from lab_server.app import create_auction

    if host not in ("127.0.0.1", "::1", "localhost") and not hosts:
        raise click.UsageError("beyond this machine, say by which name it is reached: --allowed-host NAME")
    log.configure(log_level)
    settings = Settings(
        database=database,
        lessons=frozenset(map(Lesson, lessons)),
        allowed_hosts=(*LOOPBACK_HOSTS, *hosts),
        allowed_origins=origins,
        ping_interval=ping_interval,
        message_queue=os.environ.get("LAB_SERVER_MESSAGE_QUEUE"),
        behind_proxy=behind_proxy,
    )
    secrets = secrets_from_environment()
    settings = replace(settings, **secrets)
    try:
        auction = create_auction(settings)
    except SQLAlchemyError as error:
        raise click.ClickException(f"the database cannot be used: {error}") from None
    server = serving.make(auction, host, port)
    url = f"http://{'[::1]' if host == '::1' else host}:{server.port}"

    def announce() -> None:
        if stop_with_parent:
            _watch_parent()
        fields = {"url": url, "instance": settings.instance, "lessons": sorted(settings.lessons)}
        logging.getLogger("lab_server").info("listening", extra=fields)
        if "auctioneer_token" not in secrets:
            click.echo(f"The auctioneer's page is {url}/auctions#auctioneer={settings.auctioneer_token}")
        click.echo(f"Process {os.getpid()}, instance {settings.instance}, listens on {url}")
        sys.stdout.flush()

    serving.serve(auction, server, announce=announce)


def secrets_from_environment() -> dict[str, Any]:
    """The secrets that are set, by the names of their fields in Settings."""
    return {field: os.environ[name] for field, name in SECRETS.items() if os.environ.get(name)}


def _watch_parent() -> None:
    """Interrupt the main thread when the parent is gone.

    A pipe on standard input tells at once, on every platform; where there is none, the
    parent's id changes (POSIX).
    """
    parent = os.getppid()

    def wait_for_end_of_file() -> None:
        while os.read(0, 4096):
            pass
        interrupt_main()

    def watch_id() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        interrupt_main()

    is_pipe = stat.S_ISFIFO(os.fstat(0).st_mode)
    watch = wait_for_end_of_file if is_pipe else watch_id
    threading.Thread(target=watch, name="parent watch", daemon=True).start()
