# syntax=docker/dockerfile:1

# Sunset in a container: docker build -t sunset . && docker run --read-only --cap-drop ALL -p 8080:8080 sunset
# The first stage has pip and builds; the second has Sunset, the rules that ship with it, and nothing to build with.

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY proxy proxy
COPY rules rules
RUN python -m pip wheel --no-cache-dir --wheel-dir /wheels '.[acme]' \
    && python -m venv /opt/sunset \
    && /opt/sunset/bin/pip install --no-cache-dir --no-index --find-links /wheels 'sunset-proxy[acme]' \
    && /opt/sunset/bin/pip uninstall --yes pip

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="sunset" \
      org.opencontainers.image.description="An edge proxy that retires a domain" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/sunset/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/sunset /opt/sunset
# Mount your own over these: -v ./rules:/etc/sunset/rules:ro -v ./certs:/etc/sunset/certs:ro
COPY rules /etc/sunset/rules
COPY certs/README.md /etc/sunset/certs/README.md
WORKDIR /etc/sunset
# A number, because Kubernetes' runAsNonRoot cannot tell what a name stands for. No file belongs to it: it only reads.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
    CMD ["sunset", "health", "--admin", "127.0.0.1:9900"]
ENTRYPOINT ["sunset"]
# Metrics stay on the container's own loopback. To have them scraped: -e SUNSET_ADMIN_TOKEN=… and --admin 0.0.0.0:9900 behind
# the command, with port 9900 published to none but Prometheus.
CMD ["serve", "--rules", "/etc/sunset/rules", "--listen", "0.0.0.0:8080", "--admin", "127.0.0.1:9900"]
