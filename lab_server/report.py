"""The report's four lines alone, served: ``python -m lab_server.report``.

The rule kept here: nothing is needed but Flask and Flask-SocketIO, in the
versions of the report's day as in today's; so one application can be watched
on both.
"""

from __future__ import annotations

from lab_server.seed import create_app


def main() -> None:
    """Serve on a free port of 127.0.0.1 until interrupted."""
    app, socketio = create_app(trusting=True, async_mode="threading")
    # Werkzeug's server is for development; here it is what is looked at.
    socketio.run(app, host="127.0.0.1", port=0, allow_unsafe_werkzeug=True)


if __name__ == "__main__":
    main()
