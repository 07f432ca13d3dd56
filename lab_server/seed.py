"""The seed: the four lines that this project grew from, with their own names.

``SocketIO(app)``, ``@app.route``, ``@socketio.on`` and ``emit`` stand here as
in the report that asked what they do.  Everything else in this package is
built around them and changes none of them; nothing of ours stands between
Flask-SocketIO and these functions.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, render_template
from flask_socketio import SocketIO, emit

# The seed's own spelling, quotes and all, is kept.
# fmt: off


def create_app(*, trusting: bool, **options: Any) -> tuple[Flask, SocketIO]:
    """The application and its Socket.IO server.

    ``trusting`` brings the seed's pair of events in.  ``options`` go to
    Flask-SocketIO; with none of them the line below is the seed's.
    """
    app = Flask(__name__)
    socketio = SocketIO(app, **options)

    @app.route('/auctions')
    def auctions() -> str:
        return render_template('auctions.html')

    if trusting:
        # A lesson in trust: whatever one client sends, all the others get, unread.
        # The auction itself never does this; see events.py for how it is done.
        @socketio.on('replace old value')
        def replace_old_value(message: Any) -> None:
            emit('replaced values', message, broadcast=True)

    return app, socketio
