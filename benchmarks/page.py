"""Writes figures as Markdown, and puts them into the docs."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks import chart
from benchmarks.dial import falling
from benchmarks.history import BARS
from benchmarks.markdown import table, write_figures
from benchmarks.results import WAITING, Results, Spread
from benchmarks.rows import BY_KEY, OPENVINO, OURS, REPORT
from benchmarks.steps import Cost
from generator import models
from generator.models import known

_DOCS = Path(__file__).parent.parent / "docs"
_PAGE = _DOCS / "benchmarks.md"
_CHART = _DOCS / "images" / "benchmarks.svg"

_NAMES = {REPORT: "the report", OPENVINO: "OpenVINO", OURS: "Lookalike"}


def write(results: Results) -> None:
    """Writes the chart, and the figures between the marks of the page."""
    link = f"![{chart.description(results)}](images/{_CHART.name})\n\n"
    _CHART.write_text(chart.draw(results), encoding="utf-8")
    write_figures(_PAGE, link + text(results))


def text(results: Results) -> str:
    """All figures as Markdown."""
    return "\n\n".join(
        (
            _about(results),
            table(("what was asked for", "bar", "measured"), _bars(results)),
            table(
                (
                    "",
                    "s a step",
                    "s a picture",
                    "of the report's",
                    f"pictures an hour, {' / '.join(map(str, WAITING))} jobs waiting",
                    "peak memory, GiB",
                ),
                _pictures(results),
            ),
            table(
                ("", "imports, s", "loading, s", "the first step, s"),
                _starts(results),
            ),
            table(
                ("pictures at once", "s a step", "for each", "of one alone"),
                _batches(results),
            ),
            table(
                (
                    "`balanced`, by what it starts from",
                    "steps",
                    "s for words",
                    "s to encode",
                    "s of steps",
                    "s to decode",
                    "s a step",
                ),
                _costs(results),
            ),
            table(
                ("the dial", "init strength", "distance of colours to the photo"), _dial(results)
            ),
            table(
                ("the engine and full precision", "median (least to most)"),
                _likeness(results),
            ),
            table(("the machine's peaks", "before", "after"), _peaks(results)),
            table(
                ("around the model", "measured", "bar"),
                _services(results),
            ),
            table(
                (
                    "dbservice, ms with closed generations",
                    *(f"{size:,}" for size in results.history),
                    "bar",
                ),
                _history(results),
            ),
        )
    )


def _about(results: Results) -> str:
    short = " A short run with few steps, whose figures are rough." if results.quick else ""
    known = "\n".join(f"* {what}: {value}" for what, value in results.machine.items())
    return (
        f"Measured on {results.date}, in {results.minutes:.0f} minutes, pictures of"
        f" {results.side} x {results.side}. Medians (least to most).{short}\n\n{known}"
    )


def _bars(results: Results) -> list[tuple[str, str, str]]:
    def ratio(key: str, other: str) -> float:
        return results.step(other).median / results.step(key).median

    def share(key: str) -> str:
        return f"1/{results.picture('report').median / results.picture(key).median:.1f}"

    found = [
        (
            "a step against full precision",
            "3.0 times as fast",
            f"{ratio('balanced', 'fp32'):.2f} times",
        ),
    ]
    if "openvino" in results.rows:
        found.append(
            ("a step against OpenVINO's", "as fast", f"{ratio('balanced', 'openvino'):.2f} times")
        )
    load = max(load for _, load in results.starts[OURS])
    least_cosine, least_psnr = (min(values) for values in zip(*results.likeness, strict=True))
    return [
        *found,
        ("a `balanced` picture, of the report's", "1/7", share("balanced")),
        ("the same with guidance in an interval", "1/9", share("interval")),
        ("a `quick` picture", "1/15", share("quick")),
        ("peak memory", "4.0 GiB", f"{results.rows['balanced'].peak:.1f} GiB"),
        ("loading, the slowest", "12 s", f"{load:.1f} s"),
        ("cosine of the latents, the least", "0.999", f"{least_cosine:.5f}"),
        ("PSNR of the pictures, the least", "40 dB", f"{least_psnr:.1f} dB"),
        *_proportionate(results),
        ("a job's overhead", "50 ms", f"{Spread.of(results.overhead).median:.0f} ms"),
    ]


def _pictures(results: Results) -> list[tuple[str, ...]]:
    slowest = results.picture("report").median
    return [
        (
            BY_KEY[key].label,
            _spread(results.step(key)),
            _spread(results.picture(key)) + (" *" if results.is_extrapolated(key) else ""),
            f"1/{slowest / results.picture(key).median:.1f}",
            " / ".join(_number(results.hourly(key, count)) for count in WAITING),
            f"{results.rows[key].peak:.1f}",
        )
        for key in results.keys
    ]


def _starts(results: Results) -> list[tuple[str, ...]]:
    return [
        (
            _NAMES[name],
            *(_spread(Spread.of(seconds)) for seconds in zip(*starts, strict=True)),
            f"{results.first[name]:.3g}",
        )
        for name, starts in results.starts.items()
    ]


def _batches(results: Results) -> list[tuple[str, ...]]:
    spreads = {count: Spread.of(taken) for count, taken in results.batches.items()}
    return [
        (
            str(count),
            _spread(spread),
            f"{spread.median / count:.3g}",
            f"{100 * spread.median / count / spreads[1].median:.0f} %",
        )
        for count, spread in spreads.items()
    ]


def _costs(results: Results) -> list[tuple[str, ...]]:
    def median(costs: Sequence[Cost], part: str) -> str:
        return _number(Spread.of([getattr(cost, part) for cost in costs]).median)

    return [
        (
            name,
            str(costs[0].computed),
            *(median(costs, part) for part in ("embed", "encode", "steps", "decode")),
            _spread(_each(costs)),
        )
        for name, costs in results.costs.items()
    ]


def _each(costs: Sequence[Cost]) -> Spread:
    """Seconds a step."""
    return Spread.of([cost.steps / cost.computed for cost in costs])


def _proportionate(results: Results) -> list[tuple[str, str, str]]:
    """Whether seconds go by the steps that are computed, and speed-ups by nothing."""
    first, *others = (_each(costs).median for costs in results.costs.values())
    farthest = max(abs(other / first - 1) for other in others)
    square, upright = (Spread.of(ratios).median for ratios in results.speed_ups.values())
    near, drawn = falling(results.dial)
    return [
        (
            "a step of a picture that starts from a photo, or of 3:4, the farthest off",
            "10 %",
            f"{100 * farthest:.1f} %",
        ),
        (
            "a step at 3:4 against full precision",
            f"{square:.2f} times, as at 1:1",
            f"{upright:.2f} times",
        ),
        (
            f"of {drawn} pictures of {len(results.dial)} photos, as near as the dial says",
            "90 %",
            f"{100 * near / drawn:.0f} %",
        ),
    ]


def _dial(results: Results) -> list[tuple[str, ...]]:
    drawn = [distances for seeds in results.dial.values() for distances in seeds]
    strengths = known.dial(models.find("emoji"))
    down = sorted(strengths.items(), key=lambda step: -step[1])
    names = [("Dream", ""), *((name.capitalize(), str(strength)) for name, strength in down)]
    return [
        (name, strength, _spread(Spread.of(distances)))
        for (name, strength), distances in zip(names, zip(*drawn, strict=True), strict=True)
    ]


def _likeness(results: Results) -> list[tuple[str, str]]:
    cosines, psnrs = (Spread.of(values) for values in zip(*results.likeness, strict=True))
    return [
        ("latents, cosine", f"{cosines.median:.5f} ({cosines.least:.5f} to {cosines.most:.5f})"),
        ("pictures, PSNR in dB", _spread(psnrs)),
    ]


def _peaks(results: Results) -> list[tuple[str, ...]]:
    return [
        (what, *(_spread(Spread.of(peaks[what])) for peaks in results.peaks))
        for what in results.peaks[0]
    ]


def _services(results: Results) -> list[tuple[str, ...]]:
    overhead = f"{_spread(Spread.of(results.overhead))} ms"
    return [("a job: HTTP, XML, queue, PNG", overhead, "50 ms"), *results.services]


def _history(results: Results) -> list[tuple[str, ...]]:
    tables = list(results.history.values())
    return [
        (name, *(_number(found[name]) for found in tables), BARS.get(name, ""))
        for name in (tables[0] if tables else ())
    ]


def _spread(spread: Spread) -> str:
    return f"{_number(spread.median)} ({_number(spread.least)} to {_number(spread.most)})"


def _number(value: float) -> str:
    """With three digits."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"  # noqa: PLR2004, they show by themselves
