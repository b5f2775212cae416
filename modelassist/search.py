"""The search for hyperparameters within a time budget, by Optuna, where it is installed (`goldset[tune]`).

Each trial is a training that validation judges; a tree-structured Parzen estimator (Bergstra et al. 2011) chooses the
next. What trials have found stands in the job's cursor, so a killed search goes on behind the last one that ended.
The first one tries the defaults.
"""

import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_app import jobs
from datasets_app.models import Job
from labeling.errors import Invalid, Unavailable
from modelassist.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    from optuna import Study, Trial

    from modelassist.tagger import Example

MINUTES_MAX = 24 * 60
_WARM_UP = 3  # trials before bad ones are given up in the middle


def require_possible(minutes: int, *, validation: bool) -> None:
    """Raise `Invalid` for a bad budget or without validation texts, `Unavailable` where Optuna is not installed."""
    if not 0 <= minutes <= MINUTES_MAX:
        message = f"search_minutes is {minutes}; give 0 (no search) to {MINUTES_MAX}."
        raise Invalid(message, details={"field": "search_minutes"})
    if minutes and not validation:
        message = "A search needs accepted texts of the validation split to judge its trials by; accept some first."
        raise Invalid(message, code="nothing_to_judge_by", details={"field": "search_minutes"})
    if minutes and find_spec("optuna") is None:
        message = "A search needs Optuna, which is not installed here: pip install 'goldset[tune]'."
        raise Unavailable(message, code="optuna_missing")


@dataclass(frozen=True, slots=True)
class Search:
    """What to search with: the data, what the trainings start from, and what the person has chosen already."""

    train: "Iterable[Example]"
    validation: "Iterable[Example]"
    labels: Sequence[str]
    base: Path
    asked: Mapping[str, Any]

    def run(self, job: Job, minutes: int) -> Generator[jobs.Step, None, list[dict[str, Any]]]:
        """Try until the time is over; gives the trials, `{options, f1, seconds, complete}`, the best one first."""
        trials: list[dict[str, Any]] = list(job.cursor.get("trials", []))
        while (left := minutes * 60 - sum(trial["seconds"] for trial in trials)) > 0 or not trials:
            yield jobs.Step(len(trials), None, note=_note(trials, left))
            began = time.monotonic()
            options = _suggested(self._study(trials), self.asked) if trials else {}
            f1, complete = yield from self._tried(options, trials, began + left)
            trial = {"options": options, "f1": f1, "seconds": time.monotonic() - began, "complete": complete}
            trials.append(trial)
            jobs.checkpoint(job, cursor={**job.cursor, "trials": trials})
            Job.objects.filter(pk=job.pk, claimed_by=job.claimed_by).update(result={"trials": trials})
        return sorted(trials, key=lambda trial: -trial["f1"])

    def _tried(
        self, options: Mapping[str, Any], trials: Sequence[Mapping[str, Any]], until: float
    ) -> Generator[jobs.Step, None, tuple[float, bool]]:
        """The best F1 on validation, and whether it was trained to its end."""
        from modelassist import trainer

        chosen = Hyperparameters.from_json({**self.asked, **options})
        training = jobs.Followed(
            trainer.train(self.train, self.validation, labels=self.labels, base=self.base, hyperparameters=chosen)
        )
        for progress in training:
            best = progress.f1 or 0.0
            # The first trial is what the search falls back to: it is given the time that it needs.
            if trials and (time.monotonic() > until or _hopeless(progress.curve, progress.epochs, trials)):
                return best, False
            note = f"trial {len(trials) + 1}, epoch {progress.epoch}/{progress.epochs} F1 {best:.3f}"
            yield jobs.Step(progress.step, progress.steps, note=note)
        return training.value.best_f1 or 0.0, True

    def _study(self, trials: Sequence[Mapping[str, Any]]) -> "Study":
        """What the trials so far have taught; without the first, whose options are nowhere said."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = Hyperparameters.from_json(self.asked).seed + len(trials)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        space = _distributions(self.asked)
        for trial in trials:
            if trial["options"]:
                study.add_trial(
                    optuna.trial.create_trial(params=trial["options"], distributions=space, value=trial["f1"])
                )
        return study


def _distributions(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is searched: all of the space that the person has left open and that goes together."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    space = {
        "learning_rate": FloatDistribution(1e-5, 1e-3, log=True),
        "epochs": IntDistribution(3, 12),
        "batch_size": CategoricalDistribution((8, 16, 32)),
        "dropout": FloatDistribution(0.0, 0.3),
        "layer_decay": FloatDistribution(0.7, 1.0),
        "weight_decay": FloatDistribution(0.0, 0.1),
        "label_smoothing": FloatDistribution(0.0, 0.1),
    }
    closed = {*asked, *(["label_smoothing"] if asked.get("transitions") == "learned" else [])}
    return {name: value for name, value in space.items() if name not in closed}


def _suggested(study: "Study", asked: Mapping[str, Any]) -> dict[str, Any]:
    trial: Trial = study.ask(_distributions(asked))
    return dict(trial.params)


def _hopeless(curve: Sequence[Mapping[str, Any]], epochs: int, trials: Sequence[Mapping[str, Any]]) -> bool:
    """Half-way through and clearly below the median of all trials that came to their end."""
    ended: list[float] = sorted(trial["f1"] for trial in trials if trial["complete"])
    if len(ended) < _WARM_UP or len(curve) * 2 < epochs:
        return False
    best: float = max(row["f1"] or 0.0 for row in curve)
    return best < 0.9 * ended[len(ended) // 2]


def _note(trials: Sequence[Mapping[str, Any]], left: float) -> str:
    best = max((trial["f1"] for trial in trials), default=None)
    said = f"searching: {max(0, round(left / 60))} minutes left, {len(trials)} trials"
    return said if best is None else f"{said}, best F1 {best:.3f}"
