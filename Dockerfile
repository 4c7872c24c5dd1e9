# One image for every service, and one that also has the built page. Which service runs is the command:
#   docker build --target service -t smartcart .
#   docker run smartcart node packages/inventory/src/main.ts
# Services run from .ts: Node strips the types of files that npm's workspace links lead to, but not of packages that
# are copied into node_modules. So npm installs here, where the links are made, and the sources stay where they point.

FROM node:24.21.0-bookworm-slim AS base
WORKDIR /app

# What npm needs to know of every workspace. The stages below copy from here, so that their installs are done again
# only when one of these files changes, and not with every line of code.
FROM base AS manifests
COPY . .
RUN mkdir /manifests && cp --parents --target-directory=/manifests .npmrc package-lock.json package.json \
    gen/package.json packages/*/package.json scripts/package.json web/package.json

# Without devDependencies, and without the embedded database: in a container DATABASE_URL is always set.
FROM base AS dependencies
COPY --from=manifests /manifests ./
RUN npm ci --omit=dev --omit=optional

FROM base AS page
COPY --from=manifests /manifests ./
RUN npm ci
COPY tsconfig.base.json ./
COPY gen gen
COPY web web
RUN npm run build --workspace web

FROM base AS service
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    SMARTCART_STATE=/var/lib/smartcart
RUN install --directory --owner=node --group=node /var/lib/smartcart
COPY --from=dependencies /app ./
COPY gen gen
COPY packages packages
COPY web/proxy-rules.ts web/
USER node
# Node itself is process 1: it gets SIGTERM, and every main.ts drains on it.
CMD ["node", "packages/order/src/main.ts"]

FROM service AS web
COPY --from=page /app/web/dist web/dist
CMD ["node", "packages/smartcart/src/main.ts", "web"]
