"""``python -m utils.cli``: the same as ``socketio-lab``, where that is not on the path."""

from utils.cli.main import main

main()
