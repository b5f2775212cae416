"""What Celery calls. Each task imports its verb inside, so that a worker loads only what it runs."""

from celery import shared_task


@shared_task(name="datasets_app.tasks.run_job")  # type: ignore[untyped-decorator]
def run_job(job_id: int) -> None:
    """Run one job; harmless if it is running or over."""
    from datasets_app import jobs

    jobs.run(job_id)


@shared_task(name="datasets_app.tasks.requeue_stale")  # type: ignore[untyped-decorator]
def requeue_stale() -> None:
    """Pick up the jobs of workers that died; called by beat every few seconds."""
    from datasets_app import jobs

    jobs.requeue_stale()


@shared_task(name="datasets_app.tasks.copy_labels_to_duplicates")  # type: ignore[untyped-decorator]
def copy_labels_to_duplicates() -> None:
    """Suggest accepted spans to the duplicates of their texts; called by beat every minute."""
    from datasets_app import duplicates

    duplicates.copy_labels()


@shared_task(name="datasets_app.tasks.remove_old_uploads")  # type: ignore[untyped-decorator]
def remove_old_uploads() -> None:
    """Remove uploads whose import ended long ago; called by beat every hour."""
    from datasets_app import uploads

    uploads.remove_old()
