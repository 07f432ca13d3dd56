"""An nginx in front of several servers, which leads a client to the same one always.

The rule kept here: an Engine.IO session lives in one process, so what decides
is said in one place (:class:`Sticky`); and a server that is gone is passed by.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from utils.cluster import programs
from utils.processes.child import Child

NAME = "nginx"

#: Holds which server a browser is led to.
COOKIE = "socketio_lab_server"


class Sticky(StrEnum):
    """What leads a client to the same server again."""

    COOKIE = "cookie"  # a class behind one address is spread over the servers
    ADDRESS = "address"  # no cookie is needed; who shares an address shares a server
    NONE = "none"  # nothing does: to see what breaks


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running nginx."""

    child: Child
    port: int

    @classmethod
    def launch(cls, folder: Path, servers: Mapping[str, int], sticky: Sticky) -> Proxy:
        """Start it in front of these servers (name → port), and do not wait.

        Raises EnvironmentLack if nginx is not installed.
        """
        program, port = programs.find("nginx"), programs.free_port()
        configuration = folder / "nginx.conf"
        configuration.write_text(configured(folder, port, servers, sticky))
        command = [str(program), "-p", str(folder), "-e", "stderr", "-c", str(configuration)]
        return cls(programs.keep(NAME, command, folder, port=port), port)

    def wait_until_ready(self) -> None:
        """Wait until it answers.  Raises ProcessError if it never does."""
        self.child.wait_until_ready()

    def stop(self) -> None:
        """End it."""
        self.child.stop()


def configured(folder: Path, port: int, servers: Mapping[str, int], sticky: Sticky) -> str:
    """The whole configuration: one worker in the foreground, everything below ``folder``."""
    ports = list(servers.values())
    # A server that refuses is passed by, and never set aside: nginx would do so for ten seconds, and
    # of servers that are killed one after the other, and are up again, there would be none left.
    everyone = "".join(f" server 127.0.0.1:{one} max_fails=0;" for one in ports)
    balance = " hash $remote_addr consistent;" if sticky is Sticky.ADDRESS else ""
    lines = [f"upstream everyone {{{balance}{everyone} }}"]
    if sticky is Sticky.COOKIE:
        chosen = []
        for number, one in enumerate(ports, 1):
            others = "".join(
                f" server 127.0.0.1:{other} backup max_fails=0;" for other in ports if other != one
            )
            lines.append(f"upstream server_{number} {{ server 127.0.0.1:{one} max_fails=0;{others} }}")
            chosen.append(f'"127.0.0.1:{one}" server_{number};')
        lines.append(f"map $cookie_{COOKIE} $chosen {{ default everyone; {' '.join(chosen)} }}")
        lines.append(
            f'map $cookie_{COOKIE} $told {{ default ""; "" "{COOKIE}=$upstream_addr; Path=/; HttpOnly; '
            'SameSite=Strict"; }'
        )
    target = "$chosen" if sticky is Sticky.COOKIE else "everyone"
    tell = "add_header Set-Cookie $told;" if sticky is Sticky.COOKIE else ""
    temporary = "".join(
        f"{each}_temp_path {folder}/{each}; " for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    inside = "\n  ".join(lines)
    return f"""\
{_user()}daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 4096; }}
http {{
  access_log off; {temporary}
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  {inside}
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 512k;
    location / {{
      proxy_pass http://{target};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_buffering off;
      proxy_read_timeout 60s;
      # Of a server that is gone the clients come to another one.
      proxy_next_upstream error timeout;
      proxy_next_upstream_tries {len(ports)};
      {tell}
    }}
  }}
}}
"""


def _user() -> str:
    """Whose the folders are: without it nginx, as root, gives them to one that a private network lacks."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return ""  # nginx would warn that it means nothing here
    import grp
    import pwd

    return f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(0).gr_name}; "
