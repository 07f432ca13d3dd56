"""Begins one of this package's modules in a process of its own, from any folder and with any Python.

    python .../utils/processes/boot.py MODULE [ARGUMENTS...]

The rule kept here: the module that is meant is the one of the package that
this file belongs to, whatever the current folder or the path of imports hold
under the same name; and once it is there, the path is what ``python -m`` would
have made it.
``MODULE`` has a function ``main()``.  A Python that is too old for it says so to
whoever started it, as a process that will never be ready.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

#: The oldest Python that can run what is begun here.
OLDEST = (3, 11)


def main() -> None:
    """Import the module, put the path right, and go on as its ``main()``."""
    if sys.version_info < OLDEST:
        found, oldest = (".".join(map(str, version)) for version in (sys.version_info[:3], OLDEST))
        print(json.dumps({"failed": {"error": f"it is Python {found}; {oldest} or newer is needed"}}))
        sys.exit(1)
    name = sys.argv[1]
    # With -P, Python puts no folder of its own there.
    before = sys.path[:] if sys.flags.safe_path else sys.path[1:]
    sys.path[:] = [str(Path(__file__).absolute().parents[2]), *before]
    module = importlib.import_module(name)
    sys.path[:] = before if sys.flags.safe_path else [str(Path.cwd()), *before]
    sys.argv[:] = [module.__file__ or name, *sys.argv[2:]]
    sys.exit(module.main())


if __name__ == "__main__":
    main()
