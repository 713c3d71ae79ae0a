# Built in one stage, run from another: the running image holds no compiler and no package cache.
FROM python:3.13.9-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/payontap
COPY requirements.lock ./
RUN /opt/payontap/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
COPY config ./config
COPY wallet_core ./wallet_core
RUN /opt/payontap/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13.9-slim-bookworm
LABEL org.opencontainers.image.title="Payontap" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin payontap \
    && install --directory --owner payontap --group payontap --mode 0700 /data
COPY --from=build /opt/payontap /opt/payontap
ENV PATH=/opt/payontap/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PAYONTAP_DATA_DIR=/data \
    PAYONTAP_WEB__HOST=0.0.0.0 \
    PAYONTAP_WEB__PORT=8080
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PAYONTAP_WEB__PORT'] + '/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["payontap", "run"]
