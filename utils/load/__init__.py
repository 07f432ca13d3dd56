"""The latency lab: how long things take, measured from outside on applications that nobody traces.

The rule kept here: a figure is a distribution with its conditions beside it.
:mod:`.values` are the frozen facts, and their file; :mod:`.statistics` are the
histograms and the intervals; :mod:`.speakers` speak the protocols, :mod:`.pace`
keeps the time, and :mod:`.driver` is the process in which they do so;
:mod:`.subjects` are the servers, :mod:`.measuring` takes them in turns, and
:mod:`.standard` holds the comparisons by name.
"""
