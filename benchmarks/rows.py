"""The table's rows: who draws with which preset."""

from dataclasses import dataclass, replace

from generator.presets import BALANCED, FAITHFUL, FAST, PRESETS, QUICK, Preset

REPORT, OPENVINO, OURS = "report", "openvino", "ours"
"""Systems, by their modules."""


@dataclass(frozen=True)
class Row:
    """One way to draw a picture.

    Attributes:
        key: how figures are kept.
        label: how people read it.
        system: who draws.
        preset: how.
        short: so many steps are enough to tell what all take; None: it is drawn whole.
        times: how often it is drawn in a round.
    """

    key: str
    label: str
    system: str
    preset: Preset
    short: int | None = None
    times: int = 1

    @property
    def even(self) -> bool:
        """Whether all steps cost the same."""
        return self.preset.guided is None and self.preset.reuse is None


_FAITHFUL, _BALANCED, _QUICK, _FAST = (PRESETS[name] for name in (FAITHFUL, BALANCED, QUICK, FAST))

# Each system draws its rows in this order, and the peak of memory only ever rises: what needs a
# second UNet comes last.
ROWS = (
    Row("report", "the report: fp32, PNDM, 50 steps", REPORT, _FAITHFUL, short=3),
    Row("fp32", "the report's pipeline with `balanced`'s 20 steps", REPORT, _BALANCED),
    Row("openvino-50", "OpenVINO: bf16, PNDM, 50 steps", OPENVINO, _FAITHFUL, short=3),
    Row("openvino", "OpenVINO: bf16, Euler, 20 steps", OPENVINO, _BALANCED, short=4, times=3),
    Row("balanced", "`balanced`", OURS, _BALANCED),
    Row(
        "interval",
        "`balanced` with guidance in an interval",
        OURS,
        replace(_BALANCED, guided=_QUICK.guided),
    ),
    Row("quick", "`quick`", OURS, _QUICK),
    Row("faithful", "`faithful`", OURS, _FAITHFUL, short=3),
    Row("fast", "`fast`", OURS, _FAST),
)

BY_KEY = {row.key: row for row in ROWS}
