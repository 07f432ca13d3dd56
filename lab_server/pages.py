"""What the server says over plain HTTP: the page's parts, its health, the lots as JSON."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, Response, jsonify, redirect, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_socketio import SocketIO
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from lab_server.answers import refusal
from lab_server.house import House
from lab_server.lessons import Lesson
from lab_server.rules import Refused
from lab_server.settings import Settings

#: The real Socket.IO client, as ``npm ci`` puts it here.
CLIENT = Path(__file__).parent / "node_modules" / "socket.io-client" / "dist" / "socket.io.min.js"

#: Scripts, styles and connections of this origin only; pictures also from what a script holds.
#: A notebook on this machine may show the page in a frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self' http://127.0.0.1:* http://localhost:*"
)


def register(app: Flask, socketio: SocketIO, house: House, settings: Settings) -> None:
    """Bring the pages to ``app``."""
    pages = Blueprint("pages", __name__)

    @app.context_processor
    def what_the_page_needs() -> dict[str, bool]:
        return {"client_installed": CLIENT.exists(), "trusting": Lesson.SEED in settings.lessons}

    @pages.get("/")
    def home() -> ResponseReturnValue:
        return redirect(url_for("auctions"))

    @pages.get("/healthz")
    def health() -> ResponseReturnValue:
        # "instance" is another for every start: it shows which server answers on a port.
        state = {"instance": settings.instance, "clients": len(socketio.server.eio.sockets)}
        try:
            lots = len(house.lots())
        except SQLAlchemyError:
            return {"status": "database unavailable", **state}, 503
        return {"status": "ok", "lots": lots, **state}

    @pages.get("/lots")
    def lots() -> Response:
        return jsonify(now=house.now(), lots=[lot.as_json() for lot in house.lots()])

    @pages.get("/lots/<int(max=2147483647):lot_id>")
    def lot(lot_id: int) -> Response:
        view, bids = house.lot(lot_id)
        return jsonify(now=house.now(), lot=view.as_json(), bids=[bid.as_json() for bid in bids])

    @pages.get("/socket.io.min.js")
    def client() -> ResponseReturnValue:
        if not CLIENT.exists():
            return Response(
                "// Not installed: run `npm ci` in lab_server.\n", 404, mimetype="text/javascript"
            )
        return send_file(CLIENT, mimetype="text/javascript", max_age=0)

    @pages.app_errorhandler(Refused)
    def refused(error: Refused) -> ResponseReturnValue:
        return refusal(error), 404

    @pages.app_errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        return refusal(Refused(error.name.lower().replace(" ", "_"), error.name)), error.code or 500

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-cache"
        return response

    app.register_blueprint(pages)
