"""Packets: seen live, made from what the sockets were handed, or read from a file.

The law of this folder: the packets are the server's own, chosen by its port
before they enter the process; what is lost is counted and said.
"""
