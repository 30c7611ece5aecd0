# Two stages: a static binary, then nothing but it, certificates and time zones.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /flowhq .

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /flowhq /usr/local/bin/flowhq
USER nonroot
EXPOSE 8080
ENV PORT=8080
CMD ["flowhq", "serve"]
