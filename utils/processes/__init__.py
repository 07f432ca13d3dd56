"""The processes that the lab starts, and the channel over which it speaks to them.

The rule kept here: nothing outlives the notebook.  :mod:`.child` is the side of
whoever starts one, :mod:`.control` the side of the one that was started, and
:mod:`.boot` begins any of our modules, from any folder and with any Python.

The channel is JSON lines: commands go down, exactly one answer comes up for
each.  The child's first line says that it is ready, or why it never will be.
"""
