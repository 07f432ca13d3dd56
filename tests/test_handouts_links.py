"""Where links lead in a hand-out."""

from __future__ import annotations

import pytest

from handouts.links import Links
from utils.errors import InputError


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://example.org/x.ipynb", "https://example.org/x.ipynb"),
        ("mailto:somebody@example.org", "mailto:somebody@example.org"),
        ("#here", "#here"),
        ("01_two.ipynb", "01_two.html"),
        ("./01_two.ipynb#cell-x", "01_two.html#cell-x"),
        ("../scenarios/plays.py", "files/scenarios/plays.py.html"),
        ("../captures", "files/captures.html"),
    ],
)
def test_a_link_is_led_over(address, target):
    links = Links({"00_one", "01_two"})
    assert links.lead(f'<p><a href="{address}">x</a></p>') == f'<p><a href="{target}">x</a></p>'


def test_the_files_that_were_asked_for_are_noted():
    links = Links(set())
    links.lead('<a href="../LICENSE">a</a> <a href="../scenarios/plays.py#L3">b</a>')
    assert links.files == {"LICENSE", "scenarios/plays.py"}


@pytest.mark.parametrize("address", ["99_nowhere.ipynb", "../no/such/file.py", "../../outside.py"])
def test_a_link_to_nowhere_is_refused(address):
    with pytest.raises(InputError, match="a link leads to"):
        Links({"00_one"}).lead(f'<a href="{address}">x</a>')
