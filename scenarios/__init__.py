"""What is played in the recordings: scenarios, and the smallest application that some of them need.

The scenarios speak to the auction (:mod:`lab_server`) wherever it has what they
show.  :mod:`.plays` holds them, and the table of the reference recordings;
:mod:`.smallest` is the application of the rest.
"""
