"""What `gatehouse evaluate` prints for people to read."""

from collections.abc import Iterator
from typing import Any


def _percent(result: dict[str, Any], name: str) -> str:
    low, high = result[f"{name}_low"], result[f"{name}_high"]
    return f"{result[name]:8.2%}  [{low:.2%}, {high:.2%}]"


def _rate(rate: dict[str, float] | None) -> str:
    if rate is None:
        return "nobody to measure"
    return f"{rate['value']:.2%} [{rate['low']:.2%}, {rate['high']:.2%}]"


def evaluation_lines(result: dict[str, Any]) -> Iterator[str]:
    """The measures of `face_engine.evaluation.report`."""
    yield (
        f"{result['photos']} photos of {result['people']} people, pack {result['pack']}; "
        f"failure to enroll {result['failure_to_enroll']:.2%}"
    )
    if result["accuracy"] is not None:
        yield f"Pairs: accuracy {_percent(result, 'accuracy').strip()}"
        for point in result["det"]:
            yield f"  FMR {point['fmr']:8.2%}  FNMR {point['fnmr']:8.2%}"
    if result["identification"]:
        yield (
            f"Identification: {result['gallery_size']} people enrolled with up to "
            f"{result['gallery_photos']} photos; {result['mated_probes']} probes of "
            f"{result['probe_frames']} frame(s); {result['non_mated_probes']} strangers"
        )
        for row in result["identification"]:
            doubt = "" if row["supported"] else "  too few strangers to support this"
            yield f"  FPIR {row['fpir']:6.1%}  FNIR {_percent(row, 'fnir')}{doubt}"
    if result["quality"]:
        yield "Without the probes of the lowest quality, at the threshold of FPIR 1%:"
        for point in result["quality"]:
            yield f"  left out {point['discard']:4.0%}  FNIR {_percent(point, 'fnir')}"
    if result["note"]:
        yield f"No identification: {result['note']}"
    if "comparison" in result:
        yield from _comparison_lines(result["comparison"])
    for group in result.get("groups", ()):
        yield from _group_lines(group)


def _group_lines(group: dict[str, Any]) -> Iterator[str]:
    yield f"Group {group['name']}: {group['people']} people, {group['enrolled']} of them enrolled"
    for kind, names in (("verification", ("FMR", "FNMR")), ("identification", ("FPIR", "FNIR"))):
        for row in group[kind]:
            yield (
                f"  where everybody has {names[0]} {row['asked']:6.2%}: "
                f"{names[0]} {_rate(row['false'])}, {names[1]} {_rate(row['missed'])}"
            )
    for row in group["self_calibration"]:
        yield (
            f"  an estate of {row['gallery_size']} of them that asks for FPIR "
            f"{row['asked']:.0%} would get"
        )
        for calibration, words in (
            ("public", "with the public calibration"),
            ("own", "with its own"),
            ("cautious", "with the stricter of both"),
        ):
            kept = row[calibration]
            yield f"    {words:<28} FPIR {_rate(kept['fpir'])}, FNIR {_rate(kept['fnir'])}"


def _comparison_lines(comparison: dict[str, Any]) -> Iterator[str]:
    def words(configuration: dict[str, Any]) -> str:
        return (
            f"K={configuration['gallery_photos']}, F={configuration['probe_frames']}, "
            f"mirror {configuration['mirror']}"
        )

    yield (
        f"{words(comparison['configuration'])} against {words(comparison['against'])}, "
        f"on the photos that neither enrolls"
    )
    for row in comparison["rows"]:
        difference = row["difference"]
        verdict = "" if row["significant"] else "  may be chance"
        yield (
            f"  FPIR {row['fpir']:6.1%}  FNIR {row['fnir']:.2%} against {row['against']:.2%}: "
            f"{difference['value']:+.2%} [{difference['low']:+.2%}, {difference['high']:+.2%}]"
            f"{verdict}"
        )
