"""The same facts, rendered many ways.

Each view renders :mod:`utils.records` values and adds no fact of its own.  The
words, numbers and byte ranges come from :mod:`~utils.views.wording` and
:mod:`~utils.views.dump` for all of them, so two views of one thing cannot
disagree; the text view is the one that the tests read as the truth.
"""
