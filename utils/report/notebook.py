"""The report as a notebook that is run against its recording.

The rule kept here: its prose is the Markdown report's, and whatever can be
looked at live is a cell that asks the recording for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from utils.report.blocks import Ask, Section
from utils.report.markdown import block_text, escape
from utils.report.sections import Report

_FORM = 4, 5


def document(report: Report, recording: str) -> Iterator[str]:
    """The notebook's file, cell by cell; ``recording`` is the folder that its first cell loads."""
    yield '{\n "cells": [\n'
    first = True
    for cell in _cells(report, recording):
        yield ("" if first else ",\n") + json.dumps(cell, indent=1, ensure_ascii=False, sort_keys=True)
        first = False
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    yield f'\n ],\n "metadata": {json.dumps(about, sort_keys=True)},\n'
    yield f' "nbformat": {_FORM[0]},\n "nbformat_minor": {_FORM[1]}\n}}\n'


def _cells(report: Report, recording: str) -> Iterator[dict[str, Any]]:
    yield _markdown("title", f"# {escape(report.title)}")
    yield _code("load", f"from utils import lab\n\nrun = lab.load({recording!r})\nrun")
    part = ""
    for section in report.sections():
        if section.part and section.part != part:
            yield _markdown(f"part-{section.name}", f"## {escape(section.part)}")
        part = section.part
        yield from _of_section(section, 3 if section.part else 2)


def _of_section(section: Section, level: int) -> Iterator[dict[str, Any]]:
    text = [f"{'#' * level} {escape(section.title)}\n\n"]
    asked: list[str] = []
    for block in section.blocks:
        if isinstance(block, Ask):
            asked.append(block.code)
        text += block_text(block, level + 1)
    yield _markdown(section.name, "".join(text).rstrip("\n"))
    for number, code in enumerate(asked, 1):
        yield _code(f"{section.name}-look-{number}", code)


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(name: str, text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": [],
        "source": text.splitlines(keepends=True),
    }
