"""The project's settings with a job kind for tests, for worker processes."""

from config.settings import *
from config.settings import JOB_KINDS

JOB_KINDS = JOB_KINDS | {"count": ("tests.datasets_app.handlers:count", "default")}
