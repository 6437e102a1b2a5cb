"""The scenario that says the same as a case."""

import json


def toml(value):
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(of)}" for key, of in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


# What a server's rules are in a scenario; times of service are the service's own.
KEYS = ("weight", "backup", "priority", "speed", "workers", "max_connections", "min_connections", "errors", "down_behaviour")


# It goes down with each request, and is back before the next.
BREAKS_OFF = {"crash": [{"when": "in_flight", "above": 0}], "restart": {"kind": "after", "pause": "0s"}}

# Calls of a library in a scenario, far enough apart for the longest of its pauses.
CALLS, APART_S = 200, 1000


def of_caller(case):
    """The scenario of a client library: calls that each fail until it gives up."""
    rules = case["servers"][0]
    retry = {"kind": case["retry"], **case.get("settings", {}), **case.get("only_said", {})}
    retry.pop("timeout_s", None)
    if "status" in rules and case["retry"] not in WITHOUT_STATUS:
        retry["status"] = str(rules["status"])
    if "retry_after_s" in rules and case["retry"] not in HEEDLESS:
        retry["retry_after"] = f"{rules['retry_after_s']}s"
    server = {"name": "a", "workers": 9}
    if rules.get("closes"):
        server.update(BREAKS_OFF)
    else:
        server["errors"] = {"rate": 1.0}
    # Each call of the real library has a bucket of its own.
    client = {"retry": retry}
    if case["retry"] == "botocore-standard":
        client["guards"] = [{"kind": "aws-retry-tokens", "capacity": 1000000}]
    times = [f"{APART_S * (1 + i)}s" for i in range(CALLS)]
    arrivals = {"kind": "trace", "times": times}
    return (
        f'horizon = "{APART_S * (CALLS + 1)}s"\nrecord = {{ every_nth_request = 1, interval = "1h" }}\n'
        f'traffic = [{{ to = "web", arrivals = {toml(arrivals)} }}]\nclient = {toml(client)}\n'
        f'[service.web]\ndemand = "0.000001s"\nserver = [{toml(server)}]\n'
    )


# Libraries to which all failures are alike.
WITHOUT_STATUS = ("requests", "httpx", "tenacity", "backoff", "stamina", "p-retry", "cockatiel")

def of_pool(case):
    """The scenario of a library's pool: callers of one program, each of which holds a connection for as long."""
    requests = case["requests"]
    span = lambda key, value: f"{value}s" if isinstance(value, float) or "timeout" in key else value
    settings = {key: span(key, value) for key, value in case.get("settings", {}).items()}
    connections = {"kind": case["pool"], "round_trips": 0, **settings}
    moments = [1 + i * requests["gap_s"] for i in range(requests["n"])]
    arrivals = {"kind": "trace", "times": [f"{at:.6f}s" for at in moments]}
    return (
        f'horizon = "60s"\nrecord = {{ every_nth_request = 1 }}\n'
        f'traffic = [{{ to = "web", arrivals = {toml(arrivals)} }}]\n'
        f'[service.web]\ndemand = "{requests["service_s"]}s"\n'
        f"link.connections = {toml(connections)}\n"
        f'server = [{{ name = "a", workers = 1000 }}]\n'
    )


def of_breaker(case):
    """The scenario of a library's breaker: callers of one program, and a server that fails now and then."""
    requests = case["requests"]
    guard = {"kind": case["breaker"], **case.get("settings", {})}
    arrivals = {"kind": "trace", "times": [f"{1 + i * requests['gap_s']:.6f}s" for i in range(requests["n"])]}
    sets = "".join(
        f'[[timeline]]\nat = "{1 + at:g}s"\nset = {{ "service.web.server.a.errors.rate" = {rate} }}\n'
        for span in case["servers"][0]["fails_s"]
        for at, rate in zip(span, (1.0, 0.0))
    )
    return (
        f'horizon = "60s"\nrecord = {{ every_nth_request = 1 }}\n'
        f'traffic = [{{ to = "web", arrivals = {toml(arrivals)} }}]\n'
        f"client = {{ guards = [{toml(guard)}] }}\n"
        f'[service.web]\ndemand = "{max(requests.get("service_s", 0.0), 1e-6):.6f}s"\n'
        f'server = [{{ name = "a", workers = 1000, errors = {{ rate = 0.0 }} }}]\n{sets}'
    )


# Libraries that ignore a Retry-After.
HEEDLESS = ("aiohttp-retry", "botocore-standard", "botocore-legacy", "elastic-transport")


def scenario(case):
    """Its text. One request after the other is one user, who asks again as soon as there is an answer."""
    if case["program"] == "caller":
        return of_caller(case)
    if case["program"] == "pool":
        return of_pool(case)
    if case["program"] == "breaker":
        return of_breaker(case)
    requests, service_s = case["requests"], case["requests"].get("service_s", 0.0)
    gap_s = requests.get("gap_s", 0.0)
    if requests.get("serial", True):
        end = 1.0 + requests["n"] * (gap_s + service_s + 0.003) + case.get("end_s", 10.0)
        begin_s = case.get("begin_s", 0.0)
        end += begin_s
        arrivals = {"kind": "closed", "users": 1, "think": f"{gap_s + 0.002:.6f}s"}
    else:
        times = [0.001 + i * gap_s for i in range(requests["n"])]
        end = times[-1] + service_s + case.get("end_s", 10.0)
        arrivals = {"kind": "trace", "times": [f"{at:.6f}s" for at in times]}
    dialect = {"kind": case["dialect"], **case.get("settings", {}), **case.get("only_said", {})}
    servers, down = [], []
    for rules in case["servers"]:
        server = {"name": rules["name"], "workers": 1000}
        server.update((key, rules[key]) for key in KEYS if key in rules)
        if rules.get("status", 200) != 200 or "code" in rules:
            server["errors"] = {"rate": 1.0}
        if rules.get("closes"):
            server.update(BREAKS_OFF)
        if rules.get("refuses") or rules.get("hangs"):
            down.append((0.0, "crash", rules["name"]))
        for first, last in rules.get("down_s", ()):
            down += [(first, "crash", rules["name"]), (last, "restart", rules["name"])]
        if rules.get("hangs"):
            server["down_behaviour"] = "black-hole"
        servers.append(server)
    crashes = "".join(
        f'[[timeline]]\nat = "{at:g}s"\ndo = "{do}"\ntarget = "service.web.server.{name}"\n' for at, do, name in down
    )
    return (
        f'horizon = "{end:.3f}s"\nrecord = {{ every_nth_request = 1 }}\n'
        f'traffic = [{{ to = "web", arrivals = {toml(arrivals)} }}]\n'
        f'[service.web]\ndemand = "{max(service_s, 1e-6):.6f}s"\n'
        f"balancer.dialect = {toml(dialect)}\n"
        f"server = [{', '.join(map(toml, servers))}]\n{crashes}"
    )
