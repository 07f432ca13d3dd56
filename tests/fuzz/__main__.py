"""Coverage-guided fuzzing: ``python -m tests.fuzz connection -runs=1000000`` (needs ``pip install atheris``).

The options behind the target's name are libFuzzer's own; a failing input is
written to the current folder, and ``python -m tests.fuzz connection FILE`` runs it again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main(arguments: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["utils"]):
        from tests.fuzz.seeds import seeds
        from tests.fuzz.targets import TARGETS
    if not arguments or arguments[0] not in TARGETS:
        sys.exit(f"usage: python -m tests.fuzz {{{','.join(TARGETS)}}} [libFuzzer's options] [FILE]")
    name, *options = arguments
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds()[name]):
            Path(corpus, str(number)).write_bytes(seed)
        # With files named, libFuzzer runs those and nothing else.
        inputs = [] if any(not option.startswith("-") for option in options) else [corpus]
        atheris.Setup([sys.argv[0], *options, *inputs], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
