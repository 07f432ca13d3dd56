"""What a recording keeps of the sources: enough to be read, with its licence, and no more."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import flask.app
import pytest

from tests.worlds import Process
from utils import lab, libraries
from utils.errors import CaptureFileError
from utils.libraries import installations
from utils.recording import sources
from utils.records import Call, Code, Meta, Recording, Site, Trace

CODE = flask.app.Flask.full_dispatch_request.__code__
AS_CODE = Code(CODE.co_filename, CODE.co_qualname, CODE.co_firstlineno)
LINE = CODE.co_firstlineno + 10


def trace():
    call = Call(0, "server", 1, AS_CODE, None, 0, 1, 2, Site(AS_CODE, LINE), LINE, {}, "None")
    return Trace("server", 1, "3", {1: "main"}, (call,), (), ())


def recorded(*traces):
    """As it would be recorded here and just now."""
    versions = dict(installations.here().versions())
    meta = Meta("made", "tap", "a test", "", versions["CPython"], "any", versions, 5000)
    return Recording(meta, (), traces)


def test_an_excerpt_is_the_one_that_is_shown_where_the_versions_are_installed():
    kept = sources.collect(recorded(trace()))
    shown = libraries.excerpt(AS_CODE, LINE)
    found = kept.excerpt("Flask:flask/app.py", AS_CODE.name, LINE)
    assert (found.path, found.lines, found.current) == (shown.path, shown.lines, shown.current)
    assert kept.excerpt("Flask:flask/app.py", AS_CODE.name, 1) is None


def test_what_ran_in_another_version_than_the_recording_states_is_kept_by_its_own(tmp_path):
    made = recorded(trace())
    made = replace(made, meta=replace(made.meta, versions={**made.meta.versions, "Flask": "1.0"}))
    kept = sources.collect(made)
    key = f"Flask=={libraries.distribution('Flask').version}"
    assert kept.excerpt(f"{key}:flask/app.py", AS_CODE.name, LINE) is not None
    assert kept.libraries[key] == libraries.distribution("Flask")
    assert "Copyright 2010 Pallets" in kept.licences[key]
    sources.save(kept, tmp_path / "kept.gz")
    assert sources.load(tmp_path / "kept.gz") == kept


def test_no_more_is_kept_than_is_shown_and_the_licence_with_it():
    for name in ("report_then", "report_now"):
        kept = lab.replay(name).recording.sources
        # A signature is shown whole, however long it is.
        assert max(map(len, kept.excerpts.values())) <= 2 * libraries.EXCERPT_LINES
        shown = {(file, n) for (file, _, _), numbers in kept.excerpts.items() for n in numbers if n}
        assert {(file, n) for file, texts in kept.lines.items() for n in texts} == shown
        for library in kept.libraries.values():
            if library.version and library.name != "CPython":
                text = kept.licences[library.name]
                assert "copyright" in text.lower() or "apache license" in text.lower(), library.name


def test_a_function_that_is_not_followed_closely_is_left_out():
    process = Process("server")
    process.call(1, "f", 1, 2)
    assert sources.collect(recorded(process.trace)).excerpts == {}  # a file that is not there


def test_what_is_saved_is_loaded_again(tmp_path):
    kept = sources.collect(recorded(trace()), whole=["Flask"])
    assert "Scaffold.route" in kept.definitions["Flask:flask/sansio/scaffold.py"]
    for path in (tmp_path / "one.gz", tmp_path / "two.gz"):
        sources.save(kept, path)
    assert sources.load(tmp_path / "one.gz") == kept
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"no JSON"), gzip.compress(json.dumps({"format": "other"}).encode())],
    ids=["empty", "no gzip", "no JSON", "another format"],  # packed bytes hold the time of day
)
def test_a_broken_file_is_named(tmp_path, content):
    path = tmp_path / "sources.json.gz"
    path.write_bytes(content)
    with pytest.raises(CaptureFileError, match="cannot be read"):
        sources.load(path)
