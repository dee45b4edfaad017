#!/usr/bin/env bash
# Runs the fault test of payment channels and the escrow with many schedules: scripts/fault-test.sh [COUNT [FIRST_SEED]], 200 from seed 1 where
# nothing is said. The build runs the first few always.
set -euo pipefail
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

need_jdk25
need_maven
install_foundry
exec mvn -B -ntp -f "$root/pom.xml" -pl ledger-client -am -Dtest=NoSuchTest -Dit.test=FaultIT -Dsurefire.failIfNoSpecifiedTests=false \
  -Dfailsafe.failIfNoSpecifiedTests=false "-Drigmesh.fault.schedules=${1:-200}" "-Drigmesh.fault.seed=${2:-1}" verify
