#!/usr/bin/env bash
# Checks the contracts: format, lint, ABIs, golden vectors, tests, snapshots, coverage. Needs node and npm alone.
#   ./test.sh                        the usual depth, about two minutes
#   FOUNDRY_PROFILE=deep ./test.sh   many more fuzz and invariant runs
# The last line counts each test, fuzz test and invariant, and each other check, once.
set -euo pipefail
cd "$(dirname "$0")"

scripts/install.sh

passed=0
failed=0

check() {
  if "$@"; then
    passed=$((passed + 1))
  else
    echo "FAILED: $*" >&2
    failed=$((failed + 1))
  fi
}

check scripts/foundry forge fmt --check
check node_modules/.bin/solhint --noPoster --max-warnings 0 'src/**/*.sol'
check node_modules/.bin/solhint --noPoster --max-warnings 0 -c .solhint.test.json 'test/**/*.sol'
check scripts/abi.sh --check
check scripts/ownerless.sh
check scripts/cast-vectors.sh

report=$(mktemp)
trap 'rm -f "$report"' EXIT
scripts/foundry forge test --gas-snapshot-emit false | tee "$report" || true
# Forge ends with: Ran 9 test suites in 9.51s (...): 107 tests passed, 0 failed, 0 skipped (...)
summary=$(sed -nE 's/^Ran .* suites? in .*: ([0-9]+) tests passed, ([0-9]+) failed.*/\1 \2/p' "$report")
if [ -z "$summary" ]; then
  echo "FAILED: forge test did not run to its end" >&2
  failed=$((failed + 1))
else
  read -r tests_passed tests_failed <<< "$summary"
  passed=$((passed + tests_passed))
  failed=$((failed + tests_failed))
fi

check scripts/snapshots.sh --check
check scripts/coverage.sh
# At the end, because it compiles without bytecode what is not compiled yet.
check scripts/foundry forge lint src

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
