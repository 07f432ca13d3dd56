"""Coverage-guided fuzzing, counted and resumable: ``python -m tests.fuzz TARGET... --runs 1000000``.

The rule kept here: the corpus and the count are kept in a folder (``.fuzz``), so
that a run may be ended at any time and gone on with; each input has a second
and half a gigabyte, and one that fails is kept, named and ends the run.
``python -m tests.fuzz TARGET FILE`` runs one input again.  It needs atheris
(``pip install .[fuzz]``); ``--list`` tells the counts so far.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

# What is fuzzed is imported where it is wanted: atheris has to see its import.

#: The targets, as tests/fuzz/targets.py has them.
TARGETS = ("connection", "redis", "decoders", "capture", "segments")

ROOT = Path(__file__).resolve().parents[2]

#: The longest input, in bytes, by target; and how many executions one process does: what guides the
#: fuzzer takes more memory with each.
LONGEST = {"decoders": 1024}
LONG = 4096
STEP = 100_000

#: Seconds of the processor's time for one input; of the clock's, for a hang on a machine that has
#: other things to do; and MiB for the process.
SLOWEST = 1
HANGING = 60
LARGEST_MIB = 512

_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_SO_FAR = re.compile(r"^#(\d+)\s", re.MULTILINE)
_PEAK = re.compile(r"rss: (\d+)Mb")


class State:
    """What a shard has done so far: ``.fuzz/TARGET.SHARD.json``."""

    def __init__(self, folder: Path, target: str, shard: int) -> None:
        self.path = folder / f"{target}.{shard}.json"
        self.facts: dict[str, int] = {"runs": 0, "seconds": 0, "peak_mib": 0, "failures": 0}
        if self.path.exists():
            self.facts.update(json.loads(self.path.read_text()))

    def add(self, runs: int, seconds: int, peak: int, failures: int) -> None:
        facts = self.facts
        facts["runs"] += runs
        facts["seconds"] += seconds
        facts["peak_mib"] = max(facts["peak_mib"], peak)
        facts["failures"] += failures
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(facts))
        fresh.replace(self.path)


def child(target: str, options: list[str]) -> None:
    """Fuzz in this process: libFuzzer's own options, then its corpus or the inputs to run again."""
    import atheris

    with atheris.instrument_imports(include=["utils"]):
        from tests.fuzz import targets
    run = targets.TARGETS[target]

    def timed(data: bytes) -> None:
        begin = time.process_time()
        run(data)
        took = time.process_time() - begin
        assert took < SLOWEST, f"one input took {took:.1f} s"

    atheris.Setup([sys.argv[0], *options], timed)
    atheris.Fuzz()


def step(folder: Path, target: str, shard: int, runs: int) -> bool:
    """So many executions in a process of their own; whether all went well."""
    from tests.fuzz.seeds import seeds

    state = State(folder, target, shard)
    corpus = folder / f"{target}.corpus"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(seeds()[target]):
        (corpus / f"seed{number}").write_bytes(seed)
    longest = LONGEST.get(target, LONG)
    options = [
        *(f"-runs={runs}", f"-max_len={longest}", f"-timeout={HANGING}", f"-rss_limit_mb={LARGEST_MIB}"),
        *(f"-artifact_prefix={folder}/{target}-", "-print_final_stats=0", "-reload=1", str(corpus)),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.fuzz", "--child", target, *options]
    log = folder / f"{target}.{shard}.log"
    ended = None
    with log.open("wb") as output:
        try:
            status = subprocess.call(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        except KeyboardInterrupt as interrupt:  # what was done so far counts, as far as it was told
            status, ended = 0, interrupt
    told = log.read_text(errors="replace")
    done = _DONE.search(told)
    counted = int(done[1]) if done else max((int(n) for n in _SO_FAR.findall(told)), default=0)
    peak = max((int(n) for n in _PEAK.findall(told)), default=0)
    state.add(counted, int(done[2]) if done else 0, peak, status != 0)
    print(
        f"{target}, shard {shard}: {state.facts['runs']:,} runs, peak {state.facts['peak_mib']} MiB",
        flush=True,
    )
    if status:
        print(f"an input failed: see {log}; it is kept beside it", file=sys.stderr)
    if ended is not None:
        raise ended
    return status == 0


def counts(folder: Path) -> dict[str, int]:
    """How often each target was run, over all shards."""
    found = dict.fromkeys(TARGETS, 0)
    for path in folder.glob("*.json"):
        found[path.name.split(".")[0]] += json.loads(path.read_text())["runs"]
    return found


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--child"]:
        child(arguments[1], arguments[2:])
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "what", nargs="*", metavar="TARGET|FILE", help=f"of {', '.join(TARGETS)}; all, if left out"
    )
    parser.add_argument(
        "--runs", type=int, default=100_000, help="executions of each target, counting those done"
    )
    parser.add_argument(
        "--shard", type=int, default=0, help="a number for this run, beside others at the same time"
    )
    parser.add_argument(
        "--state", type=Path, default=ROOT / ".fuzz", help="where the corpus and the counts are"
    )
    parser.add_argument("--list", action="store_true", help="tell the counts so far")
    chosen = parser.parse_args(arguments)
    targets = [name for name in chosen.what if name in TARGETS]
    files = [name for name in chosen.what if name not in TARGETS]
    if files:
        if len(targets) != 1 or not all(Path(name).is_file() for name in files):
            parser.error(f"one target and files, or targets: {', '.join(TARGETS)}")
        child(targets[0], files)
        return 0
    chosen.state.mkdir(exist_ok=True)
    if not chosen.list:
        for target in targets or list(TARGETS):
            while (left := chosen.runs - State(chosen.state, target, chosen.shard).facts["runs"]) > 0:
                if not step(chosen.state, target, chosen.shard, min(left, STEP)):
                    return 1
    for target, runs in counts(chosen.state).items():
        print(f"{target:<12} {runs:>12,}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
