"""All settings, from the environment; no secret stands here.

Without DATABASE_URL and REDIS_URL, the addresses of the embedded servers are used: `config.embedded`
starts them in DATA_DIR and writes where they listen to DATA_DIR/services.json.
"""

import json
import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import django_stubs_ext
from celery.schedules import crontab

django_stubs_ext.monkeypatch()  # forms and admin pages take type parameters, as their stubs say

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data").resolve()


def service_address(variable: str, default: str) -> str:
    """The address in the environment, else the running embedded server's, else `default`."""
    if address := os.environ.get(variable):
        return address
    try:
        return str(json.loads((DATA_DIR / "services.json").read_text())[variable])
    except (OSError, ValueError, KeyError):
        return default


def secret_key() -> str:
    """SECRET_KEY from the environment or the data directory; a fresh one lives only as long as the process."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    try:
        return (DATA_DIR / "secret_key").read_text().strip()
    except OSError:
        return os.urandom(32).hex()


def database(url: str) -> dict[str, object]:
    """Django's settings for a `postgresql://user:password@host:port/name?host=/socket/dir` address."""
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "goldset",
        "USER": unquote(parts.username or "postgres"),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", None) or parts.hostname or "",
        "PORT": query.pop("port", None) or (str(parts.port) if parts.port else ""),
        "OPTIONS": {"connect_timeout": 5, **query},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASE_URL = service_address("DATABASE_URL", "postgresql://postgres@localhost/goldset")
REDIS_URL = service_address("REDIS_URL", "redis://localhost:6379/0")

SECRET_KEY = secret_key()
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if origin]
BEHIND_TLS = os.environ.get("BEHIND_TLS") == "1"
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# One name per port, so that two instances on one host do not sign each other's people out.
SESSION_COOKIE_NAME = f"goldset_session_{os.environ.get('PORT', '8000')}"
CSRF_COOKIE_NAME = f"goldset_csrf_{os.environ.get('PORT', '8000')}"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "labeling",
    "datasets_app",
    "modelassist",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.limits.BodyLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.language.Language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.errors.ErrorMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Failed attempts to sign in: from one address, and with one name from one address.
SIGN_IN_RATE = os.environ.get("SIGN_IN_RATE", "30/min")
SIGN_IN_FAILURES = os.environ.get("SIGN_IN_FAILURES", "20/hour")
AUTHENTICATION_BACKENDS = ["labeling.signing_in.Backend"]
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "projects"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = os.environ.get("TZ_NAME", "UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static", DATA_DIR / "made"]  # `made`: what `config.prepare` takes out of packages
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # the same files with or without `collectstatic`

# Uploads go to disk above 1 MB, never into memory; larger requests are refused with 413.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
UPLOAD_MAX_BYTES = int(os.environ.get("UPLOAD_MAX_BYTES", 2_000_000_000))

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "config.parsers.StorableJSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "URL_FORMAT_OVERRIDE": None,  # `?format=` names the format of an export, not of the answer
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.errors.handle",
    # What a client says of itself in X-Forwarded-For is believed only where a proxy of ours writes it.
    "NUM_PROXIES": int(os.environ.get("NUM_PROXIES") or BEHIND_TLS),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Goldset",
    "DESCRIPTION": "Label texts, train on what was accepted, release versioned datasets.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "goldset",
        "OPTIONS": {"socket_timeout": 2.0, "socket_connect_timeout": 2.0},
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = REDIS_URL
CELERY_RESULT_EXPIRES = 3600
# A broker that hangs holds a request up for some seconds, not for ever; the job's row is there, and is sent again.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5.0, "socket_connect_timeout": 5.0}
CELERY_REDIS_SOCKET_TIMEOUT = CELERY_REDIS_SOCKET_CONNECT_TIMEOUT = 5.0
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # a lost job is found by its heartbeat, not by the broker's redelivery
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "requeue-stale-jobs": {
        "task": "datasets_app.tasks.requeue_stale",
        "schedule": 5.0,
        "options": {"expires": 15},  # while all workers are busy, these do not pile up
    },
    "copy-labels-to-duplicates": {
        "task": "datasets_app.tasks.copy_labels_to_duplicates",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "remove-old-uploads": {"task": "datasets_app.tasks.remove_old_uploads", "schedule": crontab(minute=17)},
    "predict-after-imports": {
        "task": "modelassist.tasks.predict_after_imports",
        "schedule": 10.0,
        "options": {"expires": 15},
    },
    "update-if-due": {
        "task": "modelassist.tasks.update_if_due",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "retrain-if-due": {"task": "modelassist.tasks.retrain_if_due", "schedule": crontab(minute="*/10")},
}

# What each kind of job runs ("module:function") and on which queue; `datasets_app.jobs` reads it.
JOB_KINDS = {
    "import": ("datasets_app.importing:run", "default"),
    "version": ("datasets_app.versions:run", "default"),
    "push": ("datasets_app.pushing:run", "default"),
    "statistics": ("datasets_app.describing:run", "default"),
    "split_label": ("datasets_app.label_splits:run", "default"),
    "fix": ("datasets_app.consistency:run", "default"),
    "restore": ("datasets_app.restoring:run", "default"),
    "bulk": ("datasets_app.bulk:run", "default"),
    "duplicates": ("datasets_app.duplicates:run", "default"),
    "train": ("modelassist.runs:run", "model"),
    "predict": ("modelassist.preannotate:run", "model"),
    "audit": ("modelassist.auditing:run", "model"),
    "control": ("modelassist.control:run", "model"),
    "suggest": ("modelassist.preannotate:run", "serve"),
    "update": ("modelassist.updates:run", "serve"),
}
# Who checks a project's setting ("module:function", raises Invalid), where labeling itself cannot know what is good.
PROJECT_CHECKS = {
    "query_strategy": "modelassist.prioritize:require_known",
    "base_model": "modelassist.base_model:require_named",
}
JOB_STALE_SECONDS = float(os.environ.get("JOB_STALE_SECONDS", 15))

# Who sends it may read /metrics; without one there is none.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")

BASE_MODEL = os.environ.get("BASE_MODEL", "auto")
# How many processes train one model together; 0: one for each GPU, or one.
TRAINING_PROCESSES = int(os.environ.get("TRAINING_PROCESSES", 0))
# From where managers may have the server fetch files to import: beginnings of paths and addresses; "" for nowhere.
IMPORT_FROM = os.environ.get("IMPORT_FROM", "hf://").split()
# A token of the Hugging Face Hub with which managers may release versions there.
HUB_PUSH_TOKEN = os.environ.get("HUB_PUSH_TOKEN", "")
PRIVATE_LOCATIONS = os.environ.get("PRIVATE_LOCATIONS") == "1"
# Which base models a project may name: folders below these, and ids of the hub that match one of these patterns.
BASE_MODEL_FOLDERS = [
    Path(each) for each in os.environ.get("BASE_MODEL_FOLDERS", str(DATA_DIR / "base_models")).split(os.pathsep) if each
]
BASE_MODEL_HUB = os.environ.get("BASE_MODEL_HUB", "*").split()
# Whether predictors behind HTTP may be at private addresses.
PRIVATE_PREDICTORS = os.environ.get("PRIVATE_PREDICTORS") == "1"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
}
