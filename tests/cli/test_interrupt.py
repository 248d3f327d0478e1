"""SIGTERM ends a command as Ctrl-C does: in order, within an event loop too."""

import asyncio
import os
import signal

import pytest

from evalkit.cli.app import interrupt


@pytest.fixture(autouse=True)
def on_sigterm():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_within_a_loop_the_main_task_is_cancelled_in_order():
    ended = []

    async def waits():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(asyncio.Event().wait(), timeout=10)
        except BaseException as stop:
            ended.append(type(stop))
            raise

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(waits())
    assert ended == [asyncio.CancelledError]


@pytest.mark.parametrize("on_ctrl_c", [signal.default_int_handler, signal.SIG_IGN, signal.SIG_DFL])
def test_outside_a_loop_it_is_an_interrupt_even_where_ctrl_c_is_ignored(on_ctrl_c):
    signal.signal(signal.SIGINT, on_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
