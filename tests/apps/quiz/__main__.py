"""Serves the quiz."""

from tests.apps.quiz import create_app, socketio

if __name__ == "__main__":
    socketio.run(create_app(), port=0, debug=True)
