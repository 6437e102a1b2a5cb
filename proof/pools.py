"""Connection pools of libraries: callers that each want a connection for a while.

A row is a library's name here, the package whose version is told, and what makes a pool with the settings of a case: it
gives a function that holds a connection for so long, and an exception where there is none. Pools of databases hold
connections to nothing; those of HTTP libraries ask a server that takes as long.
"""

import asyncio
import importlib.metadata as packages
import threading
import time


class Connection:
    """As much of a connection of a database as pools look at."""

    closed = False
    broken = False
    autocommit = False

    class pgconn:
        transaction_status = 0

    info = pgconn

    @classmethod
    def connect(cls, *_, **__):
        return cls()

    def close(self):
        self.closed = True

    def rollback(self):
        pass

    commit = rollback


def sqlalchemy(_, s, hold_s):
    from sqlalchemy.pool import QueuePool

    pool = QueuePool(Connection.connect, **s)

    def hold():
        connection = pool.connect()
        time.sleep(hold_s)
        connection.close()

    return hold


def psycopg(_, s, hold_s):
    from psycopg_pool import ConnectionPool

    pool = ConnectionPool(connection_class=Connection, open=True, **s)
    pool.wait()

    def hold():
        connection = pool.getconn()
        time.sleep(hold_s)
        pool.putconn(connection)

    hold.close = lambda: pool.close(timeout=1)
    return hold


def urllib3(url, s, hold_s):
    import urllib3

    host = url.split("/")[2]
    pool = urllib3.HTTPConnectionPool(host, retries=False, **s)
    return lambda: pool.request("GET", "/")


def httpx(url, s, hold_s):
    import httpx

    s = dict(s)
    timeout = httpx.Timeout(30.0, pool=s.pop("timeout", 5.0))
    client = httpx.Client(limits=httpx.Limits(**s), timeout=timeout, trust_env=False)
    return lambda: client.get(url)


def threads(make):
    """Callers of a pool of threads: how each of them fared."""

    def fare(url, settings, moments_s, hold_s):
        hold = make(url, settings, hold_s)
        ends, begun = [None] * len(moments_s), time.monotonic() + 0.1

        def caller(number):
            time.sleep(max(0, begun + moments_s[number] - time.monotonic()))
            asked, well = time.monotonic(), True
            try:
                hold()
            except Exception:
                well = False
            ends[number] = {"well": well, "took_s": time.monotonic() - asked}

        all_callers = [threading.Thread(target=caller, args=(n,)) for n in range(len(moments_s))]
        for one in all_callers:
            one.start()
        for one in all_callers:
            one.join()
        getattr(hold, "close", lambda: None)()
        return ends

    return fare


def aiohttp(url, settings, moments_s, hold_s):
    import aiohttp

    async def run():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(**settings)) as session:

            async def caller(at_s):
                await asyncio.sleep(at_s)
                asked = time.monotonic()
                async with session.get(url) as answer:
                    await answer.read()
                return {"well": True, "took_s": time.monotonic() - asked}

            return await asyncio.gather(*map(caller, moments_s))

    return asyncio.run(run())


POOLS = {
    "sqlalchemy": ("SQLAlchemy", threads(sqlalchemy)),
    "psycopg-pool": ("psycopg-pool", threads(psycopg)),
    "urllib3": ("urllib3", threads(urllib3)),
    "httpx": ("httpx", threads(httpx)),
    "aiohttp": ("aiohttp", aiohttp),
}


def version(name):
    """The library's version; none where it is not installed."""
    try:
        return packages.version(POOLS[name][0])
    except packages.PackageNotFoundError:
        return None
