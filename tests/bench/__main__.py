"""`make bench`: the benchmarks of this folder, one after the other, each in a process of its own.

python -m tests.bench            all but those that take hours or need more than is installed
python -m tests.bench up data    only bench_up and bench_data
"""

import subprocess
import sys
from pathlib import Path

LONG = {"active", "data", "effects", "f1", "issues", "kills", "predict"}


def main() -> int:
    """Run what is asked for; 1 if any of it failed."""
    there = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    if unknown := set(sys.argv[1:]) - set(there):
        print(f"There is no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(there)}.", file=sys.stderr)
        return 1
    failed = False
    for name in sys.argv[1:] or (name for name in there if name not in LONG):
        print(f"\n== {name} ==", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"tests.bench.bench_{name}"], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
