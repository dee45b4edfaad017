#!/usr/bin/env bash
# Runs every test: contracts, Java, and the quickstart from end to end. Fetches what the tests need
# from Maven Central and npm; PyTorch, Jinja2 and redis-server it installs by apt-get as root, and otherwise says what is missing.
set -euo pipefail
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

need_jdk25
need_maven
need_disk 4096 "$root/target"
install_foundry
install_torch
install_jinja2
install_js_libp2p
install_hardhat
install_openai_client
install_redis
install_netns_tools

cd "$root"
echo "== contracts"
contracts/test.sh
echo "== Java"
# Integration tests have real processes, networks and chains, and a busy machine: one that fails runs once more, and is named.
mvn -B -ntp -Dfailsafe.rerunFailingTestsCount=1 verify
flaky=$(grep -rlE --include='TEST-*.xml' '<flaky(Error|Failure)' ./*/target/failsafe-reports || true)
if [ -n "$flaky" ]; then
  echo "Passed only when run again, which is a bug of the test or of the product; see <flakyError> and <flakyFailure> in"
  echo "$flaky"
fi
echo "== quickstart, from end to end"
scripts/test-quickstart.sh
