"""The bundle: the scripts as they are, joined, with no import left and no address in them."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from utils.views import bundle

widgets = pytest.mark.parametrize("widget", bundle.SCRIPTS)


@widgets
def test_every_script_is_in_whole_but_for_its_imports(widget):
    joined = bundle.script(widget)
    for name in bundle.SCRIPTS[widget]:
        for line in files("utils.views").joinpath(name).read_text(encoding="utf-8").splitlines():
            if not line.startswith("import "):
                assert line.removeprefix("export ") in joined or line in joined


@widgets
def test_nothing_is_imported_and_one_thing_exported(widget):
    joined = bundle.script(widget)
    assert not re.search(r"^import\b|\bimport\(", joined, re.MULTILINE)
    assert re.findall(r"^export .*$", joined, re.MULTILINE) == ["export default { render };"]


@widgets
def test_a_script_comes_after_those_that_it_needs(widget):
    for place, name in enumerate(bundle.SCRIPTS[widget]):
        source = files("utils.views").joinpath(name).read_text(encoding="utf-8")
        needed = re.findall(r'^import .* from "\./(\w+\.js)";$', source, re.MULTILINE)
        assert source.count("\nimport ") == len(needed)
        assert all(bundle.SCRIPTS[widget].index(one) < place for one in needed)


@widgets
def test_no_two_scripts_use_one_name(widget):
    names = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", bundle.script(widget), re.MULTILINE)
    assert len(names) == len(set(names))


@widgets
def test_no_script_writes_markup_or_asks_for_anything(widget):
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", bundle.script(widget)
    )
    told = bundle.script(widget) + bundle.style()
    addresses = set(re.findall(r"https?://[\w./]+", told))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, which is never fetched
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", told)


def test_the_style_begins_with_the_palette():
    assert bundle.style().startswith(".lab-stepper{--lab-ground:")
