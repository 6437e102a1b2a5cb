"""Servers that do as a case says, and remember who came when.

Each listens on a port of its own on loopback and speaks HTTP/1.1. A request carries its number in a header,
so that what a proxy did with it can be told afterwards.
"""

import asyncio
import time


class Backend:
    """One server: `rules` is its table in the case."""

    def __init__(self, name, port, rules, hits, current):
        self.name, self.port, self.rules, self.hits, self.current = name, port, rules, hits, current
        self.seen = 0
        # From when on spans count in which it fails, by the clock on the wall.
        self.begun = 0.0
        # Times of service, where there are so many workers.
        self.workers, self.served = asyncio.Semaphore(rules.get("workers", 100_000)), []

    async def start(self):
        if self.rules.get("refuses"):
            # Nobody listens there.
            return None
        return await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=511)

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if not await self.answer(head.decode("latin-1"), reader, writer):
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            # The proxy has gone, or the case is over.
            pass
        finally:
            writer.close()

    async def answer(self, head, reader, writer):
        lines = head.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        length = int(fields.get("content-length", 0))
        if length:
            await reader.readexactly(length)
        number = int(fields.get("x-number", self.current()))
        if number >= 0:
            self.hits.append((number, self.name, time.monotonic()))
        self.seen += 1
        rules, came = self.rules, time.time()
        if rules.get("closes") or self.seen in rules.get("closes_at", []):
            return False
        if rules.get("hangs"):
            await asyncio.sleep(60)
            return False
        async with self.workers:
            began, service_s = time.monotonic(), rules.get("service_s", 0)
            await asyncio.sleep(service_s() if callable(service_s) else service_s)
            self.served.append(time.monotonic() - began)
        status = rules.get("status", 200)
        if any(first <= came - self.begun < last for first, last in rules.get("fails_s", [])):
            status = 503
        body = f'"{self.name}"'.encode()
        keep = "close" if fields.get("connection") == "close" else "keep-alive"
        asks = f"Retry-After: {rules['retry_after_s']}\r\n" if "retry_after_s" in rules else ""
        writer.write(
            f"HTTP/1.1 {status} Some\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{asks}Connection: {keep}\r\n\r\n".encode() + body
        )
        await writer.drain()
        return keep == "keep-alive"


class Backends:
    """All servers of a case."""

    def __init__(self, servers, first_port, service_s):
        self.hits = []
        # Which call it is, where a request cannot say so itself.
        self.number = -1
        rules = lambda server: {"service_s": service_s, **server}
        self.all = [
            Backend(server["name"], first_port + i, rules(server), self.hits, lambda: self.number)
            for i, server in enumerate(servers)
        ]

    @property
    def served(self):
        """How long requests were at work."""
        return [took for backend in self.all for took in backend.served]

    async def __aenter__(self):
        self.listening = [await backend.start() for backend in self.all]
        return self

    async def __aexit__(self, *_):
        for server in filter(None, self.listening):
            server.close()
