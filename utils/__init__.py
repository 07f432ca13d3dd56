"""What turns packets and calls into an explained journey.

A notebook imports :mod:`utils.lab` and nothing else from here.  Imports go
down only; the rooms, from the purest to the outermost:

``errors`` → ``wire`` → ``records`` → ``libraries`` → ``reassembly`` →
``journey`` → ``provenance`` → ``latency`` → ``tracing`` → ``capture`` →
``recording`` → ``views`` → ``lab`` → ``cli``
"""
