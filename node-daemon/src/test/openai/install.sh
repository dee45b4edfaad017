#!/usr/bin/env bash
# Installs OpenAI's client from npm into node_modules, once for each package-lock.json. Does nothing, and needs no network, when it
# is there. It runs on the Node that the interop tests of libp2p install.
set -euo pipefail
cd "$(dirname "$0")"

../../../../libp2p/src/test/interop/install.sh
installed=node_modules/.installed-package-lock.json
if cmp -s package-lock.json "$installed"; then
  exit 0
fi
if ! npm ci --ignore-scripts --engine-strict=false --no-audit --no-fund --loglevel=error; then
  echo "npm could not install OpenAI's client: is its registry reachable, and the disk not full?" >&2
  exit 1
fi
cp package-lock.json "$installed"
