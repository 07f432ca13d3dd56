"""A stock ticker on gevent: patched before anything else, with a greenlet that never stops telling prices.

python -m tests.apps.ticker        (needs gevent)
"""

from gevent import monkey

monkey.patch_all()

import itertools
import threading

from flask import Flask, jsonify
from flask_socketio import SocketIO, emit, join_room

app = Flask(__name__)
app.config["SECRET_KEY"] = "ticker's own key"
socketio = SocketIO(app, async_mode="gevent")

prices = {"ACME": 100}
started = threading.Lock()
running = False
wanted = threading.Event()


@app.route("/prices")
def show_prices():
    return jsonify(prices)


@socketio.on("connect")
def connect():
    global running
    with started:
        if not running:
            running = True
            socketio.start_background_task(tell_prices)


@socketio.on("watch")
def watch(symbol):
    join_room(symbol)
    wanted.set()
    return prices[symbol]


@socketio.on("order")
def order(symbol, amount):
    prices[symbol] += amount
    emit("filled", {"symbol": symbol, "price": prices[symbol]})
    emit("price", {"symbol": symbol, "price": prices[symbol]}, to=symbol)
    return "ok"


@socketio.on("chart")
def chart(content):
    emit("chart", content[::-1], broadcast=True)


@socketio.on("disconnect")
def disconnect():
    wanted.clear()


def tell_prices():
    for number in itertools.count():
        wanted.wait()
        socketio.sleep(0.05)
        socketio.emit("tick", {"number": number, "ACME": prices["ACME"]}, to="ACME")


if __name__ == "__main__":
    socketio.run(app, port=0)
