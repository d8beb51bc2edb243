# One image for everything: `serve` (the default), `migrate`, `audit verify`, `doctor` …
# Behind a mirror: docker build --build-arg PIP_INDEX_URL=… (no place to fetch from is written down here).

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock /build/
RUN python -m venv --without-pip /opt/menshen/venv \
 && pip --python /opt/menshen/venv/bin/python install --require-hashes --no-deps --only-binary=:all: -r /build/requirements.lock
COPY menshen_verifier /opt/menshen/app/menshen_verifier
COPY policies /opt/menshen/app/policies
COPY schema /opt/menshen/app/schema
COPY service /opt/menshen/app/service
COPY migrations /opt/menshen/app/migrations
RUN python -m compileall -q /opt/menshen

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="menshen" \
      org.opencontainers.image.description="门神: the guardian at the door of member data" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/menshen /opt/menshen
COPY LICENSE NOTICE /opt/menshen/

# The file system may be mounted read-only: all that an instance remembers is in /var/lib/menshen.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/menshen
ENV PATH=/opt/menshen/venv/bin:$PATH \
    PYTHONPATH=/opt/menshen/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MENSHEN_MODE=production \
    MENSHEN_HOME=/var/lib/menshen \
    MENSHEN_HOST=0.0.0.0
VOLUME /var/lib/menshen
WORKDIR /var/lib/menshen
USER 10001:10001
EXPOSE 8600
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 CMD ["python", "-m", "service", "health"]
ENTRYPOINT ["python", "-m", "service"]
CMD ["serve"]
