"""A scenario from a file: the function that is meant, or what there is to choose from."""

from __future__ import annotations

import pytest

from utils.errors import InputError
from utils.subject import scenario


@pytest.fixture
def write(tmp_path):
    def write(text, name="plays.py"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_the_only_one_is_meant(write):
    path = write(
        "import os\ndef _helper(session): ...\ndef two(a, b): ...\ndef bid(session, lot=1): return lot\n"
    )
    assert scenario.load(path)(None) == 1


def test_of_several_the_one_that_is_named_or_is_called_scenario(write):
    path = write("def a(session): return 1\ndef scenario(session): return 2\n")
    assert scenario.load(path)(None) == 2
    assert scenario.load(f"{path}:a")(None) == 1


def test_what_stands_beside_it_can_be_imported(write):
    write("ANSWER = 42\n", "beside_the_scenario.py")
    path = write("from beside_the_scenario import ANSWER\ndef ask(session): return ANSWER\n")
    assert scenario.load(path)(None) == 42


@pytest.mark.parametrize(
    ("text", "wanted", "why"),
    [
        ("def a(session): ...\ndef b(session): ...\n", "", "a, b"),
        ("x = 1\n", "", "none"),
        ("def a(session): ...\n", ":c", "no scenario 'c'"),
    ],
)
def test_what_is_not_clear_is_asked_for(write, text, wanted, why):
    with pytest.raises(InputError, match=why):
        scenario.load(write(text) + wanted)


def test_what_is_no_file_is_said(tmp_path, write):
    with pytest.raises(InputError, match="no scenario"):
        scenario.load(str(tmp_path / "nothing.py"))
    with pytest.raises(InputError, match="no Python file"):
        scenario.load(write("", "plays.txt"))
