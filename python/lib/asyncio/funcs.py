"""Waiting for several things, and not for ever."""

from . import core


async def wait_for(awaitable, timeout, sleep=core.sleep):
    """The result of `awaitable`; after `timeout` seconds (None = never) it is cancelled: TimeoutError."""
    task = core.ensure_task(awaitable)
    if timeout is None:
        return await task
    over = []

    async def limit():
        await sleep(timeout)
        if not task.done():
            over.append(True)
            task.cancel()

    timer = core.create_task(limit())
    try:
        result = await task
    except core.CancelledError:
        if over:
            raise core.TimeoutError()
        raise
    finally:
        timer.cancel()
        if not task.done():
            task.cancel()
    return result


def wait_for_ms(awaitable, timeout):
    """As wait_for, in milliseconds."""
    return wait_for(awaitable, timeout, core.sleep_ms)


async def gather(*awaitables, return_exceptions=False):
    """Run all of them; the list of their results. The first error ends it at once (the others run on), unless
    return_exceptions puts errors in the list. Cancelling it cancels them all."""
    tasks = [core.ensure_task(a) for a in awaitables]
    running = [t for t in tasks if not t.done()]
    while True:
        if not return_exceptions:
            for task in tasks:
                if task.done():
                    task.result()
        if not running:
            break
        await core.AnyOf(running)
        running = [t for t in running if not t.done()]
    return [_result(task) for task in tasks]


def _result(task):
    try:
        return task.result()
    except Exception as error:
        return error
