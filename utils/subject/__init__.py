"""The application under study while it runs: named, started, talked to, and recorded.

The rule kept here: the subject is not touched.  It runs from outside and
unchanged, in a process of its own; what is known of it is what its sockets, its
calls and its packets tell.  From a recording on, nothing here is needed.

    application  what to run, and with which Python, as somebody names it
    server       it, running
    clients      those of python-socketio, leaving in order
    byhand       a client whose every byte is its owner's
    scenario     what is to be played, from somebody's file
    session      one recorded run: server, clients, capture and tracers
    watching     its packets, decoded as they come
"""
