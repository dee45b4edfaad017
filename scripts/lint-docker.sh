#!/usr/bin/env bash
# Lints the Dockerfile, the compose file and the systemd unit, where no container engine runs.
set -euo pipefail
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

need_npm
tools=$root/scripts/docker-lint
if ! cmp -s "$tools/package-lock.json" "$tools/node_modules/.installed-lock"; then
  (cd "$tools" && npm ci --no-audit --no-fund --loglevel=error) ||
    fail "npm could not install the linters; see the lines above, and whether the npm registry can be reached."
  cp "$tools/package-lock.json" "$tools/node_modules/.installed-lock"
fi
"$tools/node_modules/.bin/dockerfile-utils" lint "$root/docker/Dockerfile"
"$tools/node_modules/.bin/dclint" --max-warnings 0 "$root/docker/compose.yaml"
if command -v docker >/dev/null && docker compose version >/dev/null 2>&1; then
  RIGMESH_CHAIN_RPC_URLS=http://127.0.0.1:8545 docker compose -f "$root/docker/compose.yaml" config --quiet
fi
if command -v systemd-analyze >/dev/null; then
  # The unit names the installed launcher, which a checkout does not have; anything else is a fault.
  faults=$(systemd-analyze verify "$root/config/rigmesh.service" 2>&1 | grep -v 'is not executable: No such file' || true)
  [ -z "$faults" ] || fail "config/rigmesh.service: $faults"
  # 2.0 of 10; the tool compares in tenths.
  systemd-analyze security --offline=true --threshold=20 "$root/config/rigmesh.service" >/dev/null ||
    fail "config/rigmesh.service is more exposed than 2.0; see systemd-analyze security --offline=true on it."
fi
echo "docker and systemd files are in order"
