#!/usr/bin/env bash
# Installs js-libp2p and the Node that runs it from npm into node_modules, once for each package-lock.json. Does nothing, and
# needs no network, when they are there.
set -euo pipefail
cd "$(dirname "$0")"

installed=node_modules/.installed-package-lock.json
if cmp -s package-lock.json "$installed"; then
  exit 0
fi
if ! command -v npm >/dev/null; then
  echo "npm is missing: install Node.js 20 or newer with npm" >&2
  exit 1
fi
# The packages' own Node runs them, so that npm's may be older than they ask for. None needs its install scripts.
if ! npm ci --ignore-scripts --engine-strict=false --no-audit --no-fund --loglevel=error; then
  echo "npm could not install js-libp2p: is its registry reachable, and the disk not full?" >&2
  exit 1
fi
cp package-lock.json "$installed"
