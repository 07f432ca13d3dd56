"""The lists of who writes and who reads name functions, arguments and lines that are there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.test_tracing_catalog import names_in, source_of
from utils.provenance.carriers import CARRIERS, RECORDED_WHOLE
from utils.provenance.codecs import CALLER, EACH
from utils.provenance.readers import READERS
from utils.provenance.writers import WRITERS
from utils.tracing.catalog import Depth
from utils.tracing.scope import listed_depth

CODECS = [*WRITERS, *READERS]


def definition(path, name):
    """The function of that qualified name, as a syntax tree."""
    node = ast.parse(source_of(path).read_text(encoding="utf-8"))
    for part in name.replace(".<locals>", "").split("."):
        node = next(
            child
            for child in ast.walk(node)
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and child.name == part
        )
    return node


@pytest.mark.parametrize(("path", "name"), sorted({(c.path, c.name) for c in CODECS} | set(CARRIERS)))
def test_each_function_exists(path, name):
    assert name in names_in(source_of(path))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: f"{codec.name}-{codec.form.name}")
def test_each_piece_stands_in_its_function(codec):
    node = definition(codec.path, codec.name)
    lines = source_of(codec.path).read_text(encoding="utf-8").splitlines()[node.lineno - 1 : node.end_lineno]
    for label, piece in codec.fields.items():
        if piece not in (EACH, CALLER):
            assert any(piece in line for line in lines), f"{label}: {piece}"


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: f"{codec.name}-{codec.form.name}")
def test_a_template_names_arguments_of_its_function(codec):
    arguments = definition(codec.path, codec.name).args
    names = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    for template in codec.shows:
        for name in re.findall(r"\{(\w+)", template):
            assert name in names | {"result"}


@pytest.mark.parametrize(("path", "name"), sorted(RECORDED_WHOLE))
def test_what_proves_something_is_recorded_whole(path, name):
    assert listed_depth(path, name) is Depth.WHOLE
