"""The echo server under VizTracer, with the arguments of every Python function: what we are measured beside."""

from __future__ import annotations

from viztracer import VizTracer

from tests.apps import echo_server

if __name__ == "__main__":
    # As cheap as it can be with arguments: C functions are left out, and the oldest entries give way.
    tracer = VizTracer(log_func_args=True, ignore_c_function=True, tracer_entries=200_000, verbose=0)
    tracer.start()
    echo_server.main()
