"""What turns packets and calls into an explained journey.

The rule kept here: imports go down only; pyproject.toml holds the order, and
the README's map says what each room is for.  A notebook imports
:mod:`utils.lab`, :mod:`utils.exercises` and the values that it asks about.

    ground     errors, redaction, unpacking, processes
    facts      wire, records, libraries, streams
    meaning    journeys, provenance, latency, deeds, versions
    watching   tracing, capture, scapy_layers, recording
    showing    views, report
    doing      subject, load, cluster
    front      selfcheck, exercises, run, lab, cli
"""
