"""A recording is shown in a notebook, as one page, or as text: each what the run itself says."""

from __future__ import annotations

import shutil
import sys

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient

from utils import lab
from utils.cli import main, show
from utils.records import Level
from utils.views import text


def run(*arguments):
    done = CliRunner().invoke(main.group, ["show", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(lab.captures() / "one_bid", tmp_path / "one")
    return tmp_path


def test_the_text_is_the_journey_s(here):
    journey = lab.load("one").journey("replace old value")
    assert run("one", "--text").stdout == text.journey_text(journey) + "\n"
    deep = run("one", "replace old value", "--text", "--level", "all").stdout
    assert deep == text.journey_text(journey, Level.ALL) + "\n"


def test_the_page_is_one_file_that_asks_for_nothing(here):
    assert run("one", "connect", "--html", "connect.html").stdout == ""
    page = (here / "connect.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page and "<title>connect" in page
    assert "src=" not in page.partition("<script")[0] and "<link" not in page


def test_the_notebook_shows_the_stepper_and_runs(here):
    path = run("one", "--no-open").stdout.strip()
    assert path == str(here / "one.ipynb")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(here)}}).execute()
    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert "replace old value" in outputs["stepper"][0].data["text/plain"]
    assert "SimpleClient.emit" in outputs["stepper"][0].data["text/plain"]


def test_a_notebook_that_is_there_stays_as_it_is(here):
    (here / "one.ipynb").write_text("mine")
    assert run("one", "--no-open").stdout.strip() == str(here / "one.ipynb")
    assert (here / "one.ipynb").read_text() == "mine"


def test_it_opens_jupyterlab_at_the_notebook(here, monkeypatch):
    opened = []
    monkeypatch.setattr(show, "_open", opened.append)
    run("one")
    assert opened == [here / "one.ipynb"]


def test_what_jupyterlab_is_told(here, monkeypatch):
    called = []
    monkeypatch.setattr(show.os, "execve", lambda *words: called.append(words))
    monkeypatch.setattr(show.subprocess, "call", lambda *words, **options: called.append(words) or 0)
    monkeypatch.setattr(show.signal, "signal", lambda *words: None)
    with pytest.raises(SystemExit):
        show._open(here / "one.ipynb")
    command = called[0][1] if sys.platform != "win32" else called[0][0]
    assert f"--ServerApp.root_dir={here}" in command
    assert "--LabApp.default_url=/lab/tree/one.ipynb" in command


def test_of_a_capture_alone_the_packets_are_shown(here):
    shutil.copy(lab.captures() / "one_bid" / "packets.pcapng", here / "seen.pcapng")
    messages = lab.read("seen.pcapng")
    assert run("seen.pcapng", "--text").stdout == messages.packets().text + "\n"
    run("seen.pcapng", "--html", "seen.html")
    page = (here / "seen.html").read_text(encoding="utf-8")
    assert messages.packets().html in page and messages.ladder().html in page
    assert "<script" not in page
    notebook = nbformat.read(run("seen.pcapng", "--no-open").stdout.strip(), as_version=4)
    assert "lab.read('seen.pcapng')" in notebook.cells[1].source


def test_a_journey_that_is_not_there_is_an_error_that_names_those_that_are(here):
    done = CliRunner().invoke(main.group, ["show", "one", "nothing", "--text"])
    assert done.exit_code == 3 and "'connect'" in done.stderr
