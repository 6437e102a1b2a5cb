"""Shares of servers and ends, seen and simulated: whether chance explains how they differ, and how they are shown."""

import math

# Beyond so many deviations lies one in a thousand.
DEVIATIONS = 3.29


def counted(words):
    return {word: words.count(word) for word in sorted(set(words))}


def differences(case, seen, runs):
    """Where what was seen lies outside what chance allows. A dead server cannot be seen being tried."""
    dead = {x for x, rules in zip("abcdef", case["servers"]) if rules.get("refuses")}
    # A program has a status, a scenario an outcome: what both know is whether there was an answer.
    well = {"200": "ok", "succeeded": "ok"}
    for what in ("servers", "ends"):

        def shares_of(counts):
            own = {}
            for key, n in counts.items():
                if key not in dead:
                    name = key if what == "servers" else well.get(key, "failed")
                    own[name] = own.get(name, 0) + n
            return shares(own)

        real, all_runs = shares_of(seen[what]), [shares_of(run[what]) for run in runs]
        n = sum(seen[what].values())
        if not n:
            yield f"{what}: nothing was seen"
            continue
        for key in sorted(set(real).union(*all_runs)):
            of = [run.get(key, 0.0) for run in all_runs]
            mean = sum(of) / len(of)
            # Of requests that do not depend on each other, or as the runs have it where they do.
            chance = max(mean * (1 - mean) / n, sum((x - mean) ** 2 for x in of) / (len(of) - 1))
            if abs(real.get(key, 0.0) - mean) > DEVIATIONS * math.sqrt(chance * (1 + 1 / len(of))) + 1 / n:
                yield f"{what} {key}: {real.get(key, 0.0):.3f} and {mean:.3f}"


def shares(counts):
    total = max(sum(counts.values()), 1)
    return {key: n / total for key, n in counts.items()}


def shown(counts):
    return " ".join(f"{key} {100 * share:.1f}" for key, share in shares(counts).items() if share > 0)


def both(of):
    return f"{shown(of['servers'])} | {shown(of['ends'])}"


def summed(runs):
    """All runs together."""
    keys = lambda what: sorted(set().union(*(run[what] for run in runs)))
    return {what: {key: sum(run[what].get(key, 0) for run in runs) for key in keys(what)} for what in ("servers", "ends")}
