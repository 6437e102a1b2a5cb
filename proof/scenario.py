"""The scenario that says the same as a case."""

import json


def toml(value):
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(of)}" for key, of in value.items()) + " }"
    return json.dumps(value)


# What a server's rules are in a scenario; times of service are the service's own.
KEYS = ("weight", "backup", "max_connections", "min_connections", "errors", "down_behaviour")


def scenario(case):
    """Its text. One request after the other is one user, who asks again as soon as there is an answer."""
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
        if rules.get("status", 200) != 200:
            server["errors"] = {"rate": 1.0}
        if rules.get("refuses") or rules.get("closes") or rules.get("hangs"):
            down.append(rules["name"])
        if rules.get("hangs"):
            server["down_behaviour"] = "black-hole"
        servers.append(server)
    crashes = "".join(
        f'[[timeline]]\nat = "0s"\ndo = "crash"\ntarget = "service.web.server.{name}"\n' for name in down
    )
    return (
        f'horizon = "{end:.3f}s"\nrecord = {{ every_nth_request = 1 }}\n'
        f'traffic = [{{ to = "web", arrivals = {toml(arrivals)} }}]\n'
        f'[service.web]\ndemand = "{max(service_s, 1e-6):.6f}s"\n'
        f"balancer.dialect = {toml(dialect)}\n"
        f"server = [{', '.join(map(toml, servers))}]\n{crashes}"
    )
