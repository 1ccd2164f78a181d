FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY pyproject.toml constraints.txt README.md ./
COPY scim_server scim_server
COPY extensions extensions
COPY schemas schemas
COPY samples samples
RUN PIP_CONSTRAINT=constraints.txt pip install . \
    && useradd --system --uid 10001 --home-dir /app scim \
    && install -d -o scim -g scim /app/var

USER scim
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["scim-server", "serve", "--host", "0.0.0.0", "--port", "8080"]
