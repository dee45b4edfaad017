#!/usr/bin/env bash
# One side of libp2p's public transport interop test, told what to do by the environment as that suite does: IS_DIALER,
# REDIS_ADDR, TEST_KEY, TRANSPORT, SECURE_CHANNEL, MUXER, LISTENER_IP, DEBUG. The dialer prints its result as YAML on stdout;
# everything else goes to stderr. For example, with a redis-server on port 6379:
#   IS_DIALER=false REDIS_ADDR=127.0.0.1:6379 TEST_KEY=1 TRANSPORT=tcp SECURE_CHANNEL=noise MUXER=yamux LISTENER_IP=127.0.0.1 \
#     scripts/interop-peer.sh &
#   IS_DIALER=true REDIS_ADDR=127.0.0.1:6379 TEST_KEY=1 TRANSPORT=tcp SECURE_CHANNEL=noise MUXER=yamux scripts/interop-peer.sh
set -euo pipefail
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

need_jdk25
need_maven

target=$root/libp2p/target
if [ ! -f "$target/bench.classpath" ] ||
  [ -n "$(find "$root/pom.xml" "$root/libp2p/pom.xml" "$root/libp2p/src" -path '*/node_modules' -prune -o -newer "$target/bench.classpath" -print -quit)" ]; then
  mvn -B -q -ntp -f "$root/pom.xml" -pl libp2p -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/bench.classpath >&2 ||
    fail "the build failed; see the lines above."
fi
exec "$JAVA25_HOME/bin/java" -Xmx256m --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  -cp "$target/test-classes:$target/classes:$(cat "$target/bench.classpath")" io.rigmesh.libp2p.interop.TransportInterop
