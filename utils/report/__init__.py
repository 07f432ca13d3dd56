"""The open-source report of a recording: what an application does, and every line that does it.

The rule kept here: facts are taken from the recording once, section by section,
and written in three forms; the same recording gives the same bytes.  Imports go
down within, too: write, then the forms, then sections, prose, facts and blocks.
"""
