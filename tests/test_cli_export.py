"""What is exported is what the run holds, in each format."""

from __future__ import annotations

import gzip
import json

import pytest
from click.testing import CliRunner

from utils import lab
from utils.cli import main


def run(*arguments):
    return CliRunner().invoke(main.group, ["export", *arguments])


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_perfetto_has_every_call_and_packet(here):
    done = run("one_bid", "-f", "perfetto")
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    with gzip.open(here / "one_bid.trace.json.gz", "rt") as file:
        events = json.load(file)["traceEvents"]
    run_ = lab.replay("one_bid")
    assert len(events) > sum(len(trace.calls) for trace in run_.recording.traces)


def test_pcapng_holds_the_same_segments(here):
    assert run("one_bid", "-f", "pcapng", "-o", "out.pcapng").exit_code == 0
    assert lab.read(here / "out.pcapng").recording.segments == lab.replay("one_bid").recording.segments


def test_what_is_there_is_not_overwritten_unasked(here):
    (here / "one_bid.pcapng").write_text("mine")
    done = run("one_bid", "-f", "pcapng")
    assert done.exit_code == 3 and "-o one_bid.pcapng" in done.stderr
    assert (here / "one_bid.pcapng").read_text() == "mine"
    assert run("one_bid", "-f", "pcapng", "-o", "one_bid.pcapng").exit_code == 0


def test_the_texts_go_to_standard_output(here):
    one = lab.replay("one_bid")
    assert (
        run("one_bid", "-f", "mermaid", "--journey", "broadcast out").stdout
        == one.mermaid("broadcast out").text + "\n"
    )
    assert run("one_bid", "-f", "packets").stdout == one.packets().text + "\n"
    lines = run("one_bid", "-f", "jsonl").stdout.splitlines()
    assert [json.loads(line)["summary"] for line in lines] == [each.unit.summary for each in one.messages]
    assert [each["number"] for each in map(json.loads, lines)] == list(range(1, len(lines) + 1))
    assert list(here.iterdir()) == []


def test_a_text_goes_to_a_file_that_is_named(here):
    assert run("one_bid", "-f", "mermaid", "-o", "bid.mmd").exit_code == 0
    assert (here / "bid.mmd").read_text(encoding="utf-8") == lab.replay("one_bid").mermaid().text + "\n"


def test_a_capture_alone_can_be_exported(here):
    done = run(str(lab.captures() / "one_bid" / "packets.pcapng"), "-f", "jsonl")
    assert len(done.stdout.splitlines()) == len(lab.replay("one_bid").messages)


def test_a_journey_goes_with_some_formats_only(here):
    assert run("one_bid", "-f", "perfetto", "--journey", "open").exit_code == 2
