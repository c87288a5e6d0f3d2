# syntax=docker/dockerfile:1
# Two images from one build: `docker build --target sandbox .` and `--target example-app .`
# The sandbox is for development. The example app's image shows how such an app is shipped.

FROM node:24-bookworm-slim AS build
WORKDIR /app
# Manifests first: as long as they stay the same, so does the layer with the dependencies.
COPY package.json package-lock.json .npmrc ./
COPY sandbox/package.json sandbox/
COPY example-app/package.json example-app/
# Without scripts: `prepare` would build, and the sources are not there yet.
RUN npm ci --no-audit --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules/
# node_modules links to the workspaces, so they stand where they stood.
COPY --from=build /app/dist dist/
COPY --from=build /app/proto proto/

FROM runtime AS sandbox
COPY --from=build /app/sandbox sandbox/
# Not for production, and it says so: without this, it would take the image's NODE_ENV for the truth.
ENV NODE_ENV=development
# The image's own user, who is not root.
USER node
EXPOSE 3100 3203
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=5 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3100/.well-known/openid-configuration').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# 0.0.0.0: a published port arrives from outside of the container, where 127.0.0.1 does not listen.
ENTRYPOINT ["node", "sandbox/dist/cli.js", "--host", "0.0.0.0"]

FROM runtime AS example-app
COPY --from=build /app/example-app example-app/
# The user table is a file in this folder; a new volume takes its owner from here.
RUN mkdir -p example-app/data && chown node:node example-app/data
USER node
ENV PORT=3000
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=5 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "example-app/dist/server.js"]
