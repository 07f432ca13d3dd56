"""What hand-outs are shown with: pinned, without addresses, and asked for in plain words where it is missing."""

from __future__ import annotations

import json
import re

import pytest

from handouts import assets
from utils.errors import EnvironmentLack


def test_the_lock_file_pins_what_package_json_asks_for_and_names_no_registry():
    asked = json.loads((assets.HERE / "package.json").read_text())
    text = (assets.HERE / "package-lock.json").read_text()
    root = json.loads(text)["packages"][""]
    for kind in ("dependencies", "devDependencies"):
        assert root[kind] == asked[kind]
    assert not re.search(r'"resolved"|https?://(?!opencollective\.com|github\.com)', text)


def test_without_npm_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    monkeypatch.setattr(assets.shutil, "which", lambda name: None)
    with pytest.raises(EnvironmentLack, match=r"there is no npm here\. Next: install it"):
        assets.packages()


def test_where_npm_fails_the_error_gives_its_words_and_nothing_is_left(monkeypatch, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network is down' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    monkeypatch.setattr(assets.shutil, "which", lambda name: str(npm))
    with pytest.raises(EnvironmentLack, match="network is down"):
        assets.packages()
    assert list((tmp_path / "build").iterdir()) == []


def test_what_was_fetched_is_not_fetched_again(monkeypatch):
    found = assets.packages()
    monkeypatch.setattr(assets.shutil, "which", lambda name: pytest.fail("npm was looked for"))
    assert assets.packages() == found and (found / "reveal.js").is_dir()


def test_each_package_goes_with_its_licence():
    for wanted in (assets.MERMAID, assets.REVEAL):
        assert any(source.endswith("LICENSE") for source in wanted)
