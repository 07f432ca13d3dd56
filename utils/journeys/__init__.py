"""Messages and calls in, journeys out: what happened, step by step, in the order of cause.

The law of this folder: calls and packets are joined by stream offset and by
the object handed on, never by nearness in time.
"""
