#!/usr/bin/env bash
# Checks every shell script's syntax, and with shellcheck where it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(git grep -lE '^#!.*(bash|sh)$|^# shellcheck shell=bash' -- ':!*.md')
for file in "${files[@]}"; do
  bash -n "$file"
done
if command -v shellcheck >/dev/null; then
  shellcheck -x --severity=warning "${files[@]}"
fi
echo "${#files[@]} scripts checked"
