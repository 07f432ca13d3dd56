"""Functions for the tracer's tests: each does one thing that a tracer must get right."""

from __future__ import annotations

import asyncio
import queue
import threading


def outer(value):
    doubled = inner(value)
    return doubled + 1


def inner(value):
    return value * 2


def countdown(number):
    if number == 0:
        return 0
    return countdown(number - 1)


def catches():
    try:
        fails()
    except LookupError:
        return "caught"


def fails():
    raise KeyError("not here")


def falls_through():
    fails()


def numbers(most):
    for number in range(most):
        yield inner(number)


def consumes(most):
    total = 0
    for number in numbers(most):
        total += outer(number)
    return total


def abandons():
    generator = numbers(3)
    next(generator)
    generator.close()


def feeds():
    generator = numbers(5)
    return asks(generator), asks(generator)


def asks(generator):
    return next(generator)


def never_begins():
    numbers(3)


def lines():
    return [inner(number) for number in (1, 2)]


async def waits():
    await asyncio.sleep(0)
    return inner(4)


def runs_a_coroutine():
    return asyncio.run(waits())


def keyword_only(first, *rest, option=None, **named):
    return first


def takes(value):
    return value


class Worker:
    """Gives work to a thread of its own and takes the answer, through two queues."""

    def __init__(self):
        self.questions = queue.Queue()
        self.answers = queue.Queue()
        self.thread = threading.Thread(target=self.work, name="worker", daemon=True)

    def work(self):
        while (question := self.questions.get()) is not None:
            self.answers.put(outer(question))

    def ask(self, question):
        self.questions.put(question)
        return self.answers.get(timeout=30)

    def close(self):
        self.questions.put(None)
        self.thread.join(30)


class Override(threading.Thread):
    """A thread that overrides ``run``."""

    def run(self):
        self.answer = outer(5)


def blocks(entered, leave):
    """Stays inside until it may leave."""
    entered.set()
    assert leave.acquire(timeout=30)
    return inner(1)
