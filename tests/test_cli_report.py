"""``socketio-lab report`` writes what was asked for, where it was asked for."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from utils import lab
from utils.cli import main
from utils.report import write


def run(*arguments):
    return CliRunner().invoke(main.group, ["report", *arguments])


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def whole(form, **options):
    return "".join(write.pieces(lab.replay("smallest_opening"), form, **options))


def test_left_alone_it_writes_a_short_page_beside(here):
    done = run("smallest_opening")
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    assert (here / "smallest_opening-report.html").read_text() == whole("html")


@pytest.mark.parametrize("form", write.FORMS)
def test_each_form_by_its_name_and_by_its_files(here, form):
    assert run("smallest_opening", "--to", form).exit_code == 0
    assert run("smallest_opening", "-o", f"other.{form}").exit_code == 0
    written = (here / f"other.{form}").read_text()
    assert written == (here / f"smallest_opening-report.{form}").read_text() == whole(form)


def test_deep_tells_more(here):
    assert run("smallest_opening", "--deep", "-o", "deep.md").exit_code == 0
    assert (here / "deep.md").read_text() == whole("md", deep=True) != whole("md")


def test_to_the_screen(here):
    assert run("smallest_opening", "-o", "-", "--to", "md").stdout == whole("md")
    assert list(here.iterdir()) == []


def test_what_is_there_is_not_overwritten_unasked(here):
    (here / "smallest_opening-report.html").write_text("mine")
    done = run("smallest_opening")
    assert done.exit_code == 3 and "-o smallest_opening-report.html" in done.stderr
    assert (here / "smallest_opening-report.html").read_text() == "mine"


def test_another_ending_is_an_error_that_says_which_there_are(here):
    done = run("smallest_opening", "-o", "report.pdf")
    assert done.exit_code == 3 and ".md, .html, .ipynb" in done.stderr


def test_a_capture_alone_can_be_reported(here):
    done = run(str(lab.captures() / "one_bid" / "packets.pcapng"), "--to", "md")
    assert done.exit_code == 0, done.output
    assert "What one" not in (here / "packets-report.md").read_text()
