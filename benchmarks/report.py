"""The results for people and machines: a table in Markdown, JSON, and plots of cost against size."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Figures, Row
from benchmarks.walks import Walk

_HEADINGS = ("operation", "users", "req/s", "p50 ms", "p99 ms", "limit req/s", "ratio", "at least", "SQL")


_WALK_HEADINGS = (
    "walk",
    "users",
    "pages",
    "very first ms",
    "first page p50",
    "its p99",
    "pages p50",
    "p99",
    "slowest",
    "p50 to first",
    "p99 to first",
)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    peers = sorted({name for row in rows for name in row.peers})
    headings = (*_HEADINGS, *(f"{name} req/s" for name in peers))
    lines = [headings, tuple("---" for _ in headings)]
    lines += [_cells(row, peers) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cells(row: Row, peers: Sequence[str]) -> tuple[str, ...]:
    return (
        row.operation,
        f"{row.users:,}",
        _number(row.ours.rate),
        f"{row.ours.p50:.2f}",
        f"{row.ours.p99:.2f}",
        _rate(row.limit),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if row.least is None else f"{row.least:.2f}",
        "" if row.statements is None else str(row.statements),
        *(_rate(row.peers.get(name)) for name in peers),
    )


def walk_table(walks: Sequence[Walk]) -> str:
    """Return walks as a Markdown table."""
    lines: list[tuple[str, ...]] = [_WALK_HEADINGS, tuple("---" for _ in _WALK_HEADINGS)]
    for walk in walks:
        figures = (walk.cold, walk.first, walk.first_p99, walk.p50, walk.p99, walk.slowest)
        ratios = (f"{walk.ratio:.2f}", f"{walk.late_ratio:.2f}")
        lines.append(
            (walk.name, f"{walk.users:,}", f"{walk.pages:,}", *(f"{value:.1f}" for value in figures), *ratios)
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _rate(figures: Figures | None) -> str:
    return "" if figures is None else _number(figures.rate)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004 - below ten a fraction tells


def write(folder: Path, rows: Sequence[Row], walks: Sequence[Walk], facts: dict[str, Any]) -> list[Path]:
    """Write JSON, the tables and a plot for each database; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "results.json"]
    found = {"rows": [row.as_dict() for row in rows], "walks": [walk.as_dict() for walk in walks]}
    files[0].write_text(json.dumps({**facts, **found}, indent=2), encoding="utf-8")
    for database in sorted({row.database for row in rows} | {walk.database for walk in walks}):
        own = [row for row in rows if row.database == database]
        own_walks = walk_table([walk for walk in walks if walk.database == database])
        files.append(folder / f"{database}.md")
        files[-1].write_text(f"{table(own)}\n{own_walks}", encoding="utf-8")
        if own:
            files.append(folder / f"{database}.svg")
            plot(files[-1], own)
    return files


def plot(file: Path, rows: Sequence[Row]) -> None:
    """Draw the median latency of every operation against the number of users, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(10, 7))
    for name in dict.fromkeys(row.operation for row in rows):
        points = sorted((row.users, row.ours.p50) for row in rows if row.operation == name)
        axes.plot([users for users, _ in points], [p50 for _, p50 in points], marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="users", ylabel="p50 in ms at 16 connections")
    axes.set_title(f"Cost against size, {rows[0].database}")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize="x-small", ncols=2, loc="upper left", bbox_to_anchor=(0, -0.1))
    figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
