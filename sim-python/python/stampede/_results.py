"""What commands find."""

from __future__ import annotations

import html
import json
import os
import pathlib
from typing import Any

from ._native import Answer, Table


class Figures(dict[str, Any]):
    """Figures by name: `figures["p99"]`, or `figures.p99`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            known = ", ".join(sorted(self))
            raise AttributeError(f"there is no figure {name!r} here: {known}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]


def _figures(text: str | bytes) -> Any:
    return json.loads(text, object_hook=Figures)


class Histogram:
    """How times are spread: so many from `lower` to `upper`, in seconds, in each bucket that is not empty.

    The three are buffers, which NumPy reads without a copy: `numpy.asarray(histogram.counts)`.
    """

    def __init__(self, lower: bytes, upper: bytes, counts: bytes) -> None:
        self.lower = memoryview(lower).cast("d")
        self.upper = memoryview(upper).cast("d")
        self.counts = memoryview(counts).cast("Q")

    def __len__(self) -> int:
        return len(self.counts)

    def __reduce__(self) -> tuple[Any, ...]:
        return Histogram, (bytes(self.lower), bytes(self.upper), bytes(self.counts))

    def __repr__(self) -> str:
        return f"<{sum(self.counts)} times in {len(self)} buckets>"


class _Kept:
    """What was found by a run that is over, or was in another process: all files, with their bytes."""

    def __init__(self, answer: Answer | _Kept, paths: list[str]) -> None:
        self.exit: int = answer.exit
        self.printed: str = answer.printed
        self.warnings: list[str] = answer.warnings
        self._files = {name: answer.file(name) for name in answer.names()}
        times = ((path, answer.times(path)) for path in paths)
        self._times = {path: of for path, of in times if of is not None}

    def names(self) -> list[str]:
        return list(self._files)

    def file(self, name: str) -> bytes | None:
        return self._files.get(name)

    def table(self, name: str) -> Table | None:
        csv = self.file(name)
        return None if csv is None else Table.from_csv(csv)

    def times(self, path: str) -> list[bytes] | None:
        return self._times.get(path)


class Result:
    """What a command found: figures, tables, a page.

    `print(result)` shows what the command prints, a notebook shows the report.
    """

    #: The file with all figures.
    _JSON = "experiment.json"

    def __init__(self, answer: Answer | _Kept) -> None:
        self._answer = answer

    @property
    def exit(self) -> int:
        """The exit code of the command: 0, or 6 where something does not hold that is expected."""
        return self._answer.exit

    @property
    def ok(self) -> bool:
        """Whether everything holds that is expected."""
        return self.exit == 0

    @property
    def scenario_warnings(self) -> list[str]:
        """What may not be meant in the scenario."""
        return self._answer.warnings

    @property
    def files(self) -> list[str]:
        """The names of all files that the command would write with `-o`."""
        return self._answer.names()

    def read(self, name: str) -> bytes:
        """A file, with the bytes that the command would write."""
        content = self._answer.file(name)
        if content is None:
            raise KeyError(f"there is no file {name!r}: {', '.join(self.files)}")
        return content

    def table(self, name: str) -> Table:
        """A table by the name of its file, with or without `.csv`."""
        name = name if name.endswith(".csv") else f"{name}.csv"
        table = self._answer.table(name)
        if table is None:
            tables = (own for own in self.files if own.endswith(".csv"))
            raise KeyError(f"there is no table {name!r}: {', '.join(tables)}")
        return table

    def json(self) -> str:
        """Every figure, with the bytes of the command's file."""
        return self.read(self._JSON).decode()

    @property
    def figures(self) -> Any:
        """The same, read."""
        return _figures(self.json())

    def html(self) -> str:
        """The report: a page that needs no other file and no network."""
        return self.read("report.html").decode()

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes all files into a folder."""
        place = pathlib.Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        for name in self.files:
            (place / name).write_bytes(self.read(name))

    def __str__(self) -> str:
        return self._answer.printed.rstrip("\n")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.files)}>"

    def _repr_html_(self) -> str:
        # A frame of its own: the page's style and script are none of the notebook's business, nor the other way round.
        page = html.escape(self.html(), quote=True)
        style = "width: 100%; height: 42rem; border: 0"
        return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{page}"></iframe>'

    def __getstate__(self) -> dict[str, Any]:
        return {"_answer": _Kept(self._answer, self._paths())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _paths(self) -> list[str]:
        """Paths of the times that are kept."""
        return []


class Run(Result):
    """A run: each figure of its summary is an attribute, such as `run.availability` or `run.response_time_s.p99`."""

    _JSON = "summary.json"

    def __init__(self, answer: Answer | _Kept) -> None:
        super().__init__(answer)
        self._summary: Figures | None = None

    @property
    def summary(self) -> Figures:
        """Every figure of the run."""
        if self._summary is None:
            self._summary = _figures(self.json())
        return self._summary

    def __getattr__(self, name: str) -> Any:
        # What is not made yet must not be looked for among what is made of it.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.summary, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.summary]

    def timeline(self) -> Table:
        """Metrics of the site, its classes and services over each interval."""
        return self.table("timeline")

    def servers(self) -> Table:
        """Metrics of each server over each interval."""
        return self.table("servers")

    def balancers(self) -> Table:
        """What each balancer instance holds at the end of each interval."""
        return self.table("balancers")

    def log(self) -> Table:
        """The event log: every change of state with its cause."""
        return self.table("events")

    def request_log(self) -> Table:
        """The request log, where `log_requests` asked for one."""
        return self.table("requests")

    def histogram(self, path: str = "response_time_s") -> Histogram:
        """How times are spread, by their path in the summary, such as `services.web.wait_s`."""
        times = self._answer.times(path)
        if times is None:
            raise KeyError(f"there are no times at {path!r}: {', '.join(self._paths())}")
        return Histogram(*times)

    def markdown(self) -> str:
        """The draft of a postmortem."""
        return self.read("report.md").decode()

    def svg(self) -> str:
        """The chart of what happened."""
        return self.read("report.svg").decode()

    def __repr__(self) -> str:
        return f"<Run: {self.scenario}, seed {self.seed}, digest {self.digest}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_summary": None}

    def _paths(self) -> list[str]:
        of = [("", self.summary)]
        for group in ("classes", "services"):
            members: dict[str, Figures] = self.summary.get(group) or {}
            of += [(f"{group}.{name}.", figures) for name, figures in members.items()]
        names = ("response_time_s", "wait_s", "wait_all_s")
        return [f"{prefix}{name}" for prefix, figures in of for name in names if figures.get(name)]


class Replications(Result):
    """Several runs of a scenario, and intervals for its figures."""

    def measures(self) -> Table:
        """Each measure with its interval."""
        return self.table("measures")

    def runs(self) -> Table:
        """Each replication's measures."""
        return self.table("replications")


class Comparison(Result):
    """Variants side by side."""

    def variants(self) -> Table:
        """Each variant's measures, ranks and differences."""
        return self.table("comparison")

    def runs(self) -> Table:
        """Each replication's measures of each variant."""
        return self.table("replications")


class Selection(Result):
    """The best of several variants, selected with a guarantee."""

    @property
    def verdict(self) -> str:
        """One sentence."""
        return str(self.figures["verdict"])

    @property
    def best(self) -> str | None:
        """The variant that was selected."""
        best = self.figures["best"]
        return None if best is None else str(best)

    def variants(self) -> Table:
        """Each variant with its mean, its replications, and after how many it was dropped."""
        return self.table("selection")


class Sweep(Result):
    """Cells of a sweep."""

    def cells(self) -> Table:
        """Each cell with its values and figures."""
        return self.table("cells")

    def sensitivity(self) -> Table:
        """What share of each measure's variance each path explains, of a sweep with `sobol=`."""
        return self.table("sensitivity")

    def csv(self) -> bytes:
        """The same, with the bytes of the command's table."""
        return self.read("cells.csv")

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.cells().__arrow_c_stream__(requested_schema)

    def json(self) -> str:
        raise TypeError("a sweep is a table: cells(), csv()")

    def __repr__(self) -> str:
        return f"<Sweep: {len(self.cells())} cells>"


class Stress(Result):
    """Where a system breaks, and whether it recovers."""

    @property
    def verdict(self) -> str:
        """One sentence."""
        return str(self.figures["verdict"])

    def table(self, name: str = "stress") -> Table:
        """Where each replication breaks; or the steps of the ramp; or the spots of the map."""
        return super().table(name)


class Remedies(Result):
    """What would have helped, best first."""

    @property
    def verdict(self) -> str:
        """One sentence."""
        return str(self.figures["verdict"])

    def table(self, name: str = "remedies") -> Table:
        """What was tried, and what each change saves."""
        return super().table(name)


class Printed(Result):
    """What a command prints."""

    def json(self) -> str:
        return self._answer.printed

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Verification(Printed):
    """The engine, compared with queueing theory and published tables."""

    def comparisons(self) -> Table:
        """A row for each comparison."""
        return Table.from_csv(self._csv())

    def _csv(self) -> bytes:
        import csv
        import io

        rows = json.loads(self.json())
        text = io.StringIO()
        if rows:
            writer = csv.DictWriter(text, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return text.getvalue().encode()

    def __str__(self) -> str:
        return "\n".join(f"{row['case']} {row['title']}: {row['figure']} {row['verdict']}" for row in self.figures)


class Imported(Printed):
    """A scenario that was made of something else, and what is to be known of it: `figures`."""

    @property
    def scenario(self) -> str:
        """The scenario as TOML, which `run` and all others take."""
        return str(self.figures["scenario"])

    def __str__(self) -> str:
        return self.scenario
