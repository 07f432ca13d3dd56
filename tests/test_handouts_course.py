"""What a hand-out's contents say is what its notebooks say."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from handouts import course
from utils.errors import InputError


def of(*sources: str) -> course.Chapter:
    cells = [new_markdown_cell(source, id=f"c{n}") for n, source in enumerate(sources)]
    return course.chapter("00_one", new_notebook(cells=cells))


def test_the_title_the_promise_and_the_questions_are_read():
    chapter = of(
        "# One *bid*, whole\n\nYou will see `bytes`\nand [lines](x.py).\n\nMore.",
        "## Why?\n\ntext",
        "## How? ##",
    )
    assert (chapter.title, chapter.promise) == ("One bid, whole", "You will see bytes and lines.")
    assert [(section.title, section.anchor) for section in chapter.sections] == [
        ("Why?", "cell-c1"),
        ("How?", "cell-c2"),
    ]


def test_an_underscore_within_a_name_is_no_mark():
    assert course.plain("_now_: the `lab_server` and on_event") == "now: the lab_server and on_event"


def test_a_heading_within_code_is_none():
    assert of("# One", "```\n## no\n```\n\n## yes").sections == (course.Section("yes", "cell-c1"),)


def test_a_notebook_without_a_title_is_refused():
    with pytest.raises(InputError, match="00_one.ipynb has no title"):
        of("## Only a question")


def test_a_folder_without_notebooks_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no notebook"):
        course.chapters(tmp_path)


def test_the_notebooks_come_in_their_order():
    names = [chapter.name for chapter in course.chapters()]
    assert names == sorted(names) and names[0] == "00_start_here"
