"""The notebook's verbs: twice is once, any order gives a named error, and nothing outlives the kernel."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest
from jupyter_client.manager import KernelManager

from scenarios.plays import one_bid
from tests.waiting import eventually
from tests.wire_bytes import framed
from utils import lab, recording
from utils.capture import files
from utils.errors import CaptureFileError, InputError, LabError, ProcessError
from utils.recording import stale
from utils.records import Level
from utils.run import Run
from utils.wire.units import Side

AUCTION = ("lab_server", "--port", "0", "--lesson", "seed")


@pytest.fixture(autouse=True)
def _stopped():
    yield
    lab.stop()


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class TestStart:
    def test_the_same_call_again_gives_the_same_server(self):
        first = lab.start(*AUCTION, mode="tap")
        assert all(lab.start(*AUCTION, mode="tap") is first for _ in range(20))

    def test_another_call_stops_the_server_before(self):
        first = lab.start(*AUCTION, mode="tap")
        second = lab.start("lab_server", "--port", "0", mode="tap")
        assert not running(first.child.pid) and running(second.child.pid)

    def test_after_each_of_twenty_stops_its_port_is_free_and_it_can_be_started_again(self):
        for _ in range(20):
            server = lab.start(*AUCTION, mode="tap")
            assert server.alive
            lab.stop()
            lab.stop()
            assert not running(server.child.pid)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", server.port))

    def test_a_server_that_died_is_started_anew(self):
        first = lab.start(*AUCTION, mode="tap")
        psutil.Process(first.child.pid).kill()
        assert eventually(lambda: not first.alive)
        assert lab.start(*AUCTION, mode="tap").alive

    def test_it_says_which_mode_is_on_and_why(self):
        tapped = lab.start(*AUCTION, mode="tap")
        assert repr(tapped) == f"lab_server, mode tap: the tap was asked for ({tapped.url})"
        replayed = lab.start(*AUCTION, mode="replay")
        assert repr(replayed) == "lab_server, mode replay: a recording was asked for (no server runs)"
        assert repr(tapped).startswith("lab_server: ended; its log is ")

    def test_an_application_that_cannot_start_is_an_error_with_its_log(self):
        with pytest.raises(ProcessError, match="(?s)No such option"):
            lab.start("lab_server", "--no-such-option", mode="tap")

    def test_an_application_that_does_not_exist_is_named(self):
        with pytest.raises(ProcessError, match="no_such_application"):
            lab.start("no_such_application", mode="tap")


class TestRecord:
    def test_without_a_server_it_says_which_cell_to_run(self):
        with pytest.raises(InputError, match=r"lab\.start"):
            lab.record(one_bid)

    def test_a_scenario_that_fails_leaves_everything_in_order(self):
        lab.start(*AUCTION, mode="tap")

        def failing(session):
            session.connect("alice")
            raise RuntimeError("the scenario's own fault")

        for _ in range(3):
            with pytest.raises(RuntimeError, match="own fault"):
                lab.record(failing)
        assert lab.record(one_bid).received("replaced values")["bob"]

    def test_verbs_in_any_order_give_named_errors_only(self):
        chance = random.Random(3)
        verbs = [lambda: lab.start(*AUCTION, mode="tap"), lab.stop, lambda: lab.record(one_bid)]
        for _ in range(20):
            try:
                chance.choice(verbs)()
            except LabError as error:
                assert error.next_step

    @pytest.mark.parametrize("mode", ["live", "tap"])
    def test_a_bid_is_one_journey_and_every_byte_of_it_has_its_two_lines(self, mode):
        if mode == "live" and (not hasattr(os, "geteuid") or os.geteuid() != 0):
            pytest.skip("reading packets needs a right that this user lacks")
        lab.start(*AUCTION, mode=mode)
        run = lab.record(one_bid)
        assert run.recording.meta.mode == mode and run.recording.meta.bytes_lost == 0
        assert run.received("replaced values") == {
            name: [[{"lot": 1, "cents": 12500}]] for name in ("alice", "bob")
        }
        assert run.check("replace old value").whole
        journey = run.journey("replace old value")
        titles = [step.title for step in journey.at(Level.LIBRARY)]
        assert titles[0] == "SimpleClient.emit"
        assert any(title.endswith("replace_old_value") for title in titles)
        assert titles.count("socket.send in Base.send") == 2
        assert run.journey("replaced values").steps == journey.steps

    def test_the_essential_chain_is_the_same_in_every_recording(self):
        lab.start(*AUCTION, mode="tap")
        chains = {
            tuple(
                (step.thread, step.title)
                for step in lab.record(one_bid).journey("replace old value").at(Level.ESSENTIAL)
            )
            for _ in range(20)
        }
        assert len(chains) == 1

    def test_only_the_servers_port_is_in_it(self):
        lab.start(*AUCTION, mode="tap")
        run = lab.record(one_bid)
        port = run.recording.meta.port
        assert all(port in (s.flow.source.port, s.flow.destination.port) for s in run.recording.segments)

    def test_an_event_that_was_not_seen_is_an_error_that_names_those_that_were(self):
        lab.start(*AUCTION, mode="tap")
        with pytest.raises(InputError, match="'replaced values'"):
            lab.record(one_bid).journey("no such event")


class TestSaved:
    def test_a_recording_saved_and_loaded_shows_the_same(self, tmp_path):
        lab.start(*AUCTION, mode="tap")
        run = lab.record(one_bid)
        loaded = lab.load(recording.save(run.recording, tmp_path / "one bid"))
        assert loaded.recording == run.recording
        assert loaded.journey("replace old value") == run.journey("replace old value")
        for view in ("packets", "frames", "bytes", "stepper"):
            ours, theirs = (getattr(each, view) for each in (run, loaded))
            arguments = {"which" if view == "bytes" else "event": "replace old value"}
            assert str(ours(**arguments)) == str(theirs(**arguments))

    def test_what_is_saved_names_no_path_of_this_machine(self, tmp_path):
        import gzip
        from pathlib import Path

        lab.start(*AUCTION, mode="tap")
        folder = lab.record(one_bid).save(tmp_path / "one bid")
        for path in folder.iterdir():
            data = path.read_bytes()
            data = gzip.decompress(data) if path.suffix == ".gz" else data
            assert str(Path.home()).encode() + b"/" not in data and sys.prefix.encode() not in data, path.name

    def test_the_committed_recording_replays_without_a_server(self):
        server = lab.start(*AUCTION, mode="replay")
        assert server.child is None
        run = lab.record(one_bid)
        assert run.received("replaced values")["bob"]
        assert run.check("replace old value").whole
        others = [name for name in stale(run.recording) if not name.startswith("CPython")]
        assert not others, "make it anew: it was recorded with other versions"

    def test_a_recording_that_is_not_there_is_named(self):
        with pytest.raises(LabError, match="is no recording"):
            lab.replay("no such recording")

    def test_what_the_capture_missed_is_told_with_the_packets(self):
        recorded = lab.replay("one_bid").recording
        meta = replace(recorded.meta, packets_dropped=3, bytes_lost=1200)
        view = str(Run(replace(recorded, meta=meta)).packets())
        assert "3 packets dropped, 1,200 bytes lost" in view.splitlines()[0]

    def test_the_events_of_one_side(self):
        run = lab.replay("one_bid")
        assert run.events("replace old value", Side.SERVER) == []
        assert len(run.events("replaced values", Side.SERVER)) == 2


KERNEL = """
import sys
from utils import lab
server = lab.start("lab_server", "--port", "0", "--lesson", "seed", mode="tap")
print(server.child.pid, server.port, flush=True)
import time
time.sleep(600)
"""


class TestKernel:
    def test_a_killed_kernel_leaves_no_server_and_no_port(self):
        """Twenty kills, most while the server starts, the rest when it runs."""
        chance = random.Random(5)
        for number in range(20):
            kernel = subprocess.Popen([sys.executable, "-c", KERNEL], stdout=subprocess.PIPE)
            if number % 4 == 0:
                kernel.stdout.readline()
            else:
                time.sleep(chance.uniform(0.1, 1.5))  # a phase to be hit, not a wait
            started = psutil.Process(kernel.pid).children(recursive=True)
            kernel.kill()
            kernel.communicate()
            assert eventually(lambda started=started: not any(running(child.pid) for child in started))

    @pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
    def test_twenty_interrupts_and_twenty_restarts_of_a_real_kernel(self):
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)

            def pid() -> int:
                code = "from utils import lab; server = lab.start('lab_server', '--port', '0', mode='tap')"
                told: list[str] = []
                reply = client.execute_interactive(
                    f"{code}; print(server.child.pid)",
                    timeout=60,
                    output_hook=lambda m: told.append(m["content"].get("text", "")),
                )
                assert reply["content"]["status"] == "ok", reply["content"]
                return int("".join(told))

            first = pid()
            for _ in range(20):
                code = "import time; print('running', flush=True)\nwhile True: time.sleep(0.05)"
                client.execute(code, stop_on_error=False)  # or the next one may be thrown away
                # The line's end may come in a message of its own.
                while client.get_iopub_msg(timeout=60)["content"].get("text", "").strip() != "running":
                    pass
                os.killpg(os.getpgid(manager.provisioner.process.pid), signal.SIGINT)
                assert client.get_shell_msg(timeout=60)["content"]["status"] == "error"
            assert pid() == first, "an interrupt of a cell must not touch the server"
            for _ in range(20):
                manager.restart_kernel(now=True)
                client.wait_for_ready(timeout=60)
                assert eventually(lambda before=first: not running(before))
                first = pid()
                assert running(first)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


class TestRead:
    """Anybody's capture: no calls, but every packet."""

    def test_a_capture_alone_shows_its_packets_and_what_departs_from_the_protocols(self):
        recorded = lab.replay("one_bid")
        run = lab.read(lab.captures() / "one_bid" / "packets.pcapng")
        assert run.recording.meta.port == recorded.recording.meta.port
        assert [m.unit for m in run.messages] == [m.unit for m in recorded.messages]
        assert str(run.findings()).startswith("0 findings")

    def test_what_departs_from_the_protocols_is_told_with_its_clause_and_packet(self, tmp_path):
        """The recorded client leaves in order; here it says CLOSE once more after its WebSocket Close."""
        run = lab.replay("one_bid")
        close = next(
            m for m in run.messages if m.side is Side.CLIENT and m.unit.summary.startswith("close 1")
        )
        late, segments = framed("1"), []
        for one in run.recording.segments:
            after = one.flow == close.flow and one.time_ns > close.last_ns
            segments.append(replace(one, sequence=one.sequence + len(late)) if after else one)
            if one.flow == close.flow and one.time_ns == close.last_ns:
                end = one.sequence + len(one.payload)
                segments.append(replace(one, sequence=end, payload=late, time_ns=one.time_ns + 1))
        files.write_segments(tmp_path / "late.pcapng", segments)
        changed = lab.read(tmp_path / "late.pcapng")
        (place,) = [n for n, m in enumerate(changed.messages, 1) if m.unit.raw == late]
        view = str(changed.findings())
        assert "RFC 6455 §5.5.1" in view and "bytes explained" in view
        assert str(place) in {line.split()[0] for line in view.splitlines()[2:]}

    def test_several_servers_are_all_shown_and_what_is_left_out_is_said(self):
        recorded = lab.replay("two_servers")
        services = recorded.recording.meta.services
        (redis,) = (port for port, one in services.items() if one.protocol == "redis")
        asked = {m.flow.destination.port for m in recorded.messages if m.side is Side.CLIENT}
        http = asked & services.keys() - {redis}
        assert len(http) > 1
        path = lab.captures() / "two_servers" / "packets.pcapng"
        run = lab.read(path)
        assert set(run.recording.meta.services) == http
        assert f"port {redis} are left out" in repr(run)
        shown = [m.unit for m in recorded.messages if redis not in {end.port for end in m.flow}]
        assert [m.unit for m in run.messages] == shown
        assert {f"server {port}" for port in http} <= set(run.names.values())
        alone = min(http)
        one = lab.read(path, port=alone)
        assert not one.recording.meta.services
        assert {alone} <= {end.port for m in one.messages for end in m.flow}

    def test_what_needs_calls_says_that_there_are_none(self):
        run = lab.read(lab.captures() / "one_bid" / "packets.pcapng")
        with pytest.raises(InputError, match="not traced"):
            run.stepper("replace old value")

    def test_a_capture_that_begins_later_and_ends_early(self, tmp_path):
        whole = (lab.captures() / "one_bid" / "packets.pcapng").read_bytes()
        cut = tmp_path / "cut.pcapng"
        cut.write_bytes(whole[:-7])
        run = lab.read(cut)
        assert "ends early, at byte" in run.recording.meta.why
        assert run.messages
        later = [s for s in run.recording.segments if s.payload][5:]
        files.write_segments(cut, later)
        assert lab.read(cut).recording.meta.port == run.recording.meta.port

    def test_a_file_without_tcp_is_an_error_that_says_so(self, tmp_path):
        files.write_segments(tmp_path / "empty.pcapng", [])
        with pytest.raises(CaptureFileError, match="nothing to see in empty"):
            lab.read(tmp_path / "empty.pcapng")


def test_the_wiring_of_the_smallest_application_is_drawn_without_a_server():
    from scenarios.smallest import app

    told = str(lab.wiring(app))
    assert told.startswith("What flask.Flask leads to") and "SocketIO" in told


class TestCompare:
    def test_in_replay_mode_the_committed_results_are_loaded(self, monkeypatch):
        monkeypatch.setenv("SOCKETIO_LAB_MODE", "replay")
        stack = lab.compare("stack")
        assert stack.p50("raw TCP") < stack.p50("threading")
        assert 0 < lab.told_apart().server_share < 1

    def test_an_unknown_comparison_is_an_error_that_names_the_known_ones(self):
        with pytest.raises(InputError, match="transports"):
            lab.compare("nothing such")
