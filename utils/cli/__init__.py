"""The command line, ``socketio-lab``: everything that can be done with an application of one's own.

The rule kept here: a command parses words, calls one verb of the rest of
``utils`` and prints what it gives.  It computes nothing itself, and is imported
when it is asked for, so that ``--help`` answers at once.

What the user types::

    socketio-lab doctor                        what this machine has, and what to mend
    socketio-lab lab                           JupyterLab, at the first notebook
    socketio-lab record -- python -m chat      any application, unchanged, until Ctrl-C
    socketio-lab show recordings/chat          the stepper, or one page with --html
    socketio-lab diff then now route           one journey in two recordings
    socketio-lab export recordings/chat -f perfetto

What the user sees: results on standard output, and nothing else there, so that
it can be piped; progress, notes and errors on standard error, progress only
where that is a terminal.  The exit status is one of :class:`.console.Status`.

How a command is added: write ``utils/cli/NAME.py``, which holds a click command
called ``command`` and whose help ends in examples (see :func:`.console.examples`);
add its name and its one line to ``COMMANDS`` in :mod:`.main`; write
``tests/test_cli_NAME.py``.  Recordings are taken by
:class:`.recordings.RecordingType`, output goes through :mod:`.console`, long
work stands in ``with console.progress(...)``.  A ``LabError`` may simply be
raised: the group tells it as one message and chooses the status.
"""
