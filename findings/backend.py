"""The back end of these findings: small HTTP/1.1 servers on 127.0.0.1.

    backend.py [--header=NAME:VALUE] NAME:PORT[:DELAY[:STATUS]] ...

Each answers every request with its own name after DELAY seconds, keeps
connections open, and prints one line when a request has arrived whole:
seconds, server's name, method, path.
"""

import asyncio
import sys
import time


async def serve(name, port, delay, status, extra):
    async def on_connect(reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
                lines = head.split("\r\n")
                for line in lines[1:]:
                    key, _, value = line.partition(":")
                    if key.lower() == "content-length":
                        await reader.readexactly(int(value))
                method, path, _ = lines[0].split(" ")
                print(f"{time.time():.3f} {name} {method} {path}", flush=True)
                if delay:
                    await asyncio.sleep(delay)
                writer.write(
                    f"HTTP/1.1 {status} Any\r\nContent-Length: {len(name)}\r\n"
                    f"Cache-Control: max-age=60\r\n{extra}\r\n{name}".encode()
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(on_connect, "127.0.0.1", port, backlog=512)


async def main(arguments):
    extra, servers = "", []
    for argument in arguments:
        if argument.startswith("--header="):
            extra += argument.removeprefix("--header=") + "\r\n"
            continue
        name, port, delay, status = [*argument.split(":"), None, None][:4]
        servers.append((name, int(port), float(delay or 0), status or "200"))
    running = [await serve(*server, extra) for server in servers]
    await asyncio.gather(*(one.serve_forever() for one in running))


try:
    asyncio.run(main(sys.argv[1:]))
except KeyboardInterrupt:
    pass
