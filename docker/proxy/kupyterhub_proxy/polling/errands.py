"""Carries one request to an agent that fetches it, and its answer back. Both bodies stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from kupyterhub_tunnel.errors import ConnectionLost, ProtocolError, TunnelError
from kupyterhub_tunnel.wire import RequestWriter, read_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from kupyterhub_proxy.polling.request import PolledRequest

USER_ID = "X-Inverting-Proxy-User-ID"
START_TIME = "X-Inverting-Proxy-Request-Start-Time"


async def give(request: web.BaseRequest, polled: PolledRequest, host: str) -> web.StreamResponse:
    """Answer the agent with the browser's request, as it arrives."""
    writer = RequestWriter()
    response = web.StreamResponse(
        headers={
            USER_ID: polled.asked.user,
            START_TIME: _rfc3339(polled.started),
            "Content-Type": "application/http",
            "Cache-Control": "no-store",
        }
    )
    try:
        opening = writer.head(polled.asked, host)
        await response.prepare(request)
        await response.write(opening)
        if polled.asked.has_body:
            async for chunk in polled.upload.chunks():
                await response.write(writer.data(chunk))
        if rest := writer.end():
            await response.write(rest)
        await response.write_eof()
    except TunnelError as error:
        # Nobody waits for it any more, or it is no HTTP/1.1. A proper end would make half an upload look whole.
        polled.fail(error)
        _hang_up(request)
    except BaseException:
        polled.stop_upload(ConnectionLost("its agent broke off fetching the request"))
        raise
    return response


async def take(request: web.BaseRequest, polled: PolledRequest) -> web.StreamResponse:
    """Take the answer that an agent posts, as it arrives."""
    try:
        head, body = await read_answer(_pieces(request), polled.asked.method)
        polled.begin_answer(head)
        async for chunk in body:
            await polled.download.write(chunk)
        polled.download.end()
    except ProtocolError as error:
        polled.fail(error)
        return web.Response(status=400, text=f"{error}\n")
    except TunnelError:
        return await _no_longer_wanted(request)
    except BaseException:
        polled.fail(ConnectionLost("its agent went away in the middle of the answer"))
        raise
    return web.Response()


async def _pieces(request: web.BaseRequest) -> AsyncIterator[bytes]:
    try:
        async for piece in request.content.iter_any():
            yield piece
    except (aiohttp.ClientError, web.RequestPayloadError, OSError) as error:
        raise ConnectionLost("its agent went away in the middle of the answer") from error


async def _no_longer_wanted(request: web.BaseRequest) -> web.StreamResponse:
    # The rest of the answer is not taken: the agent notices, and stops the notebook.
    response = web.Response(status=410, text="nobody waits for this answer any more\n")
    response.force_close()
    await response.prepare(request)
    await response.write_eof()
    _hang_up(request)
    return response


def _hang_up(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.close()


def _rfc3339(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z"
