"""`gatehouse evaluate`: measure the face engine on a folder of photos."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from face_engine import centring
from face_engine.calibration import to_json
from face_engine.degradations import Degradation
from face_engine.errors import FaceEngineError
from face_engine.evaluation import Options, report
from face_engine.evaluation import evaluate as run_evaluation
from face_engine.evaluation.calibrating import calibrate
from face_engine.evaluation.comparison import Configuration
from face_engine.evaluation.comparison_report import report_comparison, report_packs
from face_engine.evaluation.foretelling import report_door_check
from face_engine.evaluation.group_report import report_groups
from face_engine.evaluation.middles import find_middle
from face_engine.evaluation.subjects import Mirror
from face_engine.models import DEFAULT_PACK, FacePack, default_folder, load_pack
from gatehouse import evaluation_plots
from gatehouse.evaluation_tables import evaluation_lines

# What shells report of a program that Ctrl-C ended.
_STOPPED = 130


class _ConfigurationType(click.ParamType[Configuration]):
    """`K,F,MIRROR`: enrolled photos, frames a probe, whose mirror images are fused."""

    name = "configuration"

    def convert(
        self,
        value: str | Configuration,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Configuration:
        if isinstance(value, Configuration):
            return value
        try:
            photos, frames, mirror = value.split(",")
            result = Configuration(int(photos), int(frames), Mirror(mirror.strip()))
        except ValueError:
            self.fail(f"'{value}' is not like 1,1,none", param, ctx)
        if min(result.gallery_photos, result.probe_frames) < 1:
            self.fail("photos and frames are at least 1", param, ctx)
        return result


def _check_files(plot_file: Path | None, *others: Path | None) -> None:
    """What would hinder writing the results is said before hours of encoding, not after."""
    for file in (plot_file, *others):
        if file is not None and not file.parent.is_dir():
            raise click.ClickException(f"there is no folder {file.parent}")
    if plot_file is None:
        return
    if not evaluation_plots.available():
        raise click.ClickException(evaluation_plots.MISSING)
    if plot_file.suffix.lower() not in evaluation_plots.FORMATS:
        raise click.ClickException(f"{plot_file} must end in .png, .svg or .pdf")


def _load(name: str, threads: int, *, uncentred: bool) -> FacePack:
    pack = load_pack(name, threads=threads)
    return pack.uncentred() if uncentred else pack


@contextmanager
def _told() -> Iterator[None]:
    """Whatever goes wrong, in a sentence."""
    try:
        yield
    except FaceEngineError as refused:
        raise click.ClickException(f"{refused} [{refused.code}]") from refused
    except OSError as failed:
        raise click.ClickException(str(failed)) from failed
    except KeyboardInterrupt:
        click.echo(
            "Stopped. What is encoded stays in the cache; the same command goes on.", err=True
        )
        raise SystemExit(_STOPPED) from None


@click.command()
@click.option(
    "--images",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Photos, one folder per person.",
)
@click.option(
    "--pairs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A pair list in the format of LFW's pairs.txt.",
)
@click.option(
    "--groups",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV file 'person,group': report each group apart.",
)
@click.option(
    "--leave-out",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Names, one a line, to leave out of the identification: known label mistakes.",
)
@click.option("--gallery-photos", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--probe-frames", default=1, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--mirror",
    default=Mirror.ALTERNATE.value,
    show_default=True,
    type=click.Choice([choice.value for choice in Mirror]),
    help="Whose mirror images are seen, too; doors alternate: every second frame is one.",
)
@click.option(
    "--against",
    type=_ConfigurationType(),
    metavar="K,F,MIRROR",
    help="Compare with another way to enroll and probe, for instance 1,1,none.",
)
@click.option(
    "--against-pack",
    metavar="NAME",
    help="Compare with another pack, for instance opencv-zoo.",
)
@click.option(
    "--uncentred",
    is_flag=True,
    help="Evaluate vectors as the network has them, not seen from the middle of all faces.",
)
@click.option(
    "--write-middle",
    "middle_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the middle of these people's faces (of the groups', with --groups), by which the "
    "pack's vectors are centred; implies --uncentred.",
)
@click.option(
    "--degrade",
    "degradations",
    multiple=True,
    type=click.Choice([*(each.value for each in Degradation), "all"]),
    help="Also probe with copies so degraded, with the quality gate and without; repeatable.",
)
@click.option(
    "--door-check",
    "door_check",
    is_flag=True,
    help="Also ask of everybody's enrolled photos whether they would open the door, and compare "
    "with who is refused later.",
)
@click.option("--pack", "pack_name", default=DEFAULT_PACK, show_default=True, metavar="NAME")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where encoded photos are kept [default: 'evaluation' beside the models folder].",
)
@click.option(
    "--write-calibration",
    "calibration_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the calibration that follows from these photos.",
)
@click.option("--source", default="", help="What the photos are, for the files written.")
@click.option(
    "--plot",
    "plot_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw DET and FPIR/FNIR into a PNG, SVG or PDF file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    *,
    images: Path,
    pairs: Path | None,
    groups: Path | None,
    leave_out: Path | None,
    gallery_photos: int,
    probe_frames: int,
    mirror: str,
    against: Configuration | None,
    against_pack: str | None,
    uncentred: bool,
    middle_file: Path | None,
    degradations: tuple[str, ...],
    door_check: bool,
    pack_name: str,
    threads: int,
    cache: Path | None,
    calibration_file: Path | None,
    source: str,
    plot_file: Path | None,
    as_json: bool,
) -> None:
    """Measure accuracy (1:1) and identification (open-set 1:N) on a folder of photos.

    Encoded photos are cached, so a stopped run goes on where it was. Delete the cache with the
    photos: it holds face vectors.
    """
    _check_files(plot_file, calibration_file, middle_file)
    options = Options(
        images=images,
        pairs=pairs,
        gallery_photos=gallery_photos,
        probe_frames=probe_frames,
        mirror=Mirror(mirror),
        cache=cache or default_folder().parent / "evaluation",
        leave_out=leave_out,
        degradations=tuple(each for each in Degradation if {each.value, "all"} & set(degradations)),
    )
    with _told():
        uncentred = uncentred or middle_file is not None
        pack = _load(pack_name, threads, uncentred=uncentred)
        evaluation = run_evaluation(pack, options, progress=True)
        source = source or images.name
        if calibration_file is not None:
            calibration_file.write_text(to_json(calibrate(evaluation, source=source)), "utf-8")
        if middle_file is not None:
            middle = find_middle(evaluation, source=source, groups=groups)
            middle_file.write_text(centring.to_json(middle), "utf-8")
        if plot_file is not None:
            evaluation_plots.draw(evaluation, plot_file)
        result = report(evaluation)
        if against is not None:
            result["comparison"] = report_comparison(evaluation, against)
        if against_pack is not None:
            other = _load(against_pack, threads, uncentred=uncentred)
            result["pack_comparison"] = report_packs(
                evaluation, run_evaluation(other, options, progress=True)
            )
        if door_check:
            result["door_check"] = report_door_check(pack, evaluation, progress=True)
        if groups is not None:
            result["groups"] = report_groups(evaluation, groups, progress=True)
    if as_json:
        click.echo(json.dumps(result))
    else:
        click.echo("\n".join(evaluation_lines(result)))
