"""The auction: the application whose every byte the walkthrough explains.

It is plain Flask-SocketIO and knows nothing of the tools that watch it.
"""
