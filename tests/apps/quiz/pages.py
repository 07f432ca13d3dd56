"""The quiz's pages and its little API."""

from flask import Blueprint, current_app, jsonify, request, session

bp = Blueprint("pages", __name__)
api = Blueprint("api", __name__)


@bp.route("/")
def index():
    session["visits"] = session.get("visits", 0) + 1
    return f"Visit {session['visits']}"


@api.get("/questions")
def questions():
    return jsonify(current_app.config["QUESTIONS"])


@api.post("/questions")
def add_question():
    current_app.config["QUESTIONS"].append(request.get_json()["question"])
    return jsonify(len(current_app.config["QUESTIONS"])), 201


@api.get("/questions/<int:number>")
def question(number):
    return jsonify(current_app.config["QUESTIONS"][number])
