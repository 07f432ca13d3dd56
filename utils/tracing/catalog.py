"""What the stack consists of, and how closely each part is followed: data only.

The rule kept here: a function that does the work of a journey is followed
closely; what merely serves it (a question, a counter, a container) plainly;
what tells nothing is not recorded.  These lists were made by reading recorded
journeys; the names need not exist in every version, and what is in no list
follows its file, its folder, its package.
"""

from __future__ import annotations

from enum import IntEnum

from utils.provenance.carriers import RECORDED_WHOLE


class Depth(IntEnum):
    """How closely a function is followed."""

    NEVER = 0
    PLAIN = 1  # times, lines and exceptions
    CLOSE = 2  # and its arguments and result
    WHOLE = 3  # and these as far as they go: they prove who made a byte, and who read it


NEVER, PLAIN, CLOSE, WHOLE = Depth

#: The stack: top-level package (or module) → how closely its functions are followed.
STACK = {
    "engineio": CLOSE,
    "flask": CLOSE,
    "flask_socketio": CLOSE,
    "gevent": NEVER,
    "h11": PLAIN,
    "redis": PLAIN,
    "requests": PLAIN,
    "simple_websocket": CLOSE,
    "socketio": CLOSE,
    "urllib3": PLAIN,
    "websocket": CLOSE,
    "werkzeug": CLOSE,
    "wsproto": CLOSE,
}

#: The parts of CPython's standard library that the stack stands on.
STANDARD_LIBRARY = {
    "http/client.py": CLOSE,
    "http/server.py": CLOSE,
    "queue.py": NEVER,
    "socket.py": CLOSE,
    "socketserver.py": CLOSE,
    "threading.py": NEVER,
}

#: Files (or folders, with a slash at the end) whose functions are followed otherwise.
FILES = {
    "engineio/async_drivers/_websocket_wsgi.py": CLOSE,
    "engineio/json.py": PLAIN,
    "flask/cli.py": PLAIN,
    "flask/config.py": PLAIN,
    "flask/globals.py": PLAIN,
    "flask/helpers.py": PLAIN,
    "flask/json/": PLAIN,
    "flask/logging.py": NEVER,
    "flask/sessions.py": PLAIN,
    "flask/signals.py": NEVER,
    "gevent/baseserver.py": CLOSE,
    "gevent/pywsgi.py": CLOSE,
    "gevent/server.py": CLOSE,
    "h11/_abnf.py": NEVER,
    "h11/_events.py": NEVER,
    "h11/_headers.py": NEVER,
    "h11/_receivebuffer.py": NEVER,
    "h11/_state.py": NEVER,
    "h11/_util.py": NEVER,
    "redis/auth/": NEVER,
    "redis/backoff.py": NEVER,
    "redis/cache.py": NEVER,
    "redis/credentials.py": NEVER,
    "redis/event.py": NEVER,
    "redis/observability/": NEVER,
    "redis/retry.py": NEVER,
    "redis/utils.py": NEVER,
    "requests/cookies.py": NEVER,
    "requests/structures.py": NEVER,
    "requests/utils.py": NEVER,
    "urllib3/_collections.py": NEVER,
    "urllib3/util/": NEVER,
    "websocket/_abnf.py": CLOSE,
    "websocket/_cookiejar.py": NEVER,
    "websocket/_logging.py": NEVER,
    "websocket/_url.py": PLAIN,
    "websocket/_utils.py": NEVER,
    "werkzeug/_internal.py": PLAIN,
    "werkzeug/_reloader.py": NEVER,
    "werkzeug/datastructures/": PLAIN,
    "werkzeug/http.py": PLAIN,
    "werkzeug/local.py": NEVER,
    "werkzeug/sansio/": PLAIN,
    "werkzeug/urls.py": PLAIN,
    "werkzeug/user_agent.py": NEVER,
    "werkzeug/utils.py": PLAIN,
    "werkzeug/wrappers/": PLAIN,
    "werkzeug/wsgi.py": PLAIN,
}

#: Single functions, or classes with all that is in them: (file, qualified name).
FUNCTIONS = {
    # How work is handed on; see handoffs.
    ("queue.py", "Queue.get"): CLOSE,
    ("queue.py", "Queue.put"): CLOSE,
    ("threading.py", "Event.set"): CLOSE,
    ("threading.py", "Event.wait"): CLOSE,
    ("threading.py", "Thread.run"): CLOSE,
    ("threading.py", "Thread.start"): CLOSE,
    ("gevent/event.py", "Event.set"): CLOSE,
    ("gevent/event.py", "Event.wait"): CLOSE,
    ("gevent/greenlet.py", "Greenlet.run"): CLOSE,
    ("gevent/greenlet.py", "Greenlet.start"): CLOSE,
    ("gevent/queue.py", "SimpleQueue.get"): CLOSE,
    ("gevent/queue.py", "SimpleQueue.put"): CLOSE,
    # The socket boundary tells of these, with their flow.
    ("socket.py", "socket"): NEVER,
    ("socket.py", "_intenum_converter"): NEVER,
    # How often a file asks its socket for more is chance; what came is told by the boundary.
    ("socket.py", "SocketIO.readinto"): PLAIN,
    ("socket.py", "getaddrinfo"): PLAIN,
    ("socket.py", "getfqdn"): PLAIN,
    # Whether a pool has a connection left that was closed, or none, is chance.
    ("http/client.py", "HTTPConnection.__init__"): PLAIN,
    ("http/client.py", "HTTPConnection._get_hostport"): PLAIN,
    ("http/client.py", "HTTPConnection._validate_host"): PLAIN,
    ("http/client.py", "HTTPConnection.close"): PLAIN,
    # How a server tells the others, and hears of them.
    ("redis/client.py", "PubSub.handle_message"): CLOSE,
    ("redis/client.py", "PubSub.parse_response"): CLOSE,
    ("redis/client.py", "Redis.execute_command"): CLOSE,
    ("redis/commands/core.py", "PubSubCommands.publish"): CLOSE,
    ("redis/connection.py", "AbstractConnection.read_response"): CLOSE,
    ("redis/connection.py", "AbstractConnection.send_packed_command"): CLOSE,
    ("redis/connection.py", "PythonRespSerializer.pack"): CLOSE,
    # How a client asks, and what it gets.
    ("requests/adapters.py", "HTTPAdapter.send"): CLOSE,
    ("requests/sessions.py", "Session.get"): CLOSE,
    ("requests/sessions.py", "Session.request"): CLOSE,
    ("requests/sessions.py", "Session.send"): CLOSE,
    ("urllib3/connection.py", "HTTPConnection.request"): CLOSE,
    ("urllib3/connectionpool.py", "HTTPConnectionPool.urlopen"): CLOSE,
    # The handshake's text is h11's.
    ("h11/_connection.py", "Connection.next_event"): CLOSE,
    ("h11/_connection.py", "Connection.receive_data"): CLOSE,
    ("h11/_connection.py", "Connection.send"): CLOSE,
    # What a process does once, when it first serves somebody.
    ("engineio/server.py", "Server._service_task"): PLAIN,
    ("engineio/base_server.py", "BaseServer._log_error_once"): PLAIN,
    ("socketio/base_manager.py", "BaseManager.initialize"): PLAIN,
    # Questions, counters and containers on the way of every message.
    ("engineio/base_server.py", "BaseServer.create_event"): PLAIN,
    ("engineio/base_server.py", "BaseServer.create_queue"): PLAIN,
    ("http/client.py", "HTTPConnection._encode_request"): PLAIN,
    ("http/client.py", "HTTPConnection._output"): PLAIN,
    ("http/client.py", "HTTPConnection._validate_method"): PLAIN,
    ("http/client.py", "HTTPConnection._validate_path"): PLAIN,
    ("http/client.py", "HTTPResponse._check_close"): PLAIN,
    ("http/client.py", "HTTPResponse._close_conn"): PLAIN,
    ("http/client.py", "HTTPResponse.flush"): PLAIN,
    ("http/client.py", "HTTPResponse.isclosed"): PLAIN,
    ("http/server.py", "BaseHTTPRequestHandler.version_string"): PLAIN,
    ("socketserver.py", "_Threads"): PLAIN,
    ("flask/app.py", "Flask.create_jinja_environment"): PLAIN,
    ("flask/sansio/app.py", "App._check_setup_finished"): PLAIN,
    ("flask/sansio/app.py", "App.create_global_jinja_loader"): PLAIN,
    ("flask/sansio/app.py", "App.debug"): PLAIN,
    ("flask/sansio/app.py", "App.jinja_env"): PLAIN,
    ("flask/templating.py", "DispatchingJinjaLoader.__init__"): PLAIN,
    ("flask/templating.py", "Environment.__init__"): PLAIN,
    ("werkzeug/routing/map.py", "Map.merge_slashes"): PLAIN,
    ("werkzeug/routing/rules.py", "Rule._compile_builder.<locals>._join"): PLAIN,
    ("werkzeug/routing/rules.py", "Rule._compile_builder.<locals>._parts"): PLAIN,
    ("werkzeug/routing/rules.py", "Rule._get_func_code"): PLAIN,
    ("werkzeug/routing/rules.py", "_prefix_names"): PLAIN,
    ("werkzeug/serving.py", "BaseWSGIServer.log_startup"): PLAIN,
    ("werkzeug/serving.py", "WSGIRequestHandler.port_integer"): PLAIN,
    ("werkzeug/serving.py", "WSGIRequestHandler.server_version"): PLAIN,
    ("werkzeug/serving.py", "_ansi_style"): PLAIN,
    ("werkzeug/serving.py", "get_sockaddr"): PLAIN,
    ("werkzeug/serving.py", "is_running_from_reloader"): PLAIN,
    ("werkzeug/serving.py", "select_address_family"): PLAIN,
    ("engineio/async_drivers/threading.py", "DaemonThread"): PLAIN,
    ("engineio/base_server.py", "BaseServer._get_socket"): PLAIN,
    ("engineio/base_server.py", "BaseServer.get_queue_empty_exception"): PLAIN,
    ("engineio/socket.py", "Socket.check_ping_timeout"): PLAIN,
    ("flask/app.py", "Flask.app_context"): PLAIN,
    ("flask/app.py", "Flask.create_url_adapter"): PLAIN,
    ("flask/app.py", "Flask.do_teardown_appcontext"): PLAIN,
    ("flask/app.py", "Flask.do_teardown_request"): PLAIN,
    ("flask/ctx.py", "AppContext"): PLAIN,
    ("flask/ctx.py", "RequestContext.__enter__"): PLAIN,
    ("flask/ctx.py", "RequestContext.__exit__"): PLAIN,
    ("flask/wrappers.py", "Request"): PLAIN,
    ("socketio/base_client.py", "BaseClient._get_event_handler"): PLAIN,
    ("socketio/base_manager.py", "BaseManager.eio_sid_from_sid"): PLAIN,
    ("socketio/base_manager.py", "BaseManager.is_connected"): PLAIN,
    ("socketio/base_manager.py", "BaseManager.sid_from_eio_sid"): PLAIN,
    ("socketio/base_server.py", "BaseServer._get_event_handler"): PLAIN,
    ("socketio/base_server.py", "BaseServer.get_environ"): PLAIN,
    ("socketio/packet.py", "Packet.data_is_binary"): PLAIN,
    ("websocket/_abnf.py", "ABNF.__init__"): PLAIN,
    ("websocket/_abnf.py", "ABNF.validate"): PLAIN,
    ("websocket/_abnf.py", "continuous_frame"): PLAIN,
    ("websocket/_abnf.py", "frame_buffer"): PLAIN,
    ("websocket/_abnf.py", "frame_buffer.recv_frame"): CLOSE,
    ("websocket/_abnf.py", "frame_buffer.recv_header"): CLOSE,
    ("websocket/_core.py", "WebSocket._recv"): PLAIN,
    ("websocket/_core.py", "WebSocket._send"): PLAIN,
    ("websocket/_core.py", "WebSocket.recv_frame"): PLAIN,
    ("websocket/_socket.py", "recv"): PLAIN,
    ("websocket/_socket.py", "send"): PLAIN,
    ("werkzeug/exceptions.py", "BadRequestKeyError"): PLAIN,
    ("werkzeug/exceptions.py", "HTTPException"): PLAIN,
    ("werkzeug/routing/exceptions.py", "NoMatch"): PLAIN,
    ("werkzeug/routing/map.py", "Map.bind"): PLAIN,
    ("werkzeug/routing/map.py", "Map.bind_to_environ"): PLAIN,
    ("werkzeug/routing/map.py", "Map.update"): PLAIN,
    ("werkzeug/routing/map.py", "MapAdapter.__init__"): PLAIN,
    ("werkzeug/routing/matcher.py", "StateMachineMatcher.match.<locals>._match"): PLAIN,
    # The routes are put in order once, when the first request of a process comes.
    ("werkzeug/routing/matcher.py", "StateMachineMatcher.update"): PLAIN,
    ("werkzeug/routing/rules.py", "Rule.build_compare_key"): PLAIN,
    ("wsproto/connection.py", "Connection.state"): PLAIN,
    ("wsproto/frame_protocol.py", "Buffer"): PLAIN,
    ("wsproto/frame_protocol.py", "FrameDecoder.extension_processing"): PLAIN,
    ("wsproto/frame_protocol.py", "FrameDecoder.receive_bytes"): PLAIN,
    ("wsproto/frame_protocol.py", "FrameProtocol._make_fin_rsv_opcode"): PLAIN,
    ("wsproto/frame_protocol.py", "Opcode"): PLAIN,
    ("wsproto/frame_protocol.py", "XorMaskerSimple.__init__"): PLAIN,
    ("wsproto/handshake.py", "H11Handshake.events"): PLAIN,
    # What proves who made a byte, and who read it.
    **dict.fromkeys(sorted(RECORDED_WHOLE), WHOLE),
}

#: Names whose functions only serve others, wherever they stand.
SERVANTS = frozenset(
    {
        "__bool__",
        "__contains__",
        "__del__",
        "__delitem__",
        "__eq__",
        "__get__",
        "__getattr__",
        "__getattribute__",
        "__getitem__",
        "__hash__",
        "__len__",
        "__repr__",
        "__setattr__",
        "__setitem__",
        "__str__",
        "_log",
        "address_string",
        "date_time_string",
        "fileno",
        "is_asyncio_based",
        "log",
        "log_date_time_string",
        "log_error",
        "log_message",
        "log_request",
        "readable",
        "service_actions",
        "writable",
    }
)
