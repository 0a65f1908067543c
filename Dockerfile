# syntax=docker/dockerfile:1
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/channelbridge ./cmd/channelbridge
# The folder for the SQLite file and the key, owned by the user the bridge runs as.
RUN mkdir -p /out/root && mkdir -m 0700 /out/root/data && mkdir -m 1777 /out/root/tmp

# Time zones are built into the program; certificates are all it needs from outside.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/channelbridge /channelbridge
COPY --from=build --chown=65532:65532 /out/root/ /
USER 65532:65532
ENV CHANNELBRIDGE_CONFIG=/etc/channelbridge/channelbridge.yaml
WORKDIR /
EXPOSE 8080
VOLUME /data
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["/channelbridge", "healthcheck"]
ENTRYPOINT ["/channelbridge"]
CMD ["serve"]
