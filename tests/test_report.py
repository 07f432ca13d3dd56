"""A report says what the recording says, all of it, the same each time, in three forms."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from scenarios.plays import PLAYS
from tests.hostile import PAYLOADS
from tests.markup_reader import Reader
from utils import lab, libraries
from utils.errors import InputError
from utils.libraries.clauses import TERMS
from utils.libraries.licences import used
from utils.provenance.ledger import Part
from utils.records import StepKind
from utils.redaction import scrub_code
from utils.report import blocks, chapters, markdown, octets, page, prose, sections, write
from utils.report.blocks import Anchor, Code, Grid, Paragraph, Source, Strong
from utils.report.sections import Report
from utils.run import Run

ROOT = Path(__file__).resolve().parent.parent
RECORDINGS = [*(play.name for play in PLAYS), "report_now", "report_then"]


def text(run, form, **options):
    return "".join(write.pieces(run, form, **options))


@pytest.fixture(scope="module", params=RECORDINGS)
def run(request):
    return lab.replay(request.param)


@pytest.fixture(scope="module")
def made(run):
    return {form: text(run, form) for form in write.FORMS}


@pytest.fixture(scope="module")
def now():
    return lab.replay("report_now")


class TestEveryForm:
    def test_it_has_a_section_for_every_deed_and_for_what_was_not_seen(self, run, made):
        page_text = Reader(made["html"]).text
        for deed in run.deeds.told:
            assert prose.title(deed) in page_text
            assert markdown.escape(prose.title(deed)) in made["md"]
        assert "What was not seen, and what is not proved?" in page_text

    def test_each_library_that_ran_has_its_licence(self, run, made):
        page_text = " ".join(Reader(made["html"]).text.split())
        for found in used(run.recording):
            assert f"What may be done with {found.library.name} {found.library.version}?" in page_text
            for terms in found.terms:
                for clause in TERMS[terms.spdx].clauses:
                    assert f"{clause.said} ({clause.clause})" in page_text

    def test_the_page_is_whole_asks_for_nothing_and_runs_nothing(self, made):
        reader = Reader(made["html"])
        assert not reader.open
        forms = reader.forms
        assert not {"script", "img", "iframe", "link", "object"} & {tag for tag, _ in forms}
        assert not [name for _, name in forms if name.startswith("on")]
        (policy,) = reader.find("meta", **{"http-equiv": "Content-Security-Policy"})
        assert policy["content"].startswith("default-src 'none'")

    def test_every_way_within_the_page_leads_somewhere(self, made):
        reader = Reader(made["html"])
        names = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
        assert len(set(names)) == len(names)
        for _, attributes in reader.elements:
            address = attributes.get("href", "")
            assert not address.startswith("#") or address[1:] in names
            assert not address or address.startswith(("#", "https://"))

    def test_and_in_the_markdown(self, made):
        names = set(re.findall(r'<a id="([\w-]+)">', made["md"]))
        assert set(re.findall(r"\]\(#([\w-]+)\)", made["md"])) <= names

    def test_the_notebook_is_one_and_its_cells_ask_for_what_there_is(self, run, made):
        notebook = nbformat.reads(made["ipynb"], as_version=4)
        nbformat.validate(notebook)
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        compile("\n".join(code), "report.ipynb", "exec")
        for deed in run.deeds.told:
            assert f"run.stepper({deed.name!r})" in code

    def test_no_date_is_in_it_but_the_recordings(self, run, made):
        for form in write.FORMS:
            dates = set(re.findall(r"\b20[2-9]\d-\d\d-\d\d(?:T[\d:+]+)?", made[form]))
            assert dates <= {run.recording.meta.created}

    def test_no_path_of_this_machine_is_in_it(self, made):
        for form in write.FORMS:
            assert str(Path.home()) not in made[form] and str(ROOT) not in made[form]

    def test_it_says_the_same_each_time(self, run, made):
        for form in write.FORMS:
            assert text(lab.replay(run.recording.meta.name), form) == made[form]

    def test_a_line_of_source_is_the_files_own(self, run):
        report = Report(run)
        shown = [
            block
            for section in report.sections()
            for block in _flat(section.blocks)
            if isinstance(block, Source)
        ]
        assert shown
        for block in shown:
            if Path(block.excerpt.filename).is_file():
                lines = Path(block.excerpt.filename).read_text().splitlines()
                place = libraries.place(block.excerpt.filename)
                for number, code in filter(None, block.excerpt.lines):
                    line = lines[number - 1].rstrip()
                    # In an application's own lines a secret may stand: nothing but its texts is left out.
                    assert code == (line if place.library.version else scrub_code(line))

    def test_no_lines_stand_twice(self, run):
        report = Report(run, deep=True)
        shown = [
            (one.excerpt.path, one.excerpt.function, one.excerpt.lines, one.excerpt.current)
            for section in report.sections()
            for one in _flat(section.blocks)
            if isinstance(one, Source)
        ]
        assert len(set(shown)) == len(shown)


def _flat(made):
    for block in made:
        yield block
        if isinstance(block, blocks.Fold):
            yield from _flat(block.blocks)


def test_two_processes_that_hash_otherwise_write_the_same_bytes(tmp_path):
    code = (
        "import sys; from utils import lab; from pathlib import Path; run = lab.replay('auction');"
        "[run.report(Path(sys.argv[1], f'report.{form}'), deep=True) for form in ('md', 'html', 'ipynb')]"
    )
    digests = set()
    for seed in ("1", "2"):
        folder = tmp_path / seed
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run(
            [sys.executable, "-c", code, folder], check=True, env=environment, timeout=200, cwd=ROOT
        )
        digests.add(tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())))
    assert len(digests) == 1 and len(*digests) == 3


class TestDepth:
    def test_a_deep_one_has_every_step_that_does_the_work(self, now):
        deed = now.deeds.named('event "replace old value"')
        short, deep = (chapters.chapter(now, deed, level) for level in (1, 2))
        assert len(short.shown) < len(deep.shown) < len(deep.journey.steps)

    def test_it_shows_more_lines_and_no_fewer(self, now):
        assert len(text(now, "md", deep=True)) > 2 * len(text(now, "md"))

    def test_what_is_the_same_for_another_client_is_told_once(self, now):
        told = chapters.chapter(now, now.deeds.named('event "replace old value"'), 1)
        like = [turn for turn in told.turns if turn.like is not None]
        assert like
        for turn in like:
            first = told.turns[turn.like - 1]
            assert [step.title for step in turn.steps] == [step.title for step in first.steps]


class TestBytes:
    def test_every_byte_of_the_message_is_in_exactly_one_row(self, now):
        deed = now.deeds.named('event "replace old value"')
        told = chapters.chapter(now, deed, 1)
        for deep in (False, True):
            grids = [b for b in octets.told(told, told.main(), now, deep=deep) if isinstance(b, Grid)]
            rows = next(grid for grid in grids if grid.caption == "Every byte, and its lines").rows
            covered = []
            for row in rows:
                start, _, end = row[0][0].partition("–")
                covered += range(int(start), int(end or start) + 1)
            assert covered == list(range(len(told.main().message.unit.raw)))

    def test_the_lines_that_wrote_and_read_are_the_ledgers(self, now):
        told = chapters.chapter(now, now.deeds.named('event "replace old value"'), 1)
        shown = "".join(
            piece.text
            for block in octets.told(told, told.main(), now, deep=True)
            if isinstance(block, Grid)
            for row in block.rows
            for cell in row
            for piece in cell
            if isinstance(piece, Anchor)
        )
        for field in told.main().fields:
            assert f":{field.step(Part.MADE).line} " in shown and f":{field.reader.line} " in shown

    def test_an_unproved_byte_is_counted_and_shown(self, now):
        deed = now.deeds.named('event "replace old value"')
        told = chapters.chapter(now, deed, 1)
        ledger = told.main()
        whole = replace(
            ledger,
            fields=tuple(replace(one, unwritten=((one.span.start, one.span.end),)) for one in ledger.fields),
        )
        broken = replace(told, ledgers=(whole,))
        said = markdown_of(octets.told(broken, whole, now, deep=False))
        assert f"{len(ledger.message.unit.raw)} unexplained" in said and "✗ unexplained" in said
        assert "is not proved" in "".join(map(str, prose.lead(broken)))


def markdown_of(made):
    return "".join(piece for block in made for piece in markdown.block_text(block, 3))


class TestGaps:
    def test_a_capture_alone_is_reported_and_says_that_no_call_is_known(self):
        run = lab.read(lab.captures() / "one_bid" / "packets.pcapng")
        said = text(run, "md")
        assert "no calls" in said and "No call was recorded" in said
        assert "could the way not be followed?" in said

    def test_what_was_lost_is_told(self, now):
        traces = tuple(replace(trace, lost=7) for trace in now.recording.traces)
        meta = replace(now.recording.meta, packets_dropped=3, bytes_lost=99)
        said = text(Run(replace(now.recording, traces=traces, meta=meta)), "md")
        assert "| calls that the tracer lost | 14 |" in said
        assert "| packets that the capture had no room for | 3 |" in said
        assert "the capture is not whole" in said

    def test_who_was_killed_and_left_no_trace_is_named(self, now):
        said = text(lab.replay("killed_server"), "md")
        assert "Of whom is no call known?" in said
        assert "`nginx`, `Redis` and `server 1`: each listened" in said
        assert "Of whom is no call known?" not in text(now, "md")

    def test_what_was_never_called_is_named(self):
        said = text(lab.replay("opening"), "md")
        assert "✗ never called" in said and "the handler for `bid`" in said and "the route `/healthz`" in said

    def test_the_bytes_without_a_proved_line_are_those_of_the_ledgers(self, run, made):
        lacking = 0
        for deed in run.deeds.told:
            steps = run.journey(deed.name).steps
            on_the_wire = {
                (one.message.flow, one.message.start): one.message
                for one in steps
                if one.kind is StepKind.WIRE
            }
            lacking += sum(run.book.ledger(message).unexplained for message in on_the_wire.values())
        assert f"| bytes in the chapters above without a proved line | {lacking:,} |" in made["md"]
        if run.recording.meta.name in ("one_bid", "polling", "auction", "answers", "report_now"):
            assert lacking == 0


class TestEscaping:
    @pytest.mark.parametrize("payload", PAYLOADS)
    def test_what_came_from_outside_is_text_in_markdown(self, payload):
        for piece in (payload, Code(payload), Strong(payload), Anchor(payload, "https://example.org/)")):
            said = markdown.inline(blocks.line(piece), in_table=True)
            assert "\n" not in said
            bare = re.sub(r"(`+).*?\1", "", said)
            assert not re.search(r"(?<!\\)[<>]", bare)

    @pytest.mark.parametrize("payload", PAYLOADS)
    def test_and_in_the_page(self, payload):
        grid = Grid(payload, (payload,), (((payload, Code(payload), Anchor(payload, payload)),),))
        made = page.markup(page.block_element(grid, 3))
        reader = Reader(made)
        assert {tag for tag, _ in reader.forms} <= {
            "div",
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "code",
            "span",
            "a",
            "wbr",
        }
        for attributes in reader.find("a"):
            assert attributes.get("href", "https://").startswith(("https://", "http://", "#"))

    def test_code_stands_between_more_backquotes_than_it_holds(self):
        assert markdown.code("a``b") == "```a``b```"
        assert markdown.code("`") == "`` ` ``"
        assert markdown.code("a|b", in_table=True) == "`a\\|b`"
        assert markdown.fenced("```\n# no heading", "") == "````\n```\n# no heading\n````\n\n"

    def test_no_paragraph_becomes_a_heading_or_a_list(self):
        for opening in ("# a", "1. a", "- a", "+ a"):
            assert markdown.inline((opening,)).startswith(("\\", "1\\", "\\1"))


class TestWriting:
    def test_the_ending_says_the_form(self, now, tmp_path):
        for form in write.FORMS:
            path = now.report(tmp_path / f"a.{form}")
            assert path.read_text(encoding="utf-8") == text(now, form, beside=tmp_path)
        with pytest.raises(InputError, match="says no form"):
            now.report(tmp_path / "report.pdf")

    def test_a_failure_leaves_the_old_file_as_it_was(self, tmp_path):
        path = tmp_path / "report.md"
        path.write_text("old")

        def broken():
            yield "new"
            raise RuntimeError

        with pytest.raises(RuntimeError):
            write.write(path, broken())
        assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]

    def test_a_notebook_of_a_run_that_nobody_saved_is_refused(self, now, tmp_path):
        with pytest.raises(InputError, match="cannot load this run"):
            Run(now.recording).report(tmp_path / "a.ipynb")

    def test_the_notebook_runs_against_its_recording(self, tmp_path):
        from nbclient import NotebookClient

        path = lab.report("smallest_opening", tmp_path / "report.ipynb")
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
        assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


def test_the_contents_lead_to_every_section(now):
    report = Report(now)
    assert [name for name, _, _ in report.contents()] == [
        section.name for section in sections.Report(now).sections()
    ]
    assert json.dumps([title for _, title, _ in report.contents()]).count("?") == len(list(report.contents()))


def test_a_paragraph_never_stands_empty(now):
    for section in Report(now).sections():
        for block in _flat(section.blocks):
            if isinstance(block, Paragraph):
                assert markdown.inline(block.line).strip()
