# The one image of all services (`secureconnect` with another command each), built by the commands of `make run`; and the proxy's.

FROM node:20-bookworm-slim AS page
WORKDIR /src
COPY sdk sdk
COPY web web
RUN npm --prefix sdk ci --no-audit --no-fund && npm --prefix sdk run build \
    && npm --prefix web ci --no-audit --no-fund && npm --prefix web run build

FROM rust:1.95-bookworm AS server
WORKDIR /src
COPY . .
COPY --from=page /src/web/dist web/dist
RUN cargo build --release --locked -p secureconnect

# The TLS proxy: Caddy with a folder for its certificates that needs no root.
FROM caddy:2.10-alpine AS proxy
RUN chown -R 10002:10002 /data
USER 10002:10002

FROM debian:bookworm-slim
# A number, so that an orchestrator can see that it is not root; the folder, so that a new volume belongs to it.
RUN groupadd --gid 10001 secureconnect \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin secureconnect \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=server /src/target/release/secureconnect /usr/local/bin/secureconnect
ENV SECURECONNECT_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["secureconnect"]
