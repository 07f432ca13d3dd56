"""The form of a notebook: one as it should be, and what is said of each departure from it."""

from __future__ import annotations

from copy import deepcopy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import skeleton

FRAGMENT = {"slideshow": {"slide_type": "fragment"}}
HINT = "\n\n<details><summary>Hint</summary>\n\nLook twice.\n</details>"
SOLUTION = "### BEGIN SOLUTION\nanswer = 53\n### END SOLUTION\ncheck(answer, len(frame))"


def prose(name, source):
    return new_markdown_cell(source, id=name, metadata={"slideshow": {"slide_type": "slide"}})


def code(name, source="1", said="1", **metadata):
    output = new_output("execute_result", {"text/plain": said}, execution_count=1)
    return new_code_cell(
        source, id=name, outputs=[output], execution_count=1, metadata={**deepcopy(FRAGMENT), **metadata}
    )


def exercise(number):
    return [
        prose(f"ask-{number}", "How long is it?" + HINT),
        code(f"answer-{number}", SOLUTION, "✓ right: 53", tags=["exercise"]),
    ]


@pytest.fixture
def good():
    picture = code("ladder", "run.ladder()")
    picture.outputs[0].data["text/html"] = '<svg role="img" aria-label="Ladder: 3 messages"></svg>'
    return new_notebook(
        cells=[
            prose("title", f"# One bid\n\nI promise one thing.\n\n{skeleton.ABLE} tell it."),
            code("server", "auction", "lab_server, mode live: this user may read packets"),
            prose("q-wire", "## What went over the wire?\n\nLet me look."),
            picture,
            *exercise(1),
            *exercise(2),
            prose("learned", "## What we learned\n\n- That."),
            prose("exercises", "## Exercises"),
            *exercise(3),
            *exercise(4),
            prose("next", "**Next:** the next one."),
        ]
    )


def cell(notebook, name):
    return next(one for one in notebook.cells if one.id == name)


def test_of_one_as_it_should_be_nothing_is_said(good):
    assert list(skeleton.complaints(good)) == []


def rewrite(name, old, new):
    def change(notebook):
        one = cell(notebook, name)
        assert old in one.source
        one.source = one.source.replace(old, new)

    return change


def remove(*names):
    def change(notebook):
        notebook.cells = [one for one in notebook.cells if one.id not in names]

    return change


def mark(name, **metadata):
    return lambda notebook: cell(notebook, name).metadata.update(metadata)


def say(name, said, kind="text/plain"):
    return lambda notebook: cell(notebook, name).outputs[0].data.update({kind: said})


def lengthen(count, most):
    def change(notebook):
        for number in range(count):
            notebook.cells.insert(3, code(f"long-{number}", "x = 1\n" * most))

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (rewrite("title", "# One bid", "One bid"), "does not begin with its title"),
        (rewrite("title", f"\n\nI promise one thing.\n\n{skeleton.ABLE} tell it.", ""), "no promise"),
        (rewrite("title", skeleton.ABLE, "You can"), "it lacks '**After this notebook you can**'"),
        (rewrite("q-wire", "wire?", "wire"), "is no question"),
        (rewrite("learned", "## What we learned", "## Summary?"), "it lacks '## What we learned'"),
        (rewrite("exercises", "## Exercises", "Try"), "it lacks '## Exercises'"),
        (rewrite("next", "**Next:**", "Then"), "it does not end with '**Next:**'"),
        (lambda n: n.cells.insert(1, n.cells.pop(-6)), "out of order"),
        (lambda n: cell(n, "server").metadata.pop("slideshow"), "cell server is no part of a slide"),
        (mark("server", slideshow={"slide_type": "-"}), "cell server is no part of a slide"),
        (lambda n: cell(n, "server").update(id="Server_1"), "small words with hyphens"),
        (rewrite("q-wire", "Let me look.", "Let me look again. " * 40), "tell less at a time"),
        (lengthen(1, skeleton.LONGEST_CELL + 1), "cell long-0 has 16 lines"),
        (lengthen(skeleton.MOST_LONG_CELLS + 1, skeleton.NORMAL_CELL + 1), "4 cells have more than 10"),
        (remove("ask-4", "answer-4"), "3 checked exercises"),
        (mark("answer-1", tags=[]), "belong together"),
        (mark("server", tags=["exercise"]), "belong together"),
        (rewrite("answer-1", "\n### END SOLUTION", ""), "has no partner"),
        (rewrite("ask-1", "details>", "p>"), "no question with a hint"),
        (say("answer-1", "53"), "gives a tick"),
        (say("answer-1", "✓ right: 53\n✗ not yet"), "does not pass"),
        (say("answer-1", "✓ right: 53\n… not answered yet"), "does not pass"),
        (mark("server", tags=["nbval-ignore-output"]), "give no 'reason'"),
        (rewrite("server", "auction", "# NBVAL_IGNORE_OUTPUT\nauction"), "give no 'reason'"),
        (
            lambda n: [
                mark(name, tags=["nbval-skip"], reason="why")(n) for name in ("server", "ladder", "answer-1")
            ],
            "3 of its cells are not compared",
        ),
        (say("ladder", "<p>nothing</p>", "text/html"), "has no picture"),
        (say("ladder", "<svg></svg>", "text/html"), "no text in its place"),
        (say("server", "started"), "no output says which mode is on"),
    ],
)
def test_a_departure_is_named(good, change, complaint):
    change(good)
    assert any(complaint in said for said in skeleton.complaints(good)), list(skeleton.complaints(good))


@pytest.mark.parametrize(
    "change",
    [
        mark("server", tags=["nbval-ignore-output"], reason="what chance decides"),
        lengthen(skeleton.MOST_LONG_CELLS, skeleton.LONGEST_CELL),
        rewrite("answer-1", "answer = 53", "\n".join(["answer = 53"] * 8 + [""] * 20)),
        rewrite("ask-1", "Look twice.", "word " * 200),
    ],
)
def test_what_has_its_reason_or_its_place_is_no_departure(good, change):
    change(good)
    assert list(skeleton.complaints(good)) == []


def test_the_check_may_stand_in_the_next_cell(good):
    cell(good, "answer-1").source = "### BEGIN SOLUTION\nanswer = 53\n### END SOLUTION"
    cell(good, "answer-1").outputs = []
    place = good.cells.index(cell(good, "answer-1"))
    good.cells.insert(place + 1, code("look-1", "check(answer, len(frame))", "✓ right: 53"))
    assert list(skeleton.complaints(good)) == []


def test_an_empty_notebook_is_told_all_that_it_lacks():
    assert len(list(skeleton.complaints(new_notebook()))) > 5
