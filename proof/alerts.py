"""Alert rules: what the real promtool makes of random series, rules and expressions.

    alerts.py PROMTOOL FOLDER [CASES] [SEED]

Each batch is a file of rules and a file of tests in promtool's own format, written without expectations. What
promtool then says it got is written in as the expectation, so that the files pin what it does without it. Checks
that promtool refuses go into a file of their own, NAME.refused.yml: there each must be refused. promtool keeps series in
hash maps and may add them up in another order each time: what differs between three runs is left out and counted.
"""

import json
import os
import random
import re
import subprocess
import sys

TESTS = 10
EXPRS = 14
UNITS = [("h", 3600), ("m", 60), ("s", 1)]


def duration(seconds):
    text = ""
    for unit, length in UNITS:
        if seconds >= length:
            text += f"{seconds // length}{unit}"
            seconds %= length
    return text or "0s"


class Series:
    """Random series of a few metrics that fit each other."""

    def __init__(self, rng):
        self.rng = rng

    def gaps(self, values):
        """Points that are missing, and ends of the series."""
        rng = self.rng
        kind = rng.random()
        out = []
        for value in values:
            if kind < 0.4:
                out.append(value)
            elif kind < 0.7:
                out.append("_" if rng.random() < 0.25 else value)
            else:
                out.append("_" if rng.random() < 0.1 else "stale" if rng.random() < 0.05 else value)
        return " ".join(out)

    def counter(self, n):
        rng = self.rng
        if rng.random() < 0.2:
            return f"{rng.randrange(100)}+{rng.choice([1, 2.5, 60])}x{n // 2} _x3 {rng.randrange(9)}+7x{n // 2}"
        value, out = rng.choice([0, 0.5, rng.randrange(1000)]), []
        for _ in range(n):
            if rng.random() < 0.05:
                value = rng.choice([0, 1, 2.5])
            elif rng.random() < 0.85:
                value += rng.choice([0, 1, 2.5, 10, rng.randrange(1000)])
            out.append(f"{value:g}" if value < 1e5 else str(value))
        return self.gaps(out)

    def gauge(self, n):
        rng = self.rng
        own, out = rng.choice([1, 0.25, 7]), []
        special = rng.random() < 0.15
        value = rng.randrange(-50, 50) * own
        for _ in range(n):
            if rng.random() < 0.7:
                value += rng.randrange(-8, 9) * own
            out.append(rng.choice(["NaN", "Inf", "-Inf"]) if special and rng.random() < 0.1 else f"{value:g}")
        return self.gaps(out)

    def all(self, n):
        rng = self.rng
        found = []
        for job in ["web", "db"]:
            # Never equal: one is even, the other is not.
            found.append((f'limit{{job="{job}"}}', f"{2 * rng.randrange(1, 20) + (job == 'web')}x{n}"))
            for place in "ab":
                labels = f'job="{job}", instance="{place}"'
                found.append((f"load{{{labels}}}", self.gauge(n)))
                for code in ["200", "500"]:
                    if rng.random() < 0.8:
                        found.append((f'requests_total{{{labels}, code="{code}"}}', self.counter(n)))
            rows = [[0] * 5 for _ in range(n)]
            total = [0] * 5
            for row in rows:
                for bucket in range(5):
                    for above in range(bucket, 5) if rng.random() < 0.95 else [bucket]:
                        total[above] += rng.choice([0, 0, 1, 5]) if rng.random() < 0.1 else rng.randrange(4)
                row[:] = total
            for bucket, bound in enumerate(["0.1", "0.5", "1", "2.5", "+Inf"]):
                if rng.random() < 0.97:
                    values = " ".join(str(row[bucket]) for row in rows)
                    found.append((f'latency_bucket{{job="{job}", le="{bound}"}}', values))
        return found


class Grammar:
    """Random expressions of what is supported."""

    def __init__(self, rng):
        self.rng = rng

    def length(self):
        return self.rng.choice(["15s", "30s", "1m", "90s", "2m", "5m", "7m", "10m", "1m1s"])

    def offset(self):
        if self.rng.random() < 0.8:
            return ""
        return " offset " + self.rng.choice(["30s", "1m", "5m", "-1m", "17s"])

    def matchers(self):
        return self.rng.choice(
            ["", "", '{job="web"}', '{job!="web"}', '{job=~"w.*|x"}', '{instance!~"a"}', '{instance="b",job=~".+"}',
             '{job="none"}', '{none=""}', '{job=~"(web|db)"}']
        )

    def metric(self):
        return self.rng.choice(["load", "requests_total", "limit", "load", "requests_total", "latency_bucket"])

    def selector(self):
        if self.rng.random() < 0.05:
            return '{__name__=~"load|limit", job="web"}'
        return self.metric() + self.matchers()

    def range(self):
        if self.rng.random() < 0.12:
            step = self.rng.choice(["", "30s", "1m", "17s"])
            inner = self.rng.choice([self.selector(), f"rate({self.selector()}[1m])", f"sum by (job) ({self.selector()})"])
            if " " in inner and not inner.startswith("sum") and not inner.startswith("rate"):
                inner = f"({inner})"
            return f"{inner}[{self.length()}:{step}]{self.offset()}"
        return f"{self.selector()}[{self.length()}]{self.offset()}"

    def scalar(self, depth):
        rng = self.rng
        kind = rng.random()
        if kind < 0.7 or depth <= 0:
            return rng.choice(["1", "2", "0", "0.5", "10", "-3", "1e2", "100", "7.25", "1m", "0x10"])
        if kind < 0.8:
            return f"scalar({self.vector(depth - 1)})"
        if kind < 0.9:
            return "time()"
        return f"({self.scalar(depth - 1)} {rng.choice(['+', '-', '*', '/', '%', '> bool'])} {self.scalar(depth - 1)})"

    def over_time(self):
        rng = self.rng
        name = rng.choice(
            ["rate", "rate", "increase", "increase", "irate", "delta", "idelta", "deriv", "changes", "resets",
             "avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time",
             "present_over_time", "stddev_over_time", "stdvar_over_time", "predict_linear", "quantile_over_time",
             "absent_over_time"]
        )
        if name == "predict_linear":
            return f"{name}({self.range()}, {rng.choice(['60', '3600', '-30'])})"
        if name == "quantile_over_time":
            return f"{name}({rng.choice(['0.5', '0.9', '0', '1', '0.25', '1.5', '-1'])}, {self.range()})"
        return f"{name}({self.range()})"

    def grouping(self):
        return self.rng.choice(["", "by (job)", "by (instance)", "by (job, instance)", "without (code)",
                                "without (instance, code, le)", "by (job, le)"])

    def aggregate(self, depth):
        rng = self.rng
        name = rng.choice(["sum", "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile", "topk",
                           "bottomk", "count_values"])
        grouping = self.grouping()
        inner = self.vector(depth - 1)
        if name in ("stddev", "stdvar"):
            # The order of series shows in the last digits; no figure of whole numbers is half of this step.
            return f"round({name} {grouping} ({inner}), 0.0013)"
        if name == "quantile":
            return f"quantile {grouping} ({rng.choice(['0.5', '0.9', '0.3', '1', '2'])}, {inner})"
        if name in ("topk", "bottomk"):
            # Which of equal values is chosen is up to chance, and nothing of it shows in their sum.
            if rng.random() < 0.3:
                return f"{name} {grouping} (1, limit{self.matchers()})"
            return f"sum {grouping} ({name} {grouping} ({rng.choice(['1', '2', '3', '0'])}, {inner}))"
        if name == "count_values":
            return f'count_values {grouping} ("value", {inner})'
        if rng.random() < 0.3:
            return f"{name}({inner}) {grouping}"
        return f"{name} {grouping} ({inner})"

    def function(self, depth):
        rng = self.rng
        inner = self.vector(depth - 1)
        return rng.choice(
            [f"abs({inner})", f"ceil({inner})", f"floor({inner})", f"round({inner})", f"round({inner}, 0.5)",
             f"clamp({inner}, -5, 20)", f"clamp_min({inner}, 1)", f"clamp_max({inner}, 30)", f"sgn({inner})",
             f"sqrt({inner})", f"round(exp({inner} / 100), 0.00013)", f"ln({inner})", f"log2({inner})", f"log10({inner})",
             f"absent({inner})", f"vector({self.scalar(depth - 1)})", f"timestamp({inner})", f"sort({inner})",
             f"-{inner}" if not inner.startswith("-") else inner, f"hour(({inner} > -1e6 < 1e6) * 1000)",
             f"day_of_week(({inner} > -1e6 < 1e6) * 99999)", f"days_in_month(({inner} > -1e6 < 1e6) * 999999)",
             f"day_of_year(({inner} > -1e6 < 1e6) * 999999)", f"month(({inner} > -1e6 < 1e6) * 999999)",
             f"day_of_month(({inner} > -1e6 < 1e6) * 999999)", f"minute(({inner} > -1e6 < 1e6))", "hour()", "year()", f"deg({inner})",
             f'label_replace({inner}, "kind", "$1-x", "job", "(w)(.*)")', f'label_join({inner}, "both", "-", "job", "instance")',
             f'label_replace({inner}, "instance", "", "job", "web")']
        )

    def histogram(self):
        q = self.rng.choice(["0.5", "0.9", "0.99", "0", "1", "0.1", "-1", "2"])
        inner = self.rng.choice(
            ["latency_bucket", f"rate(latency_bucket[{self.length()}])",
             f"sum by (le) (rate(latency_bucket[{self.length()}]))", f"sum by (job, le) (increase(latency_bucket[{self.length()}]))",
             'latency_bucket{le!="+Inf"}']
        )
        return f"histogram_quantile({q}, {inner})"

    def binary(self, depth):
        rng = self.rng
        kind = rng.random()
        op = rng.choice(["+", "-", "*", "/", "%", ">", "<", ">=", "<=", "==", "!="])
        if op in (">", "<", ">=", "<=", "==", "!=") and rng.random() < 0.3:
            op += " bool"
        if kind < 0.35:
            return f"{self.vector(depth - 1)} {op} {self.scalar(depth - 1)}"
        if kind < 0.45:
            return f"{self.scalar(depth - 1)} {op} {self.vector(depth - 1)}"
        if kind < 0.5:
            return f"{self.vector(depth - 1)} ^ 2"
        if kind < 0.65:
            word = rng.choice(["and", "or", "unless"])
            match = rng.choice(["", "on (job)", "ignoring (code)", "on (instance, job)", "ignoring (instance, code, le)"])
            return f"{self.vector(depth - 1)} {word} {match} {self.vector(depth - 1)}"
        if kind < 0.8:
            return f"{self.vector(depth - 1)} {op} on (job) group_left {self.one_side()}"
        if kind < 0.85:
            return f"{self.one_side()} {op} on (job) group_right () {self.vector(depth - 1)}"
        if kind < 0.9:
            return f"{self.vector(depth - 1)} {op} ignoring (instance, code, le) group_left (instance) {self.one_side()}"
        inner = self.aggregate(depth - 1)
        return f"({inner}) {op} on (job) ({inner})" if rng.random() < 0.5 else f"({inner}) {op} ({self.vector(depth - 1)})"

    def one_side(self):
        return self.rng.choice(["limit", "sum by (job) (load)", "max by (job) (requests_total)", "limit * 2"])

    def vector(self, depth):
        kind = self.rng.random()
        if depth <= 0 or kind < 0.15:
            return self.selector() if self.rng.random() < 0.5 else self.over_time()
        if kind < 0.35:
            return self.over_time()
        if kind < 0.6:
            return self.aggregate(depth)
        if kind < 0.75:
            return self.function(depth)
        if kind < 0.8:
            return self.histogram()
        return f"({self.binary(depth)})"

    def alert(self):
        rng = self.rng
        return rng.choice(
            [f"load{self.matchers()} > {rng.randrange(-20, 40)}",
             f"rate(requests_total{self.matchers()}[{self.length()}]) > {rng.choice([0, 0.5, 2, 5])}",
             f"sum by (job) (rate(requests_total{{code=\"500\"}}[{self.length()}])) / sum by (job) (rate(requests_total[{self.length()}])) > 0.3",
             f"job:load:avg > on (job) group_left limit", "job:load:avg > 3", f"changes(load[{self.length()}]) > 1",
             f"absent(load{{job=\"none\"}})", f"absent_over_time(load{{instance=\"a\"}}[{self.length()}])",
             f"histogram_quantile(0.9, sum by (le) (rate(latency_bucket[{self.length()}]))) > 1",
             "load > load offset 1m", "max by (instance) (load) > 10 and on (instance) min by (instance) (load) < 40",
             f"(sum(rate(requests_total[5m])) > 3 and sum(rate(requests_total[1m])) > 3)",
             f"({self.vector(1)}) > {self.scalar(0)}"]
        )


def rules(rng, grammar):
    """A file of rules, of which each alert has a name."""
    alerts = []

    def alert(at):
        name = f"Alert{at}"
        alerts.append(name)
        rule = {"alert": name, "expr": grammar.alert()}
        if rng.random() < 0.7:
            rule["for"] = rng.choice(["0s", "30s", "1m", "90s", "3m"])
        if rng.random() < 0.35:
            rule["keep_firing_for"] = rng.choice(["30s", "1m", "4m"])
        if rng.random() < 0.6:
            rule["labels"] = rng.choice([{"severity": "page"}, {"severity": "{{ $labels.job }}-x"}, {"job": "fixed"},
                                         {"level": "{{ $labels.none }}", "severity": "a"}])
        if rng.random() < 0.7:
            rule["annotations"] = rng.choice(
                [{"text": "{{ $labels.job }} at {{ $value }}"}, {"text": "plain", "more": "{{.Value}}/{{ .Labels.instance }}"},
                 {"text": "{{ $value | humanize }} {{ humanizePercentage $value }}"},
                 {"text": "{{ printf \"%.2f\" $value }} {{ $value | humanize1024 }}"}, {"text": "{{ $value | humanizeDuration }}"}]
            )
        return rule

    first = [{"record": "job:load:avg", "expr": "avg by (job) (load)"},
             {"record": "job:requests:rate", "expr": f"sum by (job) (rate(requests_total[{grammar.length()}]))",
              "labels": {"kind": "rate"}}]
    first += [alert(at) for at in range(3)]
    second = [alert(at) for at in range(3, 6)]
    second.append({"record": "odd", "expr": f"load > {rng.randrange(30)}"})
    groups = [{"name": "first", "rules": first}, {"name": "second", "interval": "7m", "rules": second}]
    if rng.random() < 0.3:
        groups[1]["labels"] = {"team": "x"}
    if rng.random() < 0.3:
        groups[0]["query_offset"] = rng.choice(["30s", "1m"])
    return {"groups": groups}, alerts


def test(rng, grammar, alerts, name, every):
    interval = rng.choice([15, 30, 60])
    steps = rng.randrange(20, 60)
    last = interval * steps
    found = {"name": name, "interval": duration(interval), "input_series": [], "alert_rule_test": [], "promql_expr_test": []}
    for series, values in Series(rng).all(steps):
        found["input_series"].append({"series": series, "values": values})
    for alert in alerts:
        for _ in range(2):
            found["alert_rule_test"].append({"eval_time": duration(rng.randrange(0, last // 5 + 1) * 5), "alertname": alert})
    exprs = [grammar.vector(3) for _ in range(EXPRS - 3)]
    exprs += [rng.choice(["ALERTS", "ALERTS_FOR_STATE", 'count by (alertstate) (ALERTS{alertname=~"Alert.*"})']),
              rng.choice(["job:load:avg", "odd", "changes(odd[5m])"]),
              rng.choice(["rate(job:requests:rate[2m])", "job:requests:rate", "count_over_time(ALERTS[5m])"])]
    for expr in dict.fromkeys(exprs):
        at = rng.randrange(0, last // every + 1) * every if rng.random() < 0.6 else rng.randrange(0, last)
        found["promql_expr_test"].append({"expr": expr, "eval_time": duration(at)})
    return found


GOT_EXPR = re.compile(r'^    expr: ("(?:[^"\\]|\\.)*"), time: ([0-9a-z]+),(?: err: (.*))?$')
GOT_ALERT = re.compile(r"^    alertname: (\w+), time: ([0-9a-z]+), $")
LABEL = re.compile(r'([\w:]+)="((?:[^"\\]|\\.)*)"')


def labels(text):
    return {name: json.loads(f'"{value}"') for name, value in LABEL.findall(text)}


def seconds(text):
    total = 0
    for number, unit in re.findall(r"(\d+)([hms])", text):
        total += int(number) * dict(UNITS)[unit]
    return total


def said(text):
    """What promtool said of one file: alerts and expressions that are not empty, and what it refused."""
    found = {"alerts": {}, "exprs": {}, "refused": {}, "rules": False}
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        if "    rule: " in line and ", err: " in line:
            found["rules"] = True
        if match := GOT_EXPR.match(line):
            key = (json.loads(match[1]), seconds(match[2]))
            if match[3] is not None:
                found["refused"][key] = match[3]
            else:
                got = lines[at + 2].strip().removeprefix("got: ")
                samples = re.findall(r"(\{(?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*\}) (\S+?)(?:, |$)", got)
                found["exprs"][key] = [(name, value) for name, value in samples]
        if match := GOT_ALERT.match(line):
            alerts, at = [], at + 1
            while at < len(lines) and "got:" not in lines[at]:
                at += 1
            while at < len(lines) and lines[at].strip() != "]" and not lines[at].endswith("got:[]"):
                if "Labels:{" in lines[at]:
                    alerts.append([labels(lines[at]), {}])
                elif "Annotations:{" in lines[at]:
                    alerts[-1][1] = labels(lines[at])
                at += 1
            found["alerts"][(match[1], seconds(match[2]))] = alerts
        at += 1
    return found


def run(promtool, folder, names):
    out = subprocess.run([promtool, "test", "rules", *names], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    parts = out.stdout.split("Unit Testing:  ")[1:] if "Unit Testing:" in out.stdout else None
    if parts is None or len(parts) != len(names):
        # Without that line each file ends with its verdict.
        parts = re.split(r"^  (?=SUCCESS|FAILED)", out.stdout, flags=re.M)[1:]
    assert len(parts) == len(names), f"{len(parts)} verdicts on {len(names)} files"
    return [said(part) for part in parts]


def value(text):
    number = text.replace("+Inf", ".inf").replace("-Inf", "-.inf").replace("NaN", ".nan")
    return number if number[-1] in "fn" else float(number)


def dump(thing):
    """JSON, which is YAML, a line for each item."""
    text = json.dumps(thing, ensure_ascii=False)
    text = re.sub(r'"value": "(-?\.(?:inf|nan))"', r'"value": \1', text)
    for mark in ('{"series":', '{"alertname":', '{"eval_time":', '{"expr":', '{"name":', '{"alert":', '{"record":'):
        text = text.replace(mark, "\n" + mark)
    return text + "\n"


def batch(promtool, folder, name, seed):
    rng = random.Random(seed)
    grammar = Grammar(rng)
    every = rng.choice([15, 30, 60, 45])
    ruled, alerts = rules(rng, grammar)
    head = {"rule_files": [f"{name}.rules.yml"], "evaluation_interval": duration(every), "fuzzy_compare": True,
            "group_eval_order": ["first", "second"]}
    with open(os.path.join(folder, f"{name}.rules.yml"), "w") as out:
        out.write(dump(ruled))
    tests = [test(rng, grammar, alerts, f"{name}-{at}", every) for at in range(TESTS)]
    names = []
    for at, one in enumerate(tests):
        names.append(f"{name}.asked{at}.yml")
        with open(os.path.join(folder, names[-1]), "w") as out:
            out.write(dump({**head, "tests": [one]}))
    runs = [run(promtool, folder, names) for _ in range(3)]
    for asked in names:
        os.remove(os.path.join(folder, asked))
    counts = {"tests": 0, "alerts": 0, "exprs": 0, "refused": 0, "unstable": 0, "firing": 0, "samples": 0}
    pinned, refused = [], []
    for at, one in enumerate(tests):
        seen = [each[at] for each in runs]
        if any(each["rules"] for each in seen):
            refused.append({**one, "name": one["name"] + "-rules"})
            counts["refused"] += 1
            continue
        # How much is loaded depends on the latest check, those that are left out included.
        last = max((c["eval_time"] for c in one["alert_rule_test"] + one["promql_expr_test"]), key=seconds)
        horizon = {"expr": "vector(0)", "eval_time": last, "exp_samples": [{"labels": "{}", "value": 0}]}
        kept = {**one, "alert_rule_test": [], "promql_expr_test": [horizon]}
        for check in one["alert_rule_test"]:
            key = (check["alertname"], seconds(check["eval_time"]))
            got = [each["alerts"].get(key, []) for each in seen]
            if any(sorted(map(str, a)) != sorted(map(str, got[0])) for a in got):
                counts["unstable"] += 1
                continue
            expected = [{"exp_labels": {n: v for n, v in labels.items() if n != "alertname"}, "exp_annotations": notes}
                        for labels, notes in got[0]]
            kept["alert_rule_test"].append({**check, "exp_alerts": expected})
            counts["alerts"] += 1
            counts["firing"] += len(expected)
        bad = {**one, "alert_rule_test": [], "promql_expr_test": []}
        beyond = {"expr": "vector(", "eval_time": last}
        for check in one["promql_expr_test"]:
            key = (check["expr"], seconds(check["eval_time"]))
            if all(key in each["refused"] for each in seen):
                bad["promql_expr_test"].append(check)
                counts["refused"] += 1
                continue
            got = [sorted(each["exprs"].get(key, [])) for each in seen]
            if any(a != got[0] for a in got):
                counts["unstable"] += 1
                continue
            expected = [{"labels": name, "value": value(number)} for name, number in got[0]]
            kept["promql_expr_test"].append({**check, "exp_samples": expected})
            counts["exprs"] += 1
            counts["samples"] += len(expected)
        pinned.append(kept)
        counts["tests"] += 1
        if bad["promql_expr_test"]:
            bad["promql_expr_test"].append(beyond)
            refused.append(bad)
    with open(os.path.join(folder, f"{name}.yml"), "w") as out:
        out.write(dump({**head, "tests": pinned}))
    if refused:
        with open(os.path.join(folder, f"{name}.refused.yml"), "w") as out:
            out.write(dump({**head, "tests": refused}))
    return counts


# What random expressions do not reach: ways to write things, corners of single functions, and what is refused.
WRITTEN = r"""
up
UP
sum
SUM BY (job) (up)
sum by (job,) (up)
sum(up) WITHOUT (job)
sum without () (up)
sum by () (up)
avg by ("job") (up)
{"up"}
{"up", job="web"}
{__name__="up"}
{__name__=~"u.|load"}
up{job="web",}
up{"job"="web"}
up{job='web'}
up{job=`web`}
up{job="we\x62"}
up{job="we\142"}
up{job="we\u0062"}
up{job="we\U00000062"}
up{job="we\8"}
up{job="we\14"}
up{job="we\u006"}
up{job=~"w\\w+"}
up{job=~"(?i)WEB"}
up{job=~"we"}
up{job=~""}
up{job!=""}
up{none!~"x"}
up{job=~"web|db", job!="db"}
up{on="x"}
up # a comment
up{job="web"} + # a comment
1
-up
--up
+up
-2 ^ 2
2 ^ -1
2 ^ 3 ^ 2
-(2) ^ 2
1 - 2 - 3
2 * 3 % 4
2 + 3 * 4 ^ 2
1 + 2 == bool 3 - 0
7 % -4
-7 % 4
7.5 % 2
1 / 0
-1 / 0
0x1F
0X1f
010
08
1_000
0_755
0755
0759
0755.0
0755e1
0_8
1__0
1_
1_0.5
0x_1F
0x1_F
1e_3
1.e3
1..2
1e3
1E-3
.5
5.
Inf
-inf
1m
1h30m
1m30s500ms
0 * Inf == bool 1
3 atan2 4
2 ^ 0.5
time()
pi()
vector(time())
up offset 1m
up offset -30s
up offset 30
up offset 1m30s
load[2m] offset 1m
rate(load[120])
rate(load[2m] offset 1m)
rate(load[2m])
max_over_time(load[1m1ms])
max_over_time(load[59999ms])
count_over_time(load[5m:])
count_over_time(load[5m:30s])
count_over_time(load[5m:37s] offset 13s)
count_over_time(load[5m:1m] offset -2m)
count_over_time(load[0.5])
rate(sum by (job) (load)[3m:30s])
max_over_time(rate(load[1m])[5m:1m])
max_over_time(max_over_time(load[1m:30s])[3m:1m])
sum_over_time(vector(1)[5m:1m])
sum_over_time((up > 0)[5m:1m])
load and up
load and on () up
load and on (job) up{job="web"}
load unless on (job) up{job="web"}
up or load
up or on (job) load
up or ignoring (job, instance) load
up AND ON (job) load
load > 20
load > bool 20
20 < load
20 < bool load
load > on (job, instance) load
load > ignoring (instance) load
load >= bool on (job, instance) load
load * on (job) group_left up
load * on (job) group_left () up
load * on (job) group_left (place) up
load * on (job) group_left (instance) up
load{instance="a"} * on (job) group_left (instance, place) up
load > on (job) group_left (place) up
load == bool on (job) group_left (place) up
{__name__=~"load|ends"} * on () group_left scalar
{__name__=~"load|ends"} * on () group_left sum
up * on (job) group_right load
up * on (job) group_right (place) load
load * ignoring (instance) group_left (place) up
load + up
up + on (job) up
up == up
up == bool up
up > bool 0
up != up
nan == nan
NaN == bool NaN
up + NaN
scalar(up)
scalar(up{job="web"})
scalar(none)
vector(scalar(up{job="web"}) + 1)
absent(none)
absent(none{job="web"})
absent(none{job="web", job="db"})
absent(none{job=~"web", x="1"})
absent(up)
absent(sum(none))
absent((none{job="web"}))
absent_over_time(none{job="web"}[5m])
absent_over_time(up[5m])
absent_over_time(none[5m:1m])
timestamp(load)
timestamp(load offset 1m)
timestamp(load + 0)
timestamp((load))
round(load, 7)
round(load, 0)
round(-load / 7, 0.1)
round(load, -2)
clamp(load, 20, 10)
clamp(load, NaN, 10)
clamp_min(odd, 1)
clamp_max(odd, 1)
clamp_min(odd, Inf)
clamp_max(odd, -Inf)
abs(odd)
sgn(odd)
ceil(odd)
floor(odd)
sqrt(odd)
ln(odd)
odd ^ 2
odd % 2
odd / 0
0 / odd
max(odd)
min(odd)
sum(odd)
avg(odd)
quantile(0.5, odd)
quantile(0, odd)
quantile(1, odd)
quantile(NaN, odd)
stddev(odd)
topk(1, up)
topk(0, load)
topk(-1, load)
bottomk(1, up)
topk(100, load)
topk(NaN, load)
topk by (job) (1, load)
topk(1.9, up)
count_values("v", odd)
count_values("v", up)
count_values by (job) ("job", load)
count_values("a b", load)
count_values without (instance) ("v", up)
group(load)
group by (job) (load)
sort(load)
sort_desc(load)
label_replace(up, "x", "$1", "job", "(.*)")
label_replace(up, "x", "${1}y", "job", "(.).*")
label_replace(up, "x", "$1y", "job", "(.).*")
label_replace(up, "x", "$$", "job", ".*")
label_replace(up, "x", "$9", "job", ".*")
label_replace(up, "x", "${name}", "job", "(?P<name>.*)")
label_replace(up, "x", "fixed", "none", "")
label_replace(up, "x", "fixed", "none", "a")
label_replace(up, "job", "", "job", ".*")
label_replace(up, "job", "", "job", "web")
label_replace(up, "__name__", "down", "job", ".*")
label_replace(up, "a-b", "x", "job", ".*")
label_replace(up, "x", "x", "job", "(")
label_join(up, "x", "-", "job", "place")
label_join(up, "x", "-")
label_join(up, "x", "-", "none", "job", "none")
label_join(up, "job", "", "none")
histogram_quantile(0.5, heap_bucket)
histogram_quantile(0.9, heap_bucket)
histogram_quantile(0, heap_bucket)
histogram_quantile(1, heap_bucket)
histogram_quantile(-0.1, heap_bucket)
histogram_quantile(1.1, heap_bucket)
histogram_quantile(NaN, heap_bucket)
histogram_quantile(scalar(up{job="web"}) / 2, heap_bucket)
histogram_quantile(0.5, up)
histogram_quantile(0.5, sum by (le) (heap_bucket))
histogram_quantile(0.50000000000000025, tiny_bucket)
histogram_quantile(0.5, tiny_bucket)
hour(vector(1709213820))
minute(vector(1709213820))
day_of_month(vector(1709213820))
day_of_week(vector(1709213820))
day_of_year(vector(1709213820))
days_in_month(vector(1709213820))
month(vector(1709213820))
year(vector(1709213820))
year(vector(-1))
days_in_month(vector(-1))
hour()
minute()
last_over_time(load[5m])
predict_linear(load[5m], 3600)
deriv(load[5m])
deriv(up[5m])
quantile_over_time(0.5, load[5m])
quantile_over_time(scalar(up{job="web"}), load[5m])
rate(ends[5m])
ends
ends offset 2m
resumed
count_over_time(resumed[10m])
rate(resumed[10m])
increase(resumed[10m])
irate(resumed[10m])
changes(odd[10m])
resets(resumed[10m])
rate(single[5m])
irate(single[5m])
delta(single[5m])
deriv(single[5m])
single
increase(born[5m])
increase(born[1m])
increase(born[10m])
increase(reset[5m])
rate(reset[5m])
irate(reset[5m])
delta(reset[5m])
idelta(reset[5m])
increase(negative[5m])
sum_over_time(mixed[10m])
avg_over_time(mixed[10m])
lone
lone offset 1s
count_over_time(lone[5m])
count_over_time(lone[5m1ms])
timestamp(lone)
rate(mixed[10m])
sum(mixed_a or mixed_b)
{"odd name", "odd label"="x"}
sum by ("odd label") ({"odd name"})
avg_over_time(big[5m])
sum_over_time(big[5m])
avg(big)
avg_over_time(odd[10m])
min_over_time(odd[10m])
max_over_time(odd[10m])
stddev_over_time(load[5m])
stdvar_over_time(load[5m])
((up))
(up)[5m]
(up) offset 1m
up[5m]
up[0s]
up[-5m]
rate(up)
rate(up[5m]
rate(up[5m], 1)
sum(1)
sum(up, up)
sum
topk(up)
topk(up, 1)
quantile(up)
up{
up}
up{job=web}
up{job=~"("}
{}
{job=""}
{job=~".*"}
up{__name__="x"}
up + 
+ up +
up up
1 > 2
1 and 2
up and 1
up + bool up
up and bool up
up + on (job) group_left (job) up
up and on (job) group_left up
up + on job up
"text"
sum("text")
abs("text")
abs()
abs(up, up)
abs(1)
vector(up)
scalar(1)
round(up, up)
none_such(up)
Rate(up[5m])
up offset
up offset up
up[5m:1m
up[5m:1m:1m]
1[5m]
1[5m:1m]
vector(1)[5m:1m]
up[1.5m]
5x
1.5.5
up ! 1
up = 1
up =~ "x"
up{job=="web"}
up{job}
label_replace(up, "x", "y", "job")
label_replace(up, x, "y", "job", "z")
count_values(up, up)
count_values("v")
"unterminated
up{job="unterminated}
up{job="\q"}
on(job) up
bool
offset
by
and
up and
group_left
avg
start
end
""".strip("\n")


def written(promtool, folder):
    """The file with what is written above, on series that have every oddity."""
    series = {
        'up{job="web", place="x"}': "1x100", 'up{job="db", place="y"}': "0x100",
        'load{job="web", instance="a"}': "0+7x100", 'load{job="web", instance="b"}': "101-3x100",
        'load{job="db", instance="a"}': "5 1 9 2 8x100",
        'odd{kind="nan"}': "NaN 1 NaN 2 NaN+0x100", 'odd{kind="inf"}': "Inf+0x100", 'odd{kind="neg"}': "-2.5x100",
        'odd{kind="zero"}': "0x100", 'odd{kind="some"}': "2.5x100",
        'heap_bucket{le="-1"}': "0x100", 'heap_bucket{le="1"}': "0+3x100", 'heap_bucket{le="2"}': "0+2x100",
        'heap_bucket{le="4.0"}': "0+9x100", 'heap_bucket{le="+Inf"}': "0+10x100", 'heap_bucket{le="bad"}': "1x100",
        'heap_bucket{le="-5", kind="low"}': "4x100", 'heap_bucket{le="Inf", kind="low"}': "8x100",
        'heap_bucket{le="1", kind="open"}': "8x100",
        "ends": "1 2 3 4 5x10 stale", "resumed": "1+1x8 stale _x4 2+5x6 _x3 1 stale 4 9 11x60",
        "single": "_x18 5 _x80", "born": "_x12 100+10x80", "reset": "5 6 7 0 3 9 2+2x80", "negative": "-50+10x100",
        "big": "1e308x100", "mixed": "1 1e100 1 -1e100 1e16 1 -1e16 0.1 0.2 _x9 1 1e100 1 -1e100 3", "lone": "1",
        'tiny_bucket{le="1"}': "1000000000000000x100", 'tiny_bucket{le="2"}': "1000000000000001x100",
        'tiny_bucket{le="+Inf"}': "2000000000000000x100", '{"odd name", "odd label"="x"}': "5x100", "sum": "3x100", "UP": "2x100", "avg": "4x100", "start": "6x100",
    }
    parts, part = [], ""
    for line in WRITTEN.split("\n"):
        # A line that ends in a comment goes on.
        part += line
        if line.endswith("+ # a comment"):
            part += "\n"
        else:
            parts.append(part)
            part = ""
    head = {"rule_files": [], "evaluation_interval": "30s", "fuzzy_compare": True}
    counts = {"exprs": 0, "refused": 0, "unstable": 0}
    pinned, bad = [], []
    shown = [{"series": name, "values": values} for name, values in series.items()]
    for time in ("9m30s", "17s", "12m45s", "4m59s", "5m"):
        one = {"name": f"written-{time}", "interval": "30s", "input_series": shown}
        checks = [{"expr": expr, "eval_time": time} for expr in parts]
        horizon = {"expr": "vector(0)", "eval_time": "20m"}
        with open(os.path.join(folder, "asked.yml"), "w") as out:
            out.write(dump({**head, "tests": [{**one, "promql_expr_test": [*checks, horizon]}]}))
        seen = [run(promtool, folder, ["asked.yml"])[0] for _ in range(3)]
        os.remove(os.path.join(folder, "asked.yml"))
        assert all(("vector(0)", 1200) in each["exprs"] for each in seen), "promtool did not read the file"
        good, refused = [], []
        for check in checks:
            key = (check["expr"], seconds(time))
            got = [sorted(each["exprs"].get(key, [])) for each in seen]
            if all(key in each["refused"] for each in seen):
                refused.append(check)
            elif any(a != got[0] for a in got):
                counts["unstable"] += 1
                print(f"unstable: {key}", file=sys.stderr)
            else:
                expected = [{"labels": name, "value": value(number)} for name, number in got[0]]
                good.append({**check, "exp_samples": expected})
        counts["exprs"] += len(good)
        counts["refused"] += len(refused)
        good.append({**horizon, "exp_samples": [{"labels": "{}", "value": 0}]})
        pinned.append({**one, "promql_expr_test": good})
        bad.append({**one, "promql_expr_test": [*refused, {"expr": "vector(", "eval_time": "20m"}]})
    for name, tests in (("written.yml", pinned), ("written.refused.yml", bad)):
        with open(os.path.join(folder, name), "w") as out:
            out.write(dump({**head, "tests": tests}))
    return counts


def main():
    promtool, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    cases = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    os.makedirs(folder, exist_ok=True)
    total = written(promtool, folder)
    for at in range((cases + TESTS - 1) // TESTS):
        counts = batch(promtool, folder, f"case{seed + at:04}", seed + at)
        total = {key: total.get(key, 0) + counts.get(key, 0) for key in {**total, **counts}}
    print(", ".join(f"{count} {what}" for what, count in total.items()))


if __name__ == "__main__":
    main()
