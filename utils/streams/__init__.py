"""TCP segments in, messages out: as they come, or a whole capture at once.

The law of this folder: a byte is delivered once, in order, or reported
missing; and both ways give the same messages.  What they mean is decoded by
:mod:`utils.wire`.
"""
