"""`make demo`: the whole loop on the bundled sentences, through the real services and over REST alone.

    python -m config.demo [--rounds 3]

Each run makes a project of its own, with a simulated annotator and reviewer, prints what happened and leaves
the project in place for the browser. `ensure_demo_project` makes the one that `make run` shows first.
"""

import argparse
import io
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config import demo_stages as stages
from config.data_dir import CannotStart, write_private
from config.demo_stages import Demo, Round, StageFailed
from config.embedded import free_port
from config.rest import Client, JobFailed, Refused
from config.up import Options, Supervisor, not_ready

SHOWN = 60  # sentences of the first start's project that are accepted already
USES = ("kept", "edited", "rejected", "drawn")


def main() -> int:
    """Run the loop; 1 when a stage fails."""
    parser = argparse.ArgumentParser(prog="config.demo", description="The whole loop on the bundled sentences.")
    parser.add_argument("--rounds", type=int, default=3, choices=range(1, 4), help="how often people label")
    rounds = parser.parse_args().rounds
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it, too, stops what was started
    try:
        with service(Options.from_environment()) as options:
            run(options, rounds=rounds)
    except (CannotStart, Refused, JobFailed, StageFailed, OSError) as why:
        print(f"The demo failed. {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextmanager
def service(options: Options) -> Iterator[Options]:
    """The running service of this data directory, or else one that lives as long as the demo."""
    own = replace(options, port=free_port())
    supervisor = Supervisor(own)
    try:
        try:
            supervisor.start()
        except CannotStart:
            if not answers(options):
                raise
            own = options  # somebody runs it already
        yield own
    finally:
        supervisor.stop()


def answers(options: Options, *, seconds: float = 15) -> bool:
    """Whether a service is ready at the address, or becomes so in a moment."""
    deadline = time.monotonic() + seconds
    while not_ready(options):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def run(options: Options, *, rounds: int) -> None:
    """The loop, stage by stage."""
    say(f"Service    {options.address}, data in {options.data_dir}")
    demo = stages.make_project(manager(options), people_password(options.data_dir))
    say(f"Project    {demo.slug}")
    counts = stages.bring_in(demo)
    say(f"In         {sum(counts.values())} sentences: " + ", ".join(f"{size} {name}" for name, size in counts.items()))
    done = learn_and_label(demo, rounds=rounds)
    scores = stages.f1_by_language(demo)
    say("In use     test F1 " + ", ".join(f"{score:.3f} ({language})" for language, score in scores.items()))
    version = stages.freeze(demo)
    say(f"Frozen     version {version['number']}, {version['counts']['documents']} documents, {version['fingerprint']}")
    folder = options.data_dir / "demo" / demo.slug
    for path in stages.write_out(demo, version, folder):
        say(f"Written    {path} ({path.stat().st_size:,} bytes)")
    say(f"Read back  by datasets.load_from_disk: {stages.read_back(demo, version, folder)}, equal to the gold")
    say(closing(options, demo, done))


def manager(options: Options) -> Client:
    """The first manager's access, by the password of the environment or of the data directory."""
    name = os.environ.get("GOLDSET_ADMIN_USER") or "admin"
    kept = options.data_dir / "admin_password"
    password = os.environ.get("GOLDSET_ADMIN_PASSWORD") or (kept.read_text().strip() if kept.exists() else "")
    try:
        return Client.sign_in(options.address, name, password)
    except Refused as refused:
        raise StageFailed(
            f"{name} cannot sign in at {options.address} ({refused}). Set GOLDSET_ADMIN_USER and"
            " GOLDSET_ADMIN_PASSWORD to a login that works there."
        ) from refused


def people_password(data_dir: Path) -> str:
    """The password of the demo's annotator and reviewer, made once and kept like the manager's."""
    kept = data_dir / "demo_password"
    if not kept.exists():
        write_private(kept, secrets.token_urlsafe(12) + "\n")
    return kept.read_text().strip()


def learn_and_label(demo: Demo, *, rounds: int) -> list[Round]:
    """Train, then label with its suggestions and train again, `rounds` times."""
    say("\n" + HEADING)
    models: list[Round] = []
    for number in range(rounds + 1):
        done = stages.train(demo)
        if number < rounds:
            stages.label(demo, done)
        say(row(number, done))
        models.append(done)
    say("")
    if models[-1].f1 <= 0:
        raise StageFailed("The last model finds nothing in the test texts.")
    return models


HEADING = "round  trained on  test F1  promoted  pre-annotated  labeled |   kept  edited  rejected   drawn | corrected"


def row(number: int, done: Round) -> str:
    """A line of the table."""
    kept, edited, rejected, drawn = (done.spans[use] for use in USES)
    promoted = "yes" if done.promoted else "no"
    return (
        f"{number:5}  {done.trained_on:10}  {done.f1:7.3f}  {promoted:>8}  {done.predicted:13}  {done.labeled:7} |"
        f" {kept:6}  {edited:6}  {rejected:8}  {drawn:6} | {done.corrected:9}"
    )


def closing(options: Options, demo: Demo, models: Sequence[Round]) -> str:
    """Where to look at it."""
    used = max(number for number, done in enumerate(models) if done.promoted)
    return (
        f"\nTest F1 went from {models[0].f1:.3f} to {models[used].f1:.3f} with the model of round {used}, which is in"
        f" use. The project stays: `make run`, then /projects/{demo.slug}/.\nIts annotator and reviewer sign in as"
        f" demo-annotator and demo-reviewer, with the password in {options.data_dir / 'demo_password'}."
    )


def ensure_demo_project() -> None:
    """Make the project that a first start shows: some sentences accepted, most of them to label.

    Quick, since workers import the files, and harmless to repeat: a project `demo` that is there stays as it is.
    """
    from django.contrib.auth.models import User
    from django.db import transaction

    from datasets_app import importing
    from labeling import access, projects

    owner = User.objects.filter(is_superuser=True).order_by("pk").first()
    if owner is None or access.projects_of(owner).filter(slug="demo").exists():
        return
    rows = stages.sentences()
    with transaction.atomic():
        project = projects.create(owner, **stages.definition(), validation_share=0.15, test_share=0.15)
        for name, annotations, part in (("accepted", "accept", rows[:SHOWN]), ("open", "ignore", rows[SHOWN:])):
            file = io.BytesIO(stages.jsonl(part))
            importing.start(project, owner, file, name=f"{name}.jsonl", format="jsonl", annotations=annotations)


def say(line: str) -> None:
    """Print at once: a person watches."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
