"""Which functions are recorded whole: data only.

The rule kept here: a snapshot is taken as far as it goes where it is evidence:
of those that write and read, and of those that hand their values over.
"""

from __future__ import annotations

from utils.provenance.readers import READERS
from utils.provenance.writers import WRITERS

#: Who hands over the values that the bytes are made of, or gets those that they make.
CARRIERS = (
    ("engineio/packet.py", "Packet.__init__"),
    ("engineio/client.py", "Client.send"),
    ("engineio/server.py", "Server.send"),
    ("flask_socketio/__init__.py", "SocketIO._handle_event"),
    ("flask_socketio/__init__.py", "SocketIO.call"),
    ("flask_socketio/__init__.py", "SocketIO.emit"),
    ("flask_socketio/__init__.py", "SocketIO.send"),
    ("flask_socketio/__init__.py", "call"),
    ("flask_socketio/__init__.py", "emit"),
    ("flask_socketio/__init__.py", "send"),
    ("flask/templating.py", "_render"),
    ("flask/templating.py", "render_template"),
    ("engineio/base_server.py", "BaseServer._bad_request"),
    ("engineio/base_server.py", "BaseServer._ok"),
    ("socketio/manager.py", "Manager.trigger_callback"),
    ("socketio/client.py", "Client._handle_ack"),
    ("socketio/client.py", "Client._handle_connect"),
    ("socketio/client.py", "Client._handle_event"),
    ("socketio/client.py", "Client._trigger_event"),
    ("socketio/client.py", "Client.call"),
    ("socketio/client.py", "Client.connect"),
    ("socketio/client.py", "Client.emit"),
    ("socketio/client.py", "Client.send"),
    ("socketio/manager.py", "Manager.emit"),
    ("socketio/packet.py", "Packet.__init__"),
    ("socketio/packet.py", "Packet.reconstruct_binary"),
    ("socketio/pubsub_manager.py", "PubSubManager._handle_emit"),
    ("socketio/pubsub_manager.py", "PubSubManager.emit"),
    ("socketio/redis_manager.py", "RedisManager._publish"),
    ("socketio/server.py", "Server._handle_ack"),
    ("socketio/server.py", "Server._handle_connect"),
    ("socketio/server.py", "Server._handle_event"),
    ("socketio/server.py", "Server._handle_event_internal"),
    ("socketio/server.py", "Server._trigger_event"),
    ("socketio/server.py", "Server.call"),
    ("socketio/server.py", "Server.emit"),
    ("socketio/server.py", "Server.send"),
    ("socketio/simple_client.py", "SimpleClient.call"),
    ("socketio/simple_client.py", "SimpleClient.emit"),
    ("socketio/simple_client.py", "SimpleClient.receive"),
)

#: The functions whose snapshots are taken whole.
RECORDED_WHOLE = frozenset(
    {(codec.path, codec.name) for codec in (*WRITERS, *READERS) if codec.shows} | set(CARRIERS)
)
