"""A Redis for one cluster: in memory, on the loopback, for whoever has the password and no more.

The rule kept here: least rights.  The servers' user may publish and subscribe
on the application's channel, and nothing else: no keys, no scripts, no
configuration; nobody comes in without its password.  To see what an open one
would mean it has to be asked for (``open_to_all``).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from utils.cluster import programs
from utils.errors import ProcessError
from utils.processes.child import Child

NAME = "Redis"

#: The user that the servers are.
USER = "servers"

#: What a server needs: to come in, to say something and to hear it.
RIGHTS = "+publish +subscribe +unsubscribe +ping +hello +auth"


@dataclass(frozen=True, slots=True)
class Queue:
    """A running Redis; ``url`` holds the password."""

    child: Child
    port: int
    url: str = field(repr=False)
    channel: str

    @classmethod
    def launch(cls, folder: Path, channel: str, *, open_to_all: bool = False) -> Queue:
        """Start it, and do not wait.  Raises EnvironmentLack if Redis is not installed."""
        program, port, password = programs.find("redis-server"), programs.free_port(), secrets.token_hex(16)
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            'save ""',
            "appendonly no",
            f"dir {folder}",
            "maxmemory 64mb",
        ]
        if open_to_all:
            lines.append("protected-mode no")
            url = f"redis://127.0.0.1:{port}/0"
        else:
            lines += [
                "user default off",
                # Channels by name, no key, and only these commands.
                f"user {USER} on >{password} resetchannels &{channel} resetkeys -@all {RIGHTS}",
            ]
            url = f"redis://{USER}:{password}@127.0.0.1:{port}/0"
        # In a file that only this user may read: a command line is for everybody to see.
        configuration = folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join(lines) + "\n")
        child = programs.keep(NAME, [str(program), str(configuration)], folder, port=port)
        return cls(child, port, url, channel)

    def wait_until_ready(self) -> None:
        """Wait until it answers.  Raises ProcessError if it never does."""
        import redis

        self.child.wait_until_ready()
        try:
            # It listens before it has read the rights: a port that answers is not enough.
            with redis.Redis.from_url(self.url) as client:
                client.ping()
        except redis.exceptions.RedisError as error:
            raise ProcessError(
                "Redis does not let its own servers in",
                why=f"{type(error).__name__}: {error}",
                next_step=f"read {self.child.log}",
            ) from None

    def stop(self) -> None:
        """End it."""
        self.child.stop()


def rights_of(url: str) -> list[str]:
    """What the user of ``url`` is refused of a few commands that would harm: for the lesson.

    Raises ProcessError if nobody answers.
    """
    import redis

    refused = []
    with redis.Redis.from_url(url) as client:
        for words in (("KEYS", "*"), ("SET", "a", "1"), ("CONFIG", "GET", "*"), ("EVAL", "return 1", "0")):
            try:
                client.execute_command(*words)
            except redis.exceptions.NoPermissionError:
                refused.append(words[0])
            except redis.exceptions.ConnectionError as error:
                raise ProcessError("the queue does not answer", why=str(error)) from None
    return refused
