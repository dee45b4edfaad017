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

# What the Dockerfile copies from the tree must be let through by .dockerignore, and be there. A pattern
# there is a path from the top; the last one that fits decides, `!` lets through, and what is below a
# folder goes with it.
ignored() {
  local path=$1 verdict=1 line pattern wanted
  while read -r line; do
    case $line in '' | '#'*) continue ;; esac
    pattern=${line#!}
    [ "$line" = "$pattern" ] && wanted=0 || wanted=1
    # shellcheck disable=SC2053 # The right side is a pattern.
    if [ "$pattern" = '**' ] || [[ $path == $pattern || $path == $pattern/* ]]; then
      verdict=$wanted
    fi
  done <"$root/.dockerignore"
  return "$verdict"
}
copied=0
while read -r source; do
  copied=$((copied + 1))
  [ -e "$root/$source" ] || fail "docker/Dockerfile copies $source, which is not in the tree."
  ! ignored "$source" || fail "docker/Dockerfile copies $source, which .dockerignore keeps out; add !$source to it."
done < <(sed -nE 's/^COPY ([^-].*) [^ ]+$/\1/p' "$root/docker/Dockerfile" | tr ' ' '\n')
[ "$copied" -ge 9 ] || fail "only $copied things that docker/Dockerfile copies were found; is the check still right?"
for module in $(sed -nE 's|^ *<module>(.*)</module>.*|\1|p' "$root/pom.xml"); do
  grep -q "^COPY $module " "$root/docker/Dockerfile" || fail "docker/Dockerfile does not copy the module $module."
done

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
