#!/usr/bin/env bash
# httpx: with one caller more than are kept, hardly any connection is
#
# Program   httpx 0.28.1 with httpcore 1.0.9 (PyPI), AsyncClient with
#           max_keepalive_connections=5 and max_connections=100; as it comes the
#           first is 20, and 21 callers find the same.
# Expected  At most five connections without a request are kept; those at work
#           are no matter of it. Six callers, each of which asks again as soon as
#           it has its answer, hardly ever leave two idle: six connections.
# Seen      5 callers, 300 requests of 20 to 80 ms: 5 connections. 6 callers, 360
#           requests: 277 connections. 6 callers and
#           max_keepalive_connections=6: 6.
#           httpcore closes an idle connection while
#           `len([c.is_idle() for c in connections])` is above the limit: the
#           length of a list of true and false, which is all connections.
# Matters   A client that goes from 20 to 21 requests at once pays a handshake for
#           nearly every request, just when there is most to do, and the server
#           sees as many new connections. Callers in step are spared: of those that
#           end together all but one are kept. The way out is a
#           max_keepalive_connections as large as max_connections.
. "$(dirname "$0")/common.sh"

pip_install httpx==0.28.1 httpcore==1.0.9
say "httpx 0.28.1, httpcore 1.0.9"

cat >"$work/run.py" <<'PY'
import asyncio
import random
import sys

import httpx

opened = 0


async def serve(reader, writer):
    global opened
    opened += 1
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(random.uniform(0.02, 0.08))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


async def run(callers, keep, each=60):
    global opened
    opened = 0
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=keep)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client:

        async def caller():
            for _ in range(each):
                assert (await client.get(url)).status_code == 200

        await asyncio.gather(*[caller() for _ in range(callers)])
    server.close()
    print(f"{callers} callers, keep {keep}: {callers * each} requests, {opened} connections opened")
    return opened


async def main():
    random.seed(1)
    few, one_more, enough = await run(5, 5), await run(6, 5), await run(6, 6)
    return few == 5 and one_more > 120 and enough == 6


same = asyncio.run(main())
print("SAME: connections at work count as kept" if same else "CHANGED")
sys.exit(not same)
PY
"$python" "$work/run.py"
