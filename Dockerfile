# One image for web, workers and beat; docker-compose.yml gives each its command.
#
# GPU: on x86-64, pip's torch brings NVIDIA's runtime libraries along, so the same image trains on a GPU
# where the host has one (NVIDIA Container Toolkit) and on the CPU elsewhere. For a host without a GPU, build
# with --build-arg PIP_EXTRA_INDEX_URL=<PyTorch's CPU index> to save several gigabytes.
FROM python:3.11-slim

ARG PIP_EXTRA_INDEX_URL=""
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DATA_DIR=/data HF_HOME=/data/huggingface DJANGO_SETTINGS_MODULE=config.settings

WORKDIR /app

# What changes seldom comes first, so that a change of the source does not install everything again.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
    > requirements.txt && pip install --requirement requirements.txt --constraint constraints.txt

COPY manage.py ./
COPY config config
COPY labeling labeling
COPY datasets_app datasets_app
COPY modelassist modelassist
COPY templates templates
COPY static static
COPY locale locale
COPY demo demo

# Fails the build, not the first request, when settings, addresses or models do not load.
# (Static files need no collecting: WhiteNoise finds them where they lie.)
RUN DATA_DIR=/tmp/check python manage.py check

RUN useradd --system --uid 10001 --home-dir /data goldset && mkdir /data && chown goldset:goldset /data
USER goldset
VOLUME /data
EXPOSE 8000

CMD ["python", "-m", "gunicorn", "config.wsgi", "--worker-class", "gthread", "--threads", "8", "--timeout", "120", \
     "--graceful-timeout", "5", "--no-control-socket", "--access-logfile", "-", "--bind", "0.0.0.0:8000"]
