#!/usr/bin/env bash
# Installs forge, anvil, cast, solc and OpenZeppelin from npm into node_modules, once for each
# package-lock.json. Does nothing, and needs no network, when they are there.
set -euo pipefail
cd "$(dirname "$0")/.."

installed=node_modules/.installed-package-lock.json
if cmp -s package-lock.json "$installed"; then
  exit 0
fi
for command in node npm; do
  if ! command -v "$command" > /dev/null; then
    echo "$command is missing: install Node.js 20 or newer with npm" >&2
    exit 1
  fi
done
# No package needs its install scripts here: the tools come in packages of their own.
if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; then
  echo "npm could not install the contracts' tools: is its registry reachable, and the disk not full?" >&2
  exit 1
fi
cp package-lock.json "$installed"
