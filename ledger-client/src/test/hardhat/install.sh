#!/usr/bin/env bash
# Installs Hardhat's network from npm into node_modules, once for each package-lock.json. Does nothing, and needs no network, when
# it is there. It runs on the Node that the interop tests of libp2p install, since npm leaves out what that Node is too old for.
set -euo pipefail
cd "$(dirname "$0")"

interop=../../../../libp2p/src/test/interop
"$interop/install.sh"
installed=node_modules/.installed-package-lock.json
if cmp -s package-lock.json "$installed"; then
  exit 0
fi
for folder in "$PWD/$interop"/node_modules/node-linux-*/bin; do
  PATH=$folder:$PATH
done
if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; then
  echo "npm could not install Hardhat: is its registry reachable, and the disk not full?" >&2
  exit 1
fi
cp package-lock.json "$installed"
