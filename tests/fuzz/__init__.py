"""Fuzzing of everything that parses: a short run in the tests, a guided one with ``python -m tests.fuzz``."""
