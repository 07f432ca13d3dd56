"""The notebooks as hand-outs: a deck of slides and a book of pages, for a stick or a printer.

The rule kept here: what is handed out needs nothing but a browser.  It is made
of the notebooks as they are, run in replay; it stands in one folder below
build/, and asks no other machine for anything.
"""
