#!/usr/bin/env bash
# Measures: scripts/bench.sh NAME... [--json FILE]. Prints a table; FILE gets one JSON object a line. The name cpu stands for all
# benchmarks; an unknown name prints the list. Builds what it needs.
set -euo pipefail
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

need_jdk25
need_maven

# Java runs in the caller's folder, so that FILE is where the caller means it.
mvn -B -q -ntp -f "$root/pom.xml" -pl gpu-worker -am -DskipTests test-compile \
  dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/bench.classpath >&2 ||
  fail "the build failed; see the lines above."
module=$root/gpu-worker/target
exec "$JAVA25_HOME/bin/java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED -Xmx3g \
  -cp "$module/test-classes:$module/classes:$(cat "$module/bench.classpath")" io.rigmesh.worker.bench.Benchmarks "$@"
