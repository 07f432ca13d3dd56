"""Bytes in, explained units out: HTTP, WebSocket, Engine.IO and Socket.IO.

The law of this folder: pure and incremental.  No scapy, no socket, no clock,
no file, nothing of the stack under study; every decoder can be stopped at any
byte and fed the next one later, and no input makes it raise.
"""
