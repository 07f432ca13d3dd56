"""A recording by its path, by its name, as a capture alone; or one clear error."""

from __future__ import annotations

import shutil

import pytest
from click.shell_completion import CompletionItem

from utils import lab
from utils.cli.recordings import FOLDER, RecordingType, find, known, load
from utils.errors import CaptureFileError, InputError


def test_by_path(tmp_path):
    assert find(str(tmp_path)) == tmp_path


def test_by_the_name_of_a_reference_recording():
    assert find("one_bid") == lab.captures() / "one_bid"


def test_what_was_recorded_here_counts_before_the_reference(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(lab.captures() / "one_bid", tmp_path / FOLDER / "one_bid")
    assert find("one_bid").resolve() == tmp_path / FOLDER / "one_bid"
    assert {"one_bid", "auction"} <= set(known())


@pytest.mark.parametrize("word", ["nothing", "../captures/one_bid", "", "a/b"])
def test_what_is_not_there_is_an_error_that_names_what_is(tmp_path, monkeypatch, word):
    monkeypatch.chdir(tmp_path)
    if word == "":
        with pytest.raises(CaptureFileError):
            load(find(word))  # the folder itself, which is none
        return
    with pytest.raises(InputError, match="one_bid"):
        find(word)


def test_names_are_completed_and_else_files():
    found = RecordingType().shell_complete(None, None, "one_")
    assert [item.value for item in found] == ["one_bid"]
    (other,) = RecordingType().shell_complete(None, None, "./x")
    assert isinstance(other, CompletionItem) and other.type == "file"


def test_a_capture_alone_is_a_recording_without_calls():
    run = load(lab.captures() / "one_bid" / "packets.pcapng")
    assert run.recording.traces == ()
    assert len(run.messages) == len(lab.replay("one_bid").messages)
