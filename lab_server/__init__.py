"""The auction: the application whose every byte the walkthrough explains.

It is plain Flask-SocketIO and knows nothing of the tools that watch it.
Read seed.py first, then app.py, then rules.py and house.py.
"""
