# Two images from one file: `service` (the default) and `web`, which is nginx with the page.

# Full versions, so that the same commit builds the same images; `make images` gives others.
ARG PYTHON_IMAGE=python:3.13.16-slim
ARG NODE_IMAGE=node:22.23.3-slim
ARG NGINX_IMAGE=nginx:1.28.2-alpine

FROM ${NODE_IMAGE} AS page
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
ARG VITE_CLERK_PUBLISHABLE_KEY
RUN npm run build

# Everything is installed by hash; the service itself comes as a wheel built without isolation, so
# that nothing outside the locked files takes part.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements/ requirements/
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes -r requirements/runtime.txt
RUN python -m venv /opt/builder && /opt/builder/bin/pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY src/ src/
COPY migrations/ migrations/
RUN /opt/builder/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/venv/bin/pip install --no-deps --no-index dist/*.whl

FROM ${NGINX_IMAGE} AS web
COPY deploy/nginx.conf /etc/nginx/nginx.conf
COPY deploy/site.conf.template /etc/nginx/templates/site.conf.template
COPY --from=page /build/frontend/dist /usr/share/nginx/html
# The template is written there by the user nginx. Where the directory is a tmpfs, runc before 1.1.8
# gives it the mode that it has here, whatever mode the tmpfs asks for.
RUN rm -f /etc/nginx/conf.d/default.conf && chmod 1777 /etc/nginx/conf.d
# The image's entry point puts these, and the resolvers of the container, into the template.
ENV NGINX_ENTRYPOINT_LOCAL_RESOLVERS=1 \
    WEB_PORT=8080 \
    WEB_ROOT=/usr/share/nginx/html \
    API_UPSTREAM=api:8000 \
    SIGN_IN_ORIGINS="" \
    TRUSTED_PROXY=127.0.0.1
USER nginx
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["wget", "--quiet", "--spider", "http://127.0.0.1:8080/"]

FROM ${PYTHON_IMAGE} AS service
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin xero
COPY --from=build /opt/venv /opt/venv
COPY --from=page /build/frontend/dist /opt/page
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["xero-service", "serve", "--host", "0.0.0.0", "--port", "8000"]
