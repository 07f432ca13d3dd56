"""The application behind a recording: what it registered, and what it did.

The rule kept here: an application is told by the calls that cross its border,
a library's into its functions and its own into a library; it is never imported,
and its sources are asked for nothing but where a function stands.
"""
