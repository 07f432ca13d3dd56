"""A recording is what its format says, or one clear error: damaged, hostile or from another version."""

from __future__ import annotations

import copy
import gzip
import io
import json
import random
import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from utils import lab, recording
from utils.errors import CaptureFileError, InputError, LabError
from utils.recording import description, sources
from utils.records import Meta, Service
from utils.run import Run
from utils.tracing import store

#: Small ones, with sources and without.
SMALL, WITH_SOURCES = lab.captures() / "broken_close", lab.captures() / "report_now"

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "recording-format.md"


def packed(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def pack(document, path):
    path.write_bytes(gzip.compress(json.dumps(document).encode("utf-8", "surrogatepass"), 1))


def documents(folder):
    """Each JSON document of a recording: its path, how it is read, how it is written."""
    for path in sorted(folder.iterdir()):
        if path.name == recording.META_FILE:
            yield (
                path,
                lambda path=path: json.loads(path.read_text()),
                lambda value, path=path: path.write_text(json.dumps(value)),
            )
        elif path.suffix == ".gz":
            yield path, lambda path=path: packed(path), lambda value, path=path: pack(value, path)


def loads_or_says_why(folder):
    """Loaded and looked at, or refused: nothing else, and no other error."""
    try:
        run = Run(recording.load(folder))
    except CaptureFileError as error:
        assert error.why and error.next_step
        return False
    for look in (
        run.check,
        lambda: run.journeys,
        lambda: run.packets().text,
        lambda: run.journey("open"),
        repr,
    ):
        try:
            look() if look is not repr else repr(run)
        except LabError:
            pass
    return True


# ── what was saved is what is loaded ─────────────────────────────────────────


def test_what_is_saved_is_loaded(tmp_path):
    for name in ("auction", "report_now"):
        made = lab.replay(name).recording
        recording.save(made, tmp_path / name)
        again = recording.load(tmp_path / name)
        assert (again.meta, again.traces, again.sources) == (made.meta, made.traces, made.sources)
        assert list(again.segments) == list(made.segments)


def test_nothing_but_a_recording_is_replaced(tmp_path):
    made = lab.replay("broken_close").recording
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="left alone"):
        recording.save(made, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"
    with pytest.raises(InputError, match="left alone"):
        recording.save(made, tmp_path / "mine" / "thesis.tex")
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        assert recording.load(recording.save(made, tmp_path / "empty")).meta == made.meta


# ── its description ──────────────────────────────────────────────────────────

META = Meta("chat", "live", "it may", "2026-01-01T00:00:00+00:00", "3.11", "Linux", {"Flask": "3.1"}, 5000)


def test_a_description_names_its_format_and_version(tmp_path):
    meta = replace(
        META,
        services={5000: Service("server"), 6379: Service("Redis", "redis", False)},
        extra={"clients": {"4": "ann"}},
    )
    description.write(meta, tmp_path / "meta.json")
    found = json.loads((tmp_path / "meta.json").read_text())
    assert (found["format"], found["version"]) == (description.FORMAT, description.VERSION)
    assert description.read(tmp_path / "meta.json") == meta


def test_one_from_before_it_named_its_version_is_read(tmp_path):
    description.write(META, tmp_path / "meta.json")
    found = json.loads((tmp_path / "meta.json").read_text())
    del found["format"], found["version"]
    (tmp_path / "meta.json").write_text(json.dumps(found))
    assert description.read(tmp_path / "meta.json") == META


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"version": 2}, "version"),
        ({"format": "another"}, "format"),
        ({"port": "5000"}, "port"),
        ({"port": 70000}, "port"),
        ({"mode": "guessed"}, "mode"),
        ({"further": 1}, "further"),
        ({"versions": {"Flask": 3}}, "versions.Flask"),
        ({"extra": {"clients": {"x": "ann"}}}, "clients"),
        ({"services": {"5000": ["server", "smtp", True]}}, "services.5000"),
        ({"bytes_lost": -1}, "bytes_lost"),
    ],
)
def test_what_it_should_not_hold_is_named(tmp_path, change, where):
    description.write(META, tmp_path / "meta.json")
    found = json.loads((tmp_path / "meta.json").read_text()) | change
    (tmp_path / "meta.json").write_text(json.dumps(found))
    with pytest.raises(CaptureFileError, match=where):
        description.read(tmp_path / "meta.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"name":NaN}', b"null"])
def test_what_is_no_description_is_refused(tmp_path, content):
    (tmp_path / "meta.json").write_bytes(content)
    with pytest.raises(CaptureFileError):
        description.read(tmp_path / "meta.json")


def test_what_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(description, "MOST_BYTES", 100)
    description.write(META, tmp_path / "meta.json")
    with pytest.raises(CaptureFileError, match="larger"):
        description.read(tmp_path / "meta.json")


# ── damaged and hostile ones ─────────────────────────────────────────────────

HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from([-1, 0, 1 << 31, 1 << 63, 1 << 70, "../../etc/passwd", "__import__('os').system('x')", "<script>", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(st.randoms(use_true_random=False), HOSTILE, st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_any_value_anywhere_in_any_document_is_read_or_refused(tmp_path, chance, value, data):
    folder = tmp_path / "recording"
    shutil.copytree(SMALL, folder, dirs_exist_ok=True)
    path, read, write = data.draw(st.sampled_from(list(documents(folder))))
    document = copy.deepcopy(read())
    place, key = None, None
    inner = document
    while isinstance(inner, dict | list) and inner and (place is None or chance.random() < 0.8):
        place, key = inner, chance.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        inner = place[key]
    what = data.draw(st.sampled_from(["replace", "remove", "double"]))
    if what == "replace":
        place[key] = value
    elif what == "remove":
        del place[key]
    elif isinstance(place, list):
        place.insert(key, inner)
    try:
        write(document)
    except UnicodeEncodeError:
        return  # a lone surrogate cannot stand in a file of UTF-8
    loads_or_says_why(folder)


@pytest.mark.parametrize("source", [SMALL, WITH_SOURCES], ids=lambda path: path.name)
def test_damaged_bytes_are_read_or_refused(tmp_path, source):
    """Cut off, changed or doubled, in any file."""
    chance = random.Random(7)
    names = sorted(path.name for path in source.iterdir())
    refused = 0
    for number in range(24):
        folder = tmp_path / str(number)
        shutil.copytree(source, folder)
        path = folder / names[number % len(names)]
        content = bytearray(path.read_bytes())
        at = chance.randrange(len(content))
        if number % 3 == 0:
            del content[at:]
        elif number % 3 == 1:
            content[at] ^= 1 << chance.randrange(8)
        else:
            content[at:at] = content[: chance.randrange(1, 50)]
        path.write_bytes(content)
        refused += not loads_or_says_why(folder)
        shutil.rmtree(folder)
    assert refused  # among them some that no reader could take for whole


@pytest.mark.parametrize(("module", "name"), [(store, "server.trace.json.gz"), (sources, "sources.json.gz")])
def test_a_bomb_is_not_unpacked(tmp_path, module, name, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 1 << 20)
    packer = io.BytesIO()
    with gzip.GzipFile(fileobj=packer, mode="wb", compresslevel=9) as file:
        file.write(b" " * (1 << 24))
    (tmp_path / name).write_bytes(packer.getvalue())
    with pytest.raises(CaptureFileError, match="1 MiB"):
        module.load(tmp_path / name)


def test_a_call_inside_itself_is_refused(tmp_path):
    """Whoever climbs from call to caller must come to an end."""
    shutil.copytree(SMALL, tmp_path / "r")
    path = next((tmp_path / "r").glob("*.trace.json.gz"))
    document = packed(path)
    document["calls"]["parent"][3] = document["calls"]["id"][3]
    pack(document, path)
    with pytest.raises(CaptureFileError, match="inside itself"):
        recording.load(tmp_path / "r")


def test_an_excerpt_of_lines_that_are_not_there_is_refused(tmp_path):
    shutil.copytree(WITH_SOURCES, tmp_path / "r")
    document = packed(tmp_path / "r" / recording.SOURCES_FILE)
    document["excerpts"][0][3] = [999_999]
    pack(document, tmp_path / "r" / recording.SOURCES_FILE)
    with pytest.raises(CaptureFileError, match="999999"):
        recording.load(tmp_path / "r")


# ── and is documented ────────────────────────────────────────────────────────


def test_every_member_of_every_file_is_in_the_document():
    from utils.tracing import schema

    text = DOCUMENT.read_text(encoding="utf-8")
    named = {field.name for field in fields(Meta)}
    for model in (schema.Document, schema._Calls, schema._Transfers, schema._HandOffs, sources._Document):
        named |= set(model.model_fields)
    missing = {name for name in named if f"`{name}`" not in text}
    assert not missing
    for name in (recording.META_FILE, recording.PACKETS_FILE, recording.SOURCES_FILE, recording.TRACE_SUFFIX):
        assert name in text
    assert f"`{description.FORMAT}`" in text and f"`{store.FORMAT}`" in text and f"`{sources.FORMAT}`" in text
