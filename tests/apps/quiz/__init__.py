"""A quiz with blueprints and an application factory, as Flask's own tutorial teaches them.

python -m tests.apps.quiz, or anything that takes "tests.apps.quiz:create_app()"
"""

from flask import Flask
from flask_socketio import SocketIO

socketio = SocketIO()


def create_app(questions=None):
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY="quiz's own key", QUESTIONS=questions or ["2 + 2", "7 * 6"])

    from . import events, pages

    app.register_blueprint(pages.bp)
    app.register_blueprint(pages.api, url_prefix="/api")
    events.register(socketio)
    socketio.init_app(app)
    return app
