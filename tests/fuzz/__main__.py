"""`make fuzz`: every gate under Atheris, one after another, for so many seconds each.

    python -m tests.fuzz [--seconds 60] [GATE …]

What is reached is kept below `.fuzz/` and begun with the next time. Prints a table; ends with 1
where something was found, and leaves the input below `.fuzz/findings/`: store it in `corpus/GATE/`
under a name that says what it was, then mend the gate.
"""

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.gate import Gate, load, names, stored

FOLDER: Final = Path(".fuzz")
INPUT_SECONDS: Final = 10
"""An input that takes longer is a finding; what each gate promises is shorter, but instrumented
code runs several times as long, on a machine that may be busy."""
MEMORY_MB: Final = 1024
"""A process that holds more is a finding: the engine's libraries take some 250 MB of it."""
GRACE_SECONDS: Final = 120
_HEAD: Final = """
| gate | runs | branches | of these new | findings |
| --- | ---: | ---: | ---: | ---: |"""
_COVERED: Final = re.compile(r"\bcov: (\d+)")
_RUNS: Final = re.compile(r"stat::number_of_executed_units: (\d+)")


@dataclass(frozen=True)
class Ran:
    """What came of one gate: executions, branches covered by the samples and at the end."""

    name: str
    runs: int
    covered_first: int
    covered: int
    found: tuple[str, ...]

    def row(self) -> str:
        """Return it as a row of the table."""
        new = self.covered - self.covered_first
        return f"| {self.name} | {self.runs:,} | {self.covered} | {new} | {len(self.found)} |"


def main() -> int:
    """Run the gates that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each gate")
    parser.add_argument("gates", nargs="*", help="default: all")
    asked = parser.parse_args()
    ran = []
    for name in asked.gates or names():
        ran.append(run(name, asked.seconds))
        print(ran[-1].row(), *ran[-1].found, sep="\n    ", flush=True)
    print(_HEAD)
    print(*(one.row() for one in ran), sep="\n")
    print(f"{sum(one.runs for one in ran):,} runs at {len(ran)} gates")
    return 1 if any(one.found for one in ran) else 0


def run(name: str, seconds: int) -> Ran:
    """Fuzz one gate in a process of its own."""
    gate = load(name)
    reached, findings = FOLDER / "corpus" / name, FOLDER / "findings"
    reached.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    _lay_out(gate, name, reached)
    before = set(findings.glob(f"{name}-*"))
    done = subprocess.run(
        [
            *("nice", "-n", "10", sys.executable, "-m", "tests.fuzz.under_atheris", name),
            *(f"-max_total_time={seconds}", f"-max_len={gate.most}", "-print_final_stats=1"),
            *(f"-timeout={INPUT_SECONDS}", f"-rss_limit_mb={MEMORY_MB}"),
            *(f"-artifact_prefix={findings}/{name}-", "-verbosity=1", str(reached)),
        ],
        check=False,
        capture_output=True,
        timeout=seconds + GRACE_SECONDS,
    )
    said = done.stderr.decode("utf-8", "replace")
    covered = [int(found) for found in _COVERED.findall(said)]
    runs = _RUNS.search(said)
    found = [str(path) for path in sorted(set(findings.glob(f"{name}-*")) - before)]
    if found or done.returncode or runs is None or not covered:
        (FOLDER / f"{name}.log").write_bytes(done.stdout + done.stderr)
        found = found or [f"{FOLDER / name}.log: ended with {done.returncode}"]
    return Ran(
        name,
        int(runs[1]) if runs else 0,
        covered[0] if covered else 0,
        covered[-1] if covered else 0,
        tuple(found),
    )


def _lay_out(gate: Gate, name: str, folder: Path) -> None:
    """Put the honest samples, and what was found before, beside what was reached before."""
    for number, data in enumerate(gate.seeds()):
        (folder / f"sample-{number}").write_bytes(data[: gate.most])
    for path in stored(name):
        (folder / f"stored-{path.name}").write_bytes(path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
