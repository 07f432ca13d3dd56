"""A program under the launcher beside the same program under Python itself: no difference."""

from __future__ import annotations

import json
import os
import py_compile
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

REPORT = """
    import atexit, json, os, sys, threading

    def facts():
        main = sys.modules["__main__"]
        return {
            "argv": sys.argv,
            "path0": sys.path[0],
            "name": __name__,
            "file": __file__,
            "package": __package__,
            "spec": __spec__ and [__spec__.name, __spec__.origin],
            "loader": __loader__ is None or __loader__.__class__.__name__,
            "main": main.__dict__ is globals(),
            "annotations": __annotations__ if "__annotations__" in globals() else None,
            "cwd": os.getcwd(),
            "utils": getattr(sys.modules.get("utils"), "whose", None),
        }

    def later(when):
        same = sys.modules["__main__"].__dict__ is globals()
        print(when, same, "__file__" in globals(), file=sys.stderr, flush=True)

    print("REPORT " + json.dumps(facts()), file=sys.stderr, flush=True)
    # To the very end it is the same module: for threads, and for what runs at exit.
    atexit.register(later, "AT EXIT")
    threading.Timer(0.1, later, ["THREAD"]).start()
"""


def run(arguments, folder, *, under_launcher, options=()):
    """The status and the lines on stderr of a program, with its environment the same both ways."""
    launcher = ["-m", "utils.tracing.launcher", "--start"] if under_launcher else []
    # The launcher stops when this pipe ends.
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, *options, *launcher, *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=reading,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        os.close(reading)
        os.close(writing)
    return done.returncode, done.stderr


def both(arguments, folder, options=()):
    return [run(arguments, folder, under_launcher=way, options=options) for way in (False, True)]


def reported(said):
    lines = said.splitlines()
    (facts,) = [json.loads(line.removeprefix("REPORT ")) for line in lines if line.startswith("REPORT ")]
    return facts, [line for line in lines if line.startswith(("AT EXIT", "THREAD"))]


def write(path, text=REPORT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def script(folder):
    return [str(write(folder / "scripts" / "program.py")), "--port", "5", "-m", "x"]


def relative_script(folder):
    write(folder / "program.py")
    return ["program.py", "a"]


def linked_script(folder):
    write(folder / "real" / "program.py")
    (folder / "linked.py").symlink_to(folder / "real" / "program.py")
    return ["linked.py"]


def compiled_script(folder):
    source = write(folder / "program.py")
    return [py_compile.compile(str(source), cfile=str(folder / "compiled.pyc"))]


def folder_with_main(folder):
    write(folder / "program" / "__main__.py")
    return ["program", "a"]


def archive(folder):
    source = write(folder / "main.py")
    with zipfile.ZipFile(folder / "program.pyz", "w") as packed:
        packed.write(source, "__main__.py")
    return ["program.pyz", "a"]


def module(folder):
    write(folder / "program.py")
    return ["-m", "program", "a"]


def package(folder):
    write(folder / "package" / "__init__.py", "")
    write(folder / "package" / "__main__.py")
    return ["-m", "package", "a"]


def module_in_a_package(folder):
    write(folder / "package" / "__init__.py", "")
    write(folder / "package" / "inner.py")
    return ["-m", "package.inner"]


def with_a_package_of_our_name(folder):
    """Many programs have a ``utils`` of their own."""
    write(folder / "program" / "utils" / "__init__.py", "whose = 'the program'")
    write(folder / "program" / "utils" / "errors.py", "answer = 42")  # we have one, too
    text = "from utils import errors\nassert errors.answer == 42\n" + textwrap.dedent(REPORT)
    write(folder / "program" / "program.py", text)
    return [str(folder / "program" / "program.py")]


PROGRAMS = [
    script,
    relative_script,
    linked_script,
    compiled_script,
    folder_with_main,
    archive,
    module,
    package,
    module_in_a_package,
    with_a_package_of_our_name,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_it_sees_what_python_itself_would_show_it(tmp_path, program):
    arguments = program(tmp_path)
    (status, said), (launched_status, launched_said) = both(arguments, tmp_path)
    assert (status, launched_status) == (0, 0), launched_said
    assert reported(launched_said) == reported(said)
    assert all(" True " in line for line in reported(said)[1]) and len(reported(said)[1]) == 2


def test_without_a_script_folder_on_the_path(tmp_path):
    found = both(script(tmp_path), tmp_path, options=["-P"])
    assert reported(found[0][1]) == reported(found[1][1])


@pytest.mark.parametrize(
    "text",
    [
        "raise ValueError('no luck')",
        "def f():\n    return 1 / 0\n\nf()\n",
        "import sys; sys.exit(3)",
        "import sys; sys.exit('a message')",
        "import os; os._exit(5)",
        "raise SystemExit",
        "this is no Python",
        "import nonsense_of_no_package",
        # The program's own hook is asked, and sees none of our frames.
        """
        import sys, traceback
        def hook(kind, error, trace):
            print(kind.__name__, [frame.name for frame in traceback.extract_tb(trace)], file=sys.stderr)
        sys.excepthook = hook
        raise KeyError('x')
        """,
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    ],
)
def test_it_ends_as_it_would(tmp_path, text):
    path = write(tmp_path / "program.py", text)
    (status, said), (launched_status, launched_said) = both([str(path)], tmp_path)
    assert launched_status == status
    assert launched_said == said


@pytest.mark.parametrize(
    "arguments", [["nowhere.py"], ["-m", "nowhere"], ["-m", "package"], ["empty"]], ids="-".join
)
def test_what_is_not_there_is_told_in_pythons_words(tmp_path, arguments):
    write(tmp_path / "package" / "__init__.py", "")
    (tmp_path / "empty").mkdir()
    (status, said), (launched_status, launched_said) = both(arguments, tmp_path)
    assert launched_status == status != 0
    words = said.strip().rpartition(": ")[2] if "Errno" not in said else "nowhere.py"
    assert words in launched_said


def test_a_program_with_our_name_can_be_recorded(tmp_path):
    from utils.processes.child import Child
    from utils.tracing import store

    write(tmp_path / "utils.py", "answer = 42")
    path = write(
        tmp_path / "program.py",
        """
        import socket, time, utils
        assert utils.answer == 42
        with socket.create_server(("127.0.0.1", 0)):
            time.sleep(60)
        """,
    )
    with Child.start(
        "utils.tracing.launcher", ["--start", str(path)], name="program", log=tmp_path / "log"
    ) as child:
        child.request("trace_save", path=str(tmp_path / "trace.gz"))
    names = {
        (Path(call.code.filename).name, call.code.name) for call in store.load(tmp_path / "trace.gz").calls
    }
    assert {("program.py", "<module>"), ("utils.py", "<module>")} <= names
