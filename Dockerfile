# syntax=docker/dockerfile:1

# Each stage installs exactly its list under scripts/packages; `.ci/checks` refuses any other package here.

FROM swift:6.3-bookworm AS build
WORKDIR /src
COPY scripts/packages/build /packages
RUN apt-get update \
    && xargs -a /packages apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*
# The manifest names the test targets too, so their folders must be there for it to be read.
COPY Package.swift ./
COPY Tests Tests
# Sources/Policies/Sets is a link to it: the shipped rules are built into the binary.
COPY policies policies
COPY Sources Sources
RUN swift build -c release --explicit-target-dependency-import-check error --static-swift-stdlib --product shirushi \
    && install -D .build/release/shirushi /out/usr/local/bin/shirushi

FROM debian:12-slim
COPY scripts/packages/run /packages
RUN apt-get update \
    && xargs -a /packages apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /packages \
    && useradd --system --uid 10001 --home-dir /var/lib/shirushi --create-home --shell /usr/sbin/nologin shirushi \
    && chmod 0700 /var/lib/shirushi
COPY --from=build /out/ /
USER shirushi
WORKDIR /var/lib/shirushi
# The whole instance: configuration, databases, trust, and the token's files where SoftHSM is accepted.
VOLUME /var/lib/shirushi
EXPOSE 8443
# Liveness only: whether the service may sign is /health/ready. The certificate names the public host, not this address.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--insecure", "--output", "/dev/null", "https://127.0.0.1:8443/health/live"]
ENTRYPOINT ["shirushi"]
CMD ["serve", "--home", "/var/lib/shirushi"]
