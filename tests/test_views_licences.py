"""The licence tables say everything that is known, and that the rest is not."""

from __future__ import annotations

import subprocess
import sys

from tests.markup_reader import Reader
from utils import lab, libraries
from utils.libraries import licences
from utils.libraries.clauses import TERMS
from utils.records import Library
from utils.views.licences import licences as shown


def test_the_stack_is_told_with_its_terms_and_its_texts():
    view = lab.licences()
    for name in (*libraries.STACK, "scapy", "CPython"):
        assert name in view.text
    for spdx in ("MIT", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "GPL-2.0-only"):
        for clause in TERMS[spdx].clauses:
            assert f"- {clause.said} ({clause.clause})" in view.text
    assert "✗" not in view.text
    assert "Permission is hereby granted" in view.html and "Everyone is permitted to copy" in view.html


def test_what_scapys_licence_means_is_told_of_scapy_alone():
    told = "an application that is recorded never imports it"
    assert told in lab.licences().text
    assert told not in lab.licences("Flask").text
    copyleft = licences.of(Library("nowhere", "1.0", "GPL-2.0-only", None), {})
    assert "copyleft" in shown([copyleft]).text and told not in shown([copyleft]).text


def test_the_recorded_program_never_imports_scapy():
    code = "import sys, utils.tracing.launcher; assert not [m for m in sys.modules if 'scapy' in m]"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_an_unknown_licence_is_said_to_be_unknown():
    view = shown([licences.of(Library("nowhere", "1.0", "", None))])
    assert "✗ not known" in view.text
    assert "The licence of nowhere is not known" in view.text
    assert "The text of nowhere's licence is not at hand" in view.text


def test_a_statement_that_its_copy_does_not_hold_is_marked():
    text = licences.text("python-socketio").replace("shall be", "need not be")
    view = shown([licences.of(Library("nowhere", "1.0", "MIT", None), {"LICENSE": text})])
    assert "condition; ✗ not found in the copy of nowhere" in view.text


def test_what_a_package_says_is_shown_and_never_obeyed():
    hostile = Library("<script>x</script>", "1\u202e0", "<img src=x>", "javascript:alert(1)")
    view = shown([licences.of(hostile, {"LICENSE": "</pre><script>1</script>"})])
    assert "<script" not in view.html and "<img" not in view.html and 'href="javascript' not in view.html
    assert "\\u202e" in view.text


def test_the_page_says_what_the_text_says():
    view = lab.licences("Flask", "requests")
    page = " ".join(Reader(view.html).text.split())
    for spdx in ("BSD-3-Clause", "Apache-2.0"):
        for clause in TERMS[spdx].clauses:
            assert f"{clause.said} ({clause.clause})" in page
