"""gRPC as its own balancer: a channel of the real library, with servers behind it that do as a case says.

The settings of a case are those of the dialect, which are words of a service config written with capitals.
"""

import asyncio
import importlib.metadata as packages
import json
import os
import struct
import threading
import time
from concurrent import futures

os.environ.setdefault("GRPC_VERBOSITY", "NONE")


class Server:
    """One server: `rules` is its table in the case."""

    def __init__(self, port, rules, service_s, hits):
        self.port, self.rules, self.service_s, self.hits = port, rules, service_s, hits
        self.running, self.over, self.timers = None, threading.Event(), []

    def start(self, began):
        """Listens, but for the spans in which it is down."""
        down = [[0.0, 1e9]] if self.rules.get("refuses") else self.rules.get("down_s", [])
        if all(first > 0.0 for first, _ in down):
            self.listen()
        for first, last in down:
            for at, what in ((first, self.close), (last, self.listen)):
                if 0.0 < at < 1e6:
                    self.timers.append(threading.Timer(max(0.0, began + at - time.monotonic()), what))
        for timer in self.timers:
            timer.start()

    def listen(self):
        import grpc

        rules = self.rules

        def answer(request, context):
            number = int(dict(context.invocation_metadata())["x-number"])
            if number >= 0:
                self.hits.append((number, rules["name"], time.monotonic()))
            if rules.get("hangs"):
                self.over.wait(60)
            elif self.service_s:
                time.sleep(self.service_s)
            if "report" in rules:
                context.set_trailing_metadata([("endpoint-load-metrics-bin", load_report(**rules["report"]))])
            if "code" in rules:
                context.abort(grpc.StatusCode[rules["code"]], "as the case says")
            return b""

        class All(grpc.GenericRpcHandler):
            def service(self, _):
                return grpc.unary_unary_rpc_method_handler(answer)

        pool = futures.ThreadPoolExecutor(max_workers=64)
        self.running = grpc.server(pool, handlers=[All()], options=[("grpc.so_reuseport", 0)])
        self.running.add_insecure_port(f"127.0.0.1:{self.port}")
        self.running.start()

    def close(self):
        if self.running:
            self.running.stop(0)
            self.running = None

    def stop(self):
        self.over.set()
        for timer in self.timers:
            timer.cancel()
        self.close()


def load_report(utilisation, rps=0.0, eps=0.0):
    """An OrcaLoadReport: cpu_utilization, rps_fractional and eps."""
    field = lambda number, value: bytes([number << 3 | 1]) + struct.pack("<d", value)
    return field(1, utilisation) + field(6, rps) + field(7, eps)


def service_config(case):
    """The service config that a case's settings are."""
    s = {key: in_seconds(value) for key, value in case.get("settings", {}).items()}
    policy = s.get("lb_policy", "pick_first")
    camel = lambda name: "".join(word.capitalize() if i else word for i, word in enumerate(name.split("_")))
    of = {
        "pick_first": ("shuffle_address_list",),
        "weighted_round_robin": (
            "blackout_period",
            "weight_expiration_period",
            "weight_update_period",
            "error_utilization_penalty",
            "enable_oob_load_report",
        ),
    }
    child = [{policy: {camel(name): s[name] for name in of.get(policy, ()) if name in s}}]
    config = {"loadBalancingConfig": child}
    if "outlier_detection" in s:
        rules = {"childPolicy": child}
        for name in ("interval", "base_ejection_time", "max_ejection_time", "max_ejection_percent"):
            if name in s:
                rules[camel(name)] = s[name]
        each = ("enforcement_percentage", "minimum_hosts", "request_volume")
        own = lambda *names: {camel(name): s[name] for name in (*names, *each) if name in s}
        if s["outlier_detection"] in ("success-rate", "both"):
            rules["successRateEjection"] = own("stdev_factor")
        if s["outlier_detection"] in ("failure-percentage", "both"):
            rules["failurePercentageEjection"] = own("threshold")
        config["loadBalancingConfig"] = [{"outlier_detection_experimental": rules}]
    if s.get("max_attempts", 1) > 1:
        retry = {
            "maxAttempts": s["max_attempts"],
            "initialBackoff": s["initial_backoff"],
            "maxBackoff": s["max_backoff"],
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        config["methodConfig"] = [{"name": [{}], "retryPolicy": retry}]
    if s.get("max_tokens"):
        config["retryThrottling"] = {"maxTokens": s["max_tokens"], "tokenRatio": s.get("token_ratio", 0.1)}
    return config


def in_seconds(span):
    """A span as JSON of protobuf writes it."""
    if not isinstance(span, str):
        return span
    if span.endswith("ms"):
        return f"{int(span[:-2]) / 1000}s"
    return f"{int(span[:-1]) * 60}s" if span.endswith("m") else span


def milliseconds(span):
    return round(float(in_seconds(span)[:-1]) * 1000)


async def warm_up(port):
    """The first call of a process takes as long as the library needs to begin."""
    server = Server(port, {"name": "-"}, 0.0, [])
    server.listen()
    await call_once(port)
    server.stop()


async def call_once(port):
    import grpc

    async with grpc.aio.insecure_channel(f"ipv4:127.0.0.1:{port}") as channel:
        await channel.unary_unary("/web/ask")(b"", metadata=[("x-number", "-1")])


async def observe(case, first_port):
    """What a channel does with the requests of a case: servers by request, how each ended and how long it took."""
    import grpc

    await warm_up(first_port + len(case["servers"]))
    hits = []
    requests = case["requests"]
    ports = range(first_port, first_port + len(case["servers"]))
    servers = [Server(port, rules, requests.get("service_s", 0.0), hits) for port, rules in zip(ports, case["servers"])]
    began = time.monotonic()
    for server in servers:
        server.start(began)
    options = [
        ("grpc.service_config", json.dumps(service_config(case))),
        # Each channel has connections of its own.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_retries", 1),
        *(
            (f"grpc.{name}_ms", milliseconds(case["settings"][name]))
            for name in ("initial_reconnect_backoff", "max_reconnect_backoff", "min_reconnect_backoff")
            if name in case.get("settings", {})
        ),
    ]
    target = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
    try:
        async with grpc.aio.insecure_channel(target, options=options) as channel:
            call = channel.unary_unary("/web/ask")

            async def one(number):
                asked, well = time.monotonic(), True
                try:
                    await call(b"", timeout=requests.get("timeout_s", 60.0), metadata=[("x-number", str(number))])
                except grpc.aio.AioRpcError:
                    well = False
                return {"began": asked, "well": well, "took_s": time.monotonic() - asked}

            if case.get("ready_s"):
                # The first calls of a channel go to whoever is connected first.
                channel.get_state(try_to_connect=True)
                await asyncio.sleep(case["ready_s"])
            start = time.monotonic()
            if requests.get("serial", True):
                ends = []
                for number in range(requests["n"]):
                    if number and requests.get("gap_s"):
                        await asyncio.sleep(requests["gap_s"])
                    ends.append(await one(number))
            else:
                tasks = []
                for number in range(requests["n"]):
                    await asyncio.sleep(max(0.0, start + number * requests.get("gap_s", 0.0) - time.monotonic()))
                    tasks.append(asyncio.create_task(one(number)))
                ends = await asyncio.gather(*tasks)
    finally:
        for server in servers:
            server.stop()
    tried = {}
    for number, name, _ in sorted(hits, key=lambda hit: hit[2]):
        tried.setdefault(number, []).append(name)
    return [{"tried": tried.get(i, []), **end, "arrived_s": end.pop("began") - began} for i, end in enumerate(ends)]


def version(_):
    """The library's version; none where it is not installed."""
    try:
        return packages.version("grpcio")
    except packages.PackageNotFoundError:
        return None
