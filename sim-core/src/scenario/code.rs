//! Every code a problem can have.

/// What a code means.
#[derive(Debug)]
pub struct Code {
    /// Such as `E012`.
    pub code: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// What it means and how to mend it.
    pub explanation: &'static str,
}

const fn row(code: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code {
        code,
        title,
        explanation,
    }
}

/// Every code, for `stampede explain`.
pub static CODES: &[Code] = &[
    row(
        "E001",
        "not well-formed",
        "The text breaks the rules of TOML or JSON, so nothing in it could be read. The place is where the parser stumbled; the slip is there or shortly before.",
    ),
    row(
        "E002",
        "too large or too deep",
        "A scenario is at most 64 MiB long, a single text 64 KiB, and its values are nested at most 24 deep: beyond that it is a mistake or an attack.",
    ),
    row(
        "E003",
        "not a finite number",
        "inf, nan and numbers beyond all bounds cannot be calculated with.",
    ),
    row(
        "E004",
        "no scenario",
        "The file is something else: the configuration of another program, a log, a table; or a file that a scenario refers to and that is none. What it holds is not shown.",
    ),
    row(
        "E010",
        "unknown key",
        "The table has no such key. It is not ignored, because a misspelt key would otherwise leave the default in force without a word.",
    ),
    row(
        "E011",
        "something is missing",
        "A key without a default, or a part no scenario can do without, is not written.",
    ),
    row(
        "E012",
        "wrong kind of value",
        "A text stands where a number is wanted, a number where a span with a unit is wanted, and so on.",
    ),
    row(
        "E013",
        "out of range",
        "The value is of the right kind but outside of what makes sense.",
    ),
    row(
        "E014",
        "unknown word",
        "Only some words are allowed here: the names of extension rows, or the words of a list.",
    ),
    row(
        "E015",
        "malformed value",
        "A span is a number and a unit (\"250ms\", \"2h45m\"), a clock time is hh:mm or hh:mm:ss and needs `clock`, a size is \"512MiB\", a share is 0.05 or \"5%\".",
    ),
    row(
        "E016",
        "not a whole number",
        "Things that are counted need whole numbers, written without a decimal point.",
    ),
    row(
        "E017",
        "values that do not fit together",
        "Each value is fine, but not beside the others.",
    ),
    row(
        "E018",
        "not a name",
        "Names occur in paths and events, so they hold only letters, digits, `-` and `_`. Alerts and objectives may have longer names.",
    ),
    row(
        "E019",
        "the same name twice",
        "Two things of a kind have one name; a path or an event could mean either.",
    ),
    row(
        "E020",
        "nothing of this name",
        "A service, class, server or machine is referred to that is not written.",
    ),
    row(
        "E021",
        "shares do not add up",
        "The shares of the classes of requests add up to 1, and those of a balancer's routes to no more.",
    ),
    row(
        "E022",
        "empty fleet",
        "A service needs at least one server for what the routes of its balancer do not take.",
    ),
    row(
        "E023",
        "all weights are zero",
        "With weight 0 a server is not chosen; when all have it, none can be.",
    ),
    row(
        "E024",
        "too many",
        "There are bounds on how much a scenario may hold, so that no text can take the machine down.",
    ),
    row(
        "E025",
        "calls in a circle",
        "A service calls another, which in the end calls the first: a request would never come to an end.",
    ),
    row(
        "E026",
        "`like` in a circle",
        "A server copies the keys of another one, which in the end copies those of the first.",
    ),
    row(
        "E027",
        "rate and arrivals do not fit",
        "Open arrivals need a `rate`; closed ones and traces bring their own. `rate_factor` multiplies rates and the requests of traces, not the users of closed arrivals.",
    ),
    row(
        "E028",
        "corners out of order",
        "The corners of a rate ascend in time.",
    ),
    row(
        "E030",
        "outside of the run",
        "An entry of the time line lies after the horizon and would never happen.",
    ),
    row(
        "E031",
        "an entry that does not make sense",
        "An entry of the time line, or a step of a runbook, either sets keys or does something to a target, with the keys that belong to it.",
    ),
    row(
        "E032",
        "not understood",
        "A condition or an expectation does not follow the grammar.",
    ),
    row(
        "E033",
        "unknown metric, event or figure",
        "A condition or an expectation names something that does not exist: it could never hold, or always.",
    ),
    row(
        "E034",
        "metric of the wrong thing",
        "Some metrics exist only for servers, others only for requests.",
    ),
    row(
        "E040",
        "no such path",
        "A path names keys from the top down, joined by dots: service.web.server.web-1.weight.",
    ),
    row(
        "E041",
        "set twice",
        "One path is given two values. Whichever won, somebody would be surprised.",
    ),
    row(
        "E042",
        "cannot change while time runs",
        "Names, numbers of servers, the horizon, the seed and the like belong to the run as a whole. Weights, limits, policies, rates and the behaviour of callers can change.",
    ),
    row("E044", "cannot be set", "This key belongs into a file."),
    row(
        "E050",
        "base not found",
        "The scenario changes another one, which cannot be read.",
    ),
    row(
        "E051",
        "bases in a circle",
        "A scenario is based on one that is based on it.",
    ),
    row(
        "E052",
        "not in a scenario with a base",
        "Beside `base` a scenario may hold title, question, set, further servers of its services, further entries of the time line, further alerts and runbooks, its own monitoring, and its own expectations.",
    ),
    row(
        "E053",
        "trace not readable",
        "A trace has a time in each line: seconds or a span since the start of the run, seconds since 1970, or the date of an access log. What else it holds is not shown. A file may have 64 MiB, and the traces of a scenario 50 million requests in all: of a longer log only the times need be there, and several sources can each have a part.",
    ),
    row(
        "E054",
        "scenario of a plan not found",
        "A plan varies a scenario, which cannot be read.",
    ),
    row(
        "E055",
        "rules of Prometheus that cannot be used",
        "A file of rules, or the expression of an alert, is not what Prometheus 3.5 reads, or asks for series that no simulation or not this scenario has: it could never fire, or always. `stampede list series` has them, `stampede list alert-functions` the functions.",
    ),
    row(
        "E056",
        "a script that cannot be used",
        "The script of a policy cannot be read, or says something that makes no sense: what, and in which line, stands beside it. `stampede list script-functions` has what a script can ask.",
    ),
    row(
        "E060",
        "an axis that does not make sense",
        "An axis of a plan has either a path, or paths that go together, or a sample; and a path has either a list of values, or a range with both ends and a count or a step.",
    ),
    row(
        "E099",
        "mistake of the program",
        "This should not happen; please report it with the scenario.",
    ),
];
