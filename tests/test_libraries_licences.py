"""A library's licence is what its package says, and its own copy is what proves it."""

from __future__ import annotations

import importlib.metadata

import pytest

from utils import lab, libraries
from utils.libraries import licences
from utils.libraries.installations import stated_by
from utils.records import Library


@pytest.mark.parametrize("name", [*libraries.STACK, *licences.WATCHING, "CPython"])
def test_the_stacks_licences_are_known_and_proved_by_their_own_copies(name):
    (found,) = [one for one in licences.installed([name]) if one.library.name == name]
    assert found.known
    assert found.terms and not found.unread
    assert not found.unproved
    assert found.texts and all(one.text for one in found.texts)


def test_a_family_name_in_the_metadata_is_settled_by_the_text():
    (jinja, _) = licences.installed(["jinja2"])
    if stated_by(importlib.metadata.distribution("jinja2")).expression:
        pytest.fail("this version names its licence: choose another library that does not")
    assert jinja.expression == "BSD-3-Clause"
    assert jinja.basis.endswith("its own text does")


def test_what_is_not_installed_is_left_out():
    assert [one.library.name for one in licences.installed(["no-such-library-at-all"])] == ["CPython"]


class TestNotKnown:
    def test_a_library_without_metadata_or_text_says_so(self):
        found = licences.of(Library("nowhere", "1.0", "", None))
        assert not found.known
        assert found.basis == "its metadata names none; nor does a text of its own that is known here"
        assert found.terms == () and found.texts == ()

    def test_a_name_that_means_several_says_which_it_was(self):
        found = licences.of(Library("nowhere", "1.0", "BSD License", None), {"LICENSE": "Do as you like."})
        assert not found.known
        assert "'BSD License', which names no one licence" in found.basis

    def test_a_licence_without_a_table_is_named_and_not_explained(self):
        found = licences.of(Library("nowhere", "1.0", "LGPL-3.0-only", None), {})
        assert found.expression == "LGPL-3.0-only"
        assert found.unread == ("LGPL-3.0-only",)


def test_a_copy_that_lacks_its_condition_does_not_prove_it():
    text = licences.text("python-socketio").replace("shall be", "need not be")
    found = licences.of(Library("nowhere", "1.0", "MIT", None), {"LICENSE": text})
    assert {clause.clause for clause in found.unproved} == {"condition"}


class TestOfARecording:
    def test_those_that_ran_are_told(self):
        found = {one.library.name: one for one in licences.used(lab.replay("one_bid").recording)}
        assert {"Flask-SocketIO", "python-engineio", "wsproto", "CPython"} <= found.keys()
        assert "lab_server" not in found

    def test_kept_texts_belong_to_the_versions_that_ran(self):
        recording = lab.replay("report_then").recording
        found = {one.library.name: one for one in licences.used(recording)}
        for name in ("Flask", "Flask-SocketIO", "Werkzeug"):
            assert found[name].library.version == recording.meta.versions[name]
            assert found[name].library.version != importlib.metadata.version(name)
            assert found[name].known and not found[name].unproved
            assert found[name].texts[0].text == recording.sources.licences[name]
