"""Requests to a proxy, as a case wants them: one after the other, so far apart whatever becomes of them, or at random."""

import asyncio
import random
import time


async def ask(port, number, method, path="/", fields=(), host="web", sender=None):
    """One request on a connection of its own, from the address of a sender; the status, and how long the answer took in seconds."""
    began = time.monotonic()
    status = 0
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=sender and (sender, 0))
        body = b"x" if method == "POST" else b""
        head = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"X-Number: {number}", "Connection: close", *fields]
        if body:
            head.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        line = await asyncio.wait_for(reader.readline(), 90)
        status = int(line.split()[1]) if line else 0
        took = time.monotonic() - began
        writer.close()
    except (ConnectionError, asyncio.TimeoutError, IndexError):
        took = time.monotonic() - began
    return {"number": number, "began": began, "status": status, "took_s": took}


async def send(port, requests, first):
    """All requests of a case, numbered from `first`; answers in order of arrival."""
    n, gap_s = requests["n"], requests.get("gap_s", 0.0)
    method = requests.get("method", "GET")
    keys = requests.get("keys")

    def one(i):
        path = f"/?a={keys[i % len(keys)]}" if keys else "/"
        return ask(port, first + i, method, path)

    if requests.get("serial", True):
        answers = []
        for i in range(n):
            if i and gap_s:
                await asyncio.sleep(gap_s)
            answers.append(await one(i))
        return answers
    tasks, start = [], time.monotonic()
    for i in range(n):
        await asyncio.sleep(max(0.0, start + i * gap_s - time.monotonic()))
        tasks.append(asyncio.create_task(one(i)))
    return await asyncio.gather(*tasks)


async def at_random(port, rate, seconds, seed, path="/", host="web", senders=None):
    """Requests at the moments of a Poisson process, each with a key of its own, and an address from `senders`; their answers."""
    draw, tasks = random.Random(seed), []
    start = at = time.monotonic()
    while (at := at + draw.expovariate(rate)) < start + seconds:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        number = len(tasks)
        sender = senders and next(senders)
        tasks.append(asyncio.create_task(ask(port, number, "GET", f"{path}?a={number}", host=host, sender=sender)))
    return await asyncio.gather(*tasks)
