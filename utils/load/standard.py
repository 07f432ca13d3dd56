"""The comparisons by name: the questions that the lab asks of the stack, and how each is measured.

The rule kept here: one question an experiment, one difference between its
variants, and the floor beneath them in the same run.  Applications are named,
not imported, as on a command line.
"""

from __future__ import annotations

from dataclasses import replace

from utils.errors import InputError
from utils.load.values import Experiment, Subject, Variant, Workload

ECHO = Subject("scenarios.echo")
IN_ORDER = Subject("scenarios.echo", ("--in-order",))
NAGLE = Subject("scenarios.echo", ("--nagle",))
NO_GZIP = Subject("scenarios.echo", ("--no-gzip",))
GEVENT = Subject("scenarios.echo_gevent", gevent=True)
BARE_GEVENT = Subject("scenarios.echo_gevent", ("--bare",), gevent=True)
TCP = Subject("scenarios.floors", ("tcp",))
FRAMES = Subject("scenarios.floors", ("websocket",))
TELL = Subject("scenarios.floors", ("tell",))

AUCTION = Subject("lab_server", ("--port", "0", "--log-level", "error"))
PRODUCTION = Subject(
    "lab_server.production",
    ("--port", "0", "--log-level", "error"),
    gevent=True,
    environment=(
        ("LAB_SERVER_DATABASE", "sqlite:///auction.sqlite3"),
        ("LAB_SERVER_SECRET_KEY", ""),
        ("LAB_SERVER_AUCTIONEER_TOKEN", ""),
    ),
)

#: One request after another: what a single client waits for, steady on a busy machine, too.
ONE_BY_ONE = Workload(rate=None, count=200)

#: News to everybody, with their number in front.
NEWS = Workload(event="announce", argument='{"n":<number>,"text":"<text>"}', mark='"n":', size=40)

#: Bids on the auction's first lot, each by somebody else and higher than the one before, while others watch.
BIDS = Workload(
    event="bid",
    argument='{"id":"<uuid>","lot":1,"bidder":"<name>","cents":<cents>}',
    greeting=(("join", '{"lot":1}'),),
    mark='"cents":',
    askers=2,
)

_FLOORS = (
    Variant("raw TCP", TCP, replace(ONE_BY_ONE, speaks="tcp"), floor=True),
    Variant("raw WebSocket", FRAMES, replace(ONE_BY_ONE, speaks="frames"), floor=True),
)


def _fan_out(clients: int) -> tuple[Variant, ...]:
    work = replace(NEWS, clients=clients, rate=None, count=5)
    return (
        Variant(f"raw TCP, a loop over {clients}", TELL, replace(work, speaks="tcp"), floor=True),
        Variant(f"threading, to {clients}", ECHO, work),
        Variant(f"gevent, to {clients}", GEVENT, work),
    )


def _fewer(experiment: Experiment, most: int, without: tuple[str, ...] = ()) -> tuple[Variant, ...]:
    """Its variants with ``most`` requests a turn at most."""
    return tuple(
        replace(variant, workload=replace(variant.workload, count=min(most, variant.workload.count)))
        for variant in experiment.variants
        if variant.name not in without
    )


STACK = Experiment(
    "stack",
    "What does each layer of the stack cost an echo?",
    (
        *_FLOORS,
        Variant("threading", ECHO, ONE_BY_ONE),
        Variant("threading, in order", IN_ORDER, ONE_BY_ONE),
        Variant("gevent", GEVENT, ONE_BY_ONE),
        Variant("threading, python-socketio's client", ECHO, replace(ONE_BY_ONE, speaks="library")),
    ),
    turns=16,
)

TRANSPORTS = Experiment(
    "transports",
    "What does it cost to poll instead of using a WebSocket?",
    (
        *_FLOORS,
        Variant("WebSocket", ECHO, ONE_BY_ONE),
        Variant("polling", ECHO, replace(ONE_BY_ONE, speaks="polling", count=60)),
    ),
)

#: Payload sizes, in bytes, with the numbers of requests that take about as long.
_SIZES = {"10 B": (10, 100), "1 kB": (1000, 100), "10 kB": (10_000, 60), "100 kB": (100_000, 20)}

PAYLOAD = Experiment(
    "payload",
    "How does the payload's size tell?",
    tuple(
        variant
        for name, (size, count) in {**_SIZES, "1 MB": (1_000_000, 4)}.items()
        for variant in (
            Variant(
                f"{name} by raw TCP",
                TCP,
                Workload(speaks="tcp", rate=None, size=size, count=count),
                floor=True,
            ),
            Variant(f"{name} by Socket.IO", ECHO, Workload(rate=None, size=size, count=count)),
        )
    ),
)

COMPRESSION = Experiment(
    "compression",
    "What does compression cost, where the wire is free?",
    (
        Variant("10 kB, frames as they are", ECHO, Workload(rate=None, size=10_000, count=60)),
        Variant("10 kB, deflated frames", ECHO, Workload(rate=None, size=10_000, count=60, deflate=True)),
        Variant("polled, 900 B", ECHO, Workload("polling", rate=None, size=900, count=40)),
        Variant("polled, 1,100 B, gzipped", ECHO, Workload("polling", rate=None, size=1100, count=40)),
        Variant("polled, 1,100 B, gzip off", NO_GZIP, Workload("polling", rate=None, size=1100, count=40)),
    ),
)

NODELAY = Experiment(
    "nodelay",
    "What happens when a handler tells everybody and answers, too?",
    (
        Variant("TCP_NODELAY off", NAGLE, replace(NEWS, mark="", rate=None, count=20)),
        Variant("TCP_NODELAY on", ECHO, replace(NEWS, mark="", rate=None, count=20)),
    ),
)

FAN_OUT = Experiment(
    "fan-out", "How long until the last of many clients has heard?", _fan_out(100) + _fan_out(500), turns=4
)

_RATES = (50, 200, 400, 600, 800, 1200)

LOAD = Experiment(
    "load",
    "How much can one client ask for before answers come late?",
    tuple(
        Variant(f"threading, {rate}/s", ECHO, Workload(rate=float(rate), count=max(50, rate)))
        for rate in _RATES
    ),
    turns=3,
)

AUCTIONS = Experiment(
    "auction",
    "How fast are bids accepted while a hundred watch?",
    (
        Variant("the auction, threading", AUCTION, replace(BIDS, clients=100, rate=100.0, count=100)),
        Variant("the auction, gevent", PRODUCTION, replace(BIDS, clients=100, rate=100.0, count=100)),
    ),
    turns=3,
)

#: What is told apart from its packets: echoes at random moments.
APART = Variant("echo", ECHO, Workload(rate=200.0, count=150))

#: The standard comparison, in the order in which it is told.
STANDARD = (STACK, TRANSPORTS, PAYLOAD, COMPRESSION, NODELAY, FAN_OUT, LOAD, AUCTIONS)


#: The same questions, as briefly as a notebook can ask them: what needs nothing but this environment.
BRIEF = (
    Experiment(
        "stack", STACK.question, _fewer(STACK, 60, without=("gevent", "threading, in order")), turns=3
    ),
    Experiment("transports", TRANSPORTS.question, _fewer(TRANSPORTS, 40), turns=5),
    Experiment("payload", PAYLOAD.question, _fewer(PAYLOAD, 20), turns=3),
    Experiment("nodelay", NODELAY.question, _fewer(NODELAY, 8), turns=3),
    Experiment("fan-out", FAN_OUT.question, _fan_out(60)[:2], turns=3),
    Experiment(
        "order",
        "What does it save to handle events one by one?",
        (
            Variant("a thread for each event", ECHO, replace(ONE_BY_ONE, count=60)),
            Variant("in order", IN_ORDER, replace(ONE_BY_ONE, count=60)),
        ),
        turns=3,
    ),
)


def brief(name: str) -> Experiment:
    """The brief comparison of that name.  Raises InputError if there is none."""
    return _of(BRIEF, name)


def named(name: str) -> Experiment:
    """The comparison of that name.  Raises InputError if there is none."""
    return _of(STANDARD, name)


def _of(experiments: tuple[Experiment, ...], name: str) -> Experiment:
    for experiment in experiments:
        if experiment.name == name:
            return experiment
    raise InputError(
        f"there is no comparison called {name!r}",
        why=f"those that there are, are {', '.join(each.name for each in experiments)}",
        next_step="take one of them",
    )
