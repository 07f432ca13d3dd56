"""The hand-outs of the committed notebooks: every page there, every link leading somewhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner

from handouts import building, course
from handouts.__main__ import main


@pytest.fixture(scope="module", params=sorted(building.KINDS))
def made(request, tmp_path_factory) -> Path:
    """A hand-out of all notebooks, with their committed outputs."""
    folder = tmp_path_factory.mktemp("made")
    done = CliRunner().invoke(main, [request.param, "--as-committed", "--to", str(folder)])
    assert done.exit_code == 0, done.output
    return folder / request.param


def pages(folder: Path) -> dict[Path, BeautifulSoup]:
    return {path: BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in folder.rglob("*.html")}


def test_each_notebook_has_its_page_and_the_contents_name_it(made):
    contents = pages(made)[made / "index.html"]
    named = [link["href"] for link in contents.select("ol a")]
    assert named == [f"{chapter.name}.html" for chapter in course.chapters()]


def test_every_link_leads_to_a_file_of_the_hand_out_or_to_the_web(made):
    found = pages(made)
    for path, page in found.items():
        for element in page.select("[href], [src]"):
            parts = urlsplit(element.get("href") or element["src"])
            if parts.scheme in ("https", "http"):
                assert element.name == "a", f"{path.name} asks another host for {parts.geturl()}"
            elif parts.scheme != "data":
                target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
                assert target.is_relative_to(made.resolve()) and target.is_file(), (
                    f"{path.name}: {parts.geturl()}"
                )
                if parts.fragment and target in found:
                    assert found[target].find(id=parts.fragment), f"{path.name}: {parts.geturl()}"


def test_every_page_forbids_itself_whatever_lies_elsewhere(made):
    for path, page in pages(made).items():
        policy = page.select_one('meta[http-equiv="Content-Security-Policy"]')["content"]
        assert policy.startswith("default-src 'none'") and "http" not in policy, path
        assert not page.select("script:not([src]):not([type='application/json'])"), path


def test_every_cell_is_in_its_place(made):
    found = pages(made)
    for chapter in course.chapters():
        page = found[made / f"{chapter.name}.html"]
        for cell in chapter.notebook.cells:
            kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
            place = page.find(id=course.anchor(cell))
            if made.name == "book":
                assert place is not None
            elif kind == "skip":
                assert place is None
            else:
                assert place.find_parent("section", class_="slide")
                assert bool(place.find_parent("aside", class_="notes")) == (kind == "notes")


def test_a_hint_is_behind_its_fold(made):
    hints = [
        fold
        for page in pages(made).values()
        for fold in page.select("details")
        if fold.summary.get_text(strip=True) == "Hint"
    ]
    assert hints
    assert [fold.parent.get("id") for fold in hints if fold.get_text(strip=True) == "Hint"] == []


def test_what_was_there_is_replaced_whole(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "old.html").write_text("old")
    chapters, notebooks = course.chapters(), [chapter.notebook for chapter in course.chapters()]
    building.build("book", chapters, notebooks, tmp_path / "book")
    assert not (tmp_path / "book" / "old.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["book"]
