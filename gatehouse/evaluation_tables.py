"""What `gatehouse evaluate` prints for people to read."""

from collections.abc import Iterator
from typing import Any

# More lines than this hide the measures.
_MOST_FAILURES = 10
# What one line per degradation tells of.
_FPIR = 0.01


def _percent(result: dict[str, Any], name: str) -> str:
    low, high = result[f"{name}_low"], result[f"{name}_high"]
    return f"{result[name]:8.2%}  [{low:.2%}, {high:.2%}]"


def _rate(rate: dict[str, float] | None) -> str:
    if rate is None:
        return "nobody to measure"
    return f"{rate['value']:.2%} [{rate['low']:.2%}, {rate['high']:.2%}]"


def evaluation_lines(result: dict[str, Any]) -> Iterator[str]:
    """The measures of `face_engine.evaluation.report`."""
    yield from _photo_lines(result)
    if result["accuracy"] is not None:
        yield f"Pairs: accuracy {_percent(result, 'accuracy').strip()}"
        for point in result["det"]:
            yield f"  FMR {point['fmr']:8.2%}  FNMR {_percent(point, 'fnmr')}"
    if result["identification"]:
        yield from _identification_lines(result)
    if result["note"]:
        yield f"Note: {result['note']}"
    if result["degradations"]:
        yield from _degradation_lines(result["degradations"])
    if "door_check" in result:
        yield from _door_check_lines(result["door_check"])
    if "comparison" in result:
        yield from _comparison_lines(result["comparison"])
    if "pack_comparison" in result:
        packs = result["pack_comparison"]
        yield f"{packs['pack']} against {packs['against']}, each at its own threshold"
        yield from _difference_lines(packs["rows"])
    for group in result.get("groups", ()):
        yield from _group_lines(group)


def _photo_lines(result: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{result['photos']} photos of {result['people']} people, pack {result['pack']}; "
        f"failure to enroll {result['failure_to_enroll']:.2%}"
    )
    for failure in result["failures"][:_MOST_FAILURES]:
        yield f"  {failure['photo']}: {failure['reason']}"
    if len(result["failures"]) > _MOST_FAILURES:
        yield f"  and {len(result['failures']) - _MOST_FAILURES} more; --json names them all"


def _identification_lines(result: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Identification: {result['gallery_size']} people enrolled with up to "
        f"{result['gallery_photos']} photos; {result['mated_probes']} probes of "
        f"{result['probe_frames']} frame(s); {result['non_mated_probes']} strangers"
    )
    for row in result["identification"]:
        doubt = "" if row["supported"] else "  too few strangers to support this"
        yield f"  FPIR {row['fpir']:6.1%}  FNIR {_percent(row, 'fnir')}{doubt}"
    yield "Without the probes of the lowest quality, at the threshold of FPIR 1%:"
    for point in result["quality"]:
        yield f"  left out {point['discard']:4.0%}  FNIR {_percent(point, 'fnir')}"


def _degradation_lines(results: list[dict[str, Any]]) -> Iterator[str]:
    """At one FPIR, the table's; `--json` has the others."""
    column = next(
        i for i, row in enumerate(results[0]["with_gate"]["rows"]) if row["fpir"] <= _FPIR
    )
    yield (
        f"Degraded probes, at the threshold that good photos give for FPIR "
        f"{results[0]['with_gate']['rows'][column]['fpir']:.0%}:"
    )
    for result in results:
        for way, words in (("without_gate", "without gate"), ("with_gate", "with gate")):
            row = result[way]["rows"][column]
            yield (
                f"  {result['name']:<11} {words:<12}  FNIR {_rate(row['fnir'])}  "
                f"not acquired {_rate(result[way]['failure_to_acquire'])}  "
                f"refused in all {_rate(row['refused'])}  "
                f"strangers let in {_rate(row['false_positives'])}"
            )
        difference = result["fnir_differences"][column]
        yield (
            f"  {'':<11} {'difference':<12}  FNIR {difference['value']:+.2%} "
            f"[{difference['low']:+.2%}, {difference['high']:+.2%}]"
        )


def _door_check_lines(result: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Would the enrolled photos open the door? Asked of {result['people']} people, "
        f"{result['refused_later']} of whom were refused later:"
    )
    yield f"  stopped of those refused later {_rate(result['warned'])}"
    yield f"  stopped of the others          {_rate(result['bothered'])}"


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
    yield from _difference_lines(comparison["rows"])


def _difference_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        difference = row["difference"]
        verdict = "" if row["significant"] else "  may be chance"
        yield (
            f"  FPIR {row['fpir']:6.1%}  FNIR {row['fnir']:.2%} against {row['against']:.2%}: "
            f"{difference['value']:+.2%} [{difference['low']:+.2%}, {difference['high']:+.2%}]"
            f"{verdict}"
        )
