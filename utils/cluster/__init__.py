"""Several processes of one application, and what they need to be one: a queue, a proxy, a database.

The law of this folder: no containers and nothing that outlives its parent.
Everything is Debian's own program, started with data in a temporary folder, on
the loopback and on free ports, and is gone when the program that asked for it
is gone, however that ended.
"""
