"""What Celery calls. Each task imports its verb inside, so that a worker loads only what it runs."""

from celery import shared_task


@shared_task(name="modelassist.tasks.retrain_if_due")  # type: ignore[untyped-decorator]
def retrain_if_due() -> None:
    """Queue the trainings that are due; called by beat every few minutes."""
    from modelassist import nightly

    nightly.retrain_if_due()


@shared_task(name="modelassist.tasks.update_if_due")  # type: ignore[untyped-decorator]
def update_if_due() -> None:
    """Queue the short updates that people's work has earned; called by beat every few seconds."""
    from modelassist import updates

    updates.start_due()


@shared_task(name="modelassist.tasks.predict_after_imports")  # type: ignore[untyped-decorator]
def predict_after_imports() -> None:
    """Queue the pre-annotation of what imports have brought; called by beat every few seconds."""
    from modelassist import preannotate

    preannotate.start_after_imports()


@shared_task(name="modelassist.tasks.tag")  # type: ignore[untyped-decorator]
def tag(model_id: int) -> None:
    """Tag the texts that wait for a model; the web process waits for the answers."""
    from modelassist import serving

    serving.tag_waiting(model_id)


@shared_task(name="modelassist.tasks.write_onnx", ignore_result=False)  # type: ignore[untyped-decorator]
def write_onnx(model_id: int) -> str:
    """Make a model's ONNX file; the web process waits for it."""
    from modelassist import serving

    return serving.write_onnx(model_id)
