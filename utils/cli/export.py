"""``socketio-lab export``: a recording for other tools.

The rule kept here: each format is written by the part of the lab that knows it;
here it is only chosen.  A text goes to standard output where no file is named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from utils.cli.console import examples, note, progress
from utils.cli.recordings import RecordingType, load
from utils.errors import InputError

if TYPE_CHECKING:
    from utils.run import Run


def _perfetto(run: Run, path: Path, journey: str | None) -> None:
    run.trace_events(path)


def _pcapng(run: Run, path: Path, journey: str | None) -> None:
    from utils.capture import files

    files.write_segments(path, run.recording.segments)


def _mermaid(run: Run, journey: str | None) -> Iterator[str]:
    yield run.mermaid(journey).text


def _packets(run: Run, journey: str | None) -> Iterator[str]:
    yield run.packets(event=journey, most=len(run.messages)).text


def _jsonl(run: Run, journey: str | None) -> Iterator[str]:
    for number, message in enumerate(run.messages, 1):
        yield json.dumps(
            {
                "number": number,
                "time_ns": message.first_ns,
                "source": str(message.flow.source),
                "destination": str(message.flow.destination),
                "layer": message.unit.layer.value,
                "summary": message.unit.summary,
                "offset": message.start,
                "length": len(message.unit.raw),
            },
            ensure_ascii=False,
        )


#: Formats that are files: what they end in, and who writes them.
_FILES: dict[str, tuple[str, Callable[[Run, Path, str | None], None]]] = {
    "perfetto": (".trace.json.gz", _perfetto),
    "pcapng": (".pcapng", _pcapng),
}

#: Formats that are texts.
_TEXTS: dict[str, Callable[[Run, str | None], Iterator[str]]] = {
    "mermaid": _mermaid,
    "packets": _packets,
    "jsonl": _jsonl,
}

#: Those that can be of one journey alone.
_OF_A_JOURNEY = frozenset({"mermaid", "packets"})


@click.command(
    epilog=examples(
        "socketio-lab export recordings/chat -f perfetto",
        "socketio-lab export recordings/chat -f pcapng -o chat.pcapng",
        "socketio-lab export one_bid -f mermaid --journey connect > connect.mmd",
        "socketio-lab export somebody.pcap -f jsonl | jq .summary",
    )
)
@click.argument("recording", type=RecordingType())
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice([*_FILES, *_TEXTS]),
    required=True,
    help="What to write.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option("--journey", help="Only the messages of this journey (mermaid, packets).")
def command(recording: Path, form: str, output: Path | None, journey: str | None) -> None:
    """Write a recording in a format that other tools read.

    \b
    perfetto  calls, hand-offs and packets as trace events, for ui.perfetto.dev
    pcapng    the packets, for Wireshark and every other tool
    mermaid   who said what to whom, as a Mermaid sequence diagram
    packets   the decoded messages as a table of text
    jsonl     the same, one JSON document a line

    RECORDING is a recording's folder or name, or a capture file (pcap or
    pcapng, packed or not), of which the calls are not known.
    """
    if journey is not None and form not in _OF_A_JOURNEY:
        raise click.UsageError(f"--journey goes with {' and '.join(sorted(_OF_A_JOURNEY))}, not with {form}")
    with progress(f"Writing {form}"):
        run = load(recording)
        if form in _FILES:
            ending, write = _FILES[form]
            path = output or Path(recording.name.partition(".")[0] + ending)
            if output is None and path.exists():
                raise InputError(
                    f"{path} is there already", next_step=f"name the file to write: -o {path}, to replace it"
                )
            write(run, path, journey)
            note(f"wrote {path}")
            return
        lines = _TEXTS[form](run, journey)
        if output is None:
            for line in lines:
                click.echo(line)
        else:
            output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            note(f"wrote {output}")
