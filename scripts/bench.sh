#!/usr/bin/env bash
# Measures: scripts/bench.sh NAME... [--json FILE]. Prints a table; FILE gets one JSON object a line. The name engine stands for all
# benchmarks of the engine, libp2p for all of the network, ledger for vouchers, the follower and gas, gpu for the first CUDA device; one
# call takes names of one of these groups, and gpu takes no --json. An unknown name prints the list of the engine's. Builds what it
# needs. Without a GPU, gpu prints what is counted: bytes, operations and launches, and every kernel's resources.
set -euo pipefail
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

need_jdk25
need_maven

# bench MODULE MAIN JVM-OPTION... -- ARGUMENT...: Java runs in the caller's folder, so that FILE is where the caller means it.
bench() {
  local module=$1 main=$2 options=()
  shift 2
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  mvn -B -q -ntp -f "$root/pom.xml" -pl "$module" -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/bench.classpath >&2 ||
    fail "the build failed; see the lines above."
  local target=$root/$module/target
  exec "$JAVA25_HOME/bin/java" "${options[@]}" --enable-native-access=ALL-UNNAMED \
    -cp "$target/test-classes:$target/classes:$(cat "$target/bench.classpath")" "$main" "$@"
}

case ${1:-} in
libp2p*)
  install_js_libp2p
  bench libp2p io.rigmesh.libp2p.interop.Libp2pBenchmarks \
    -Xmx256m --sun-misc-unsafe-memory-access=allow "-Drigmesh.interop=$root/libp2p/src/test/interop" -- "$@"
  ;;
gpu)
  bench gpu-worker io.rigmesh.worker.cuda.GpuBenchmarks --add-modules jdk.incubator.vector -Xmx3g --
  ;;
ledger* | voucher-* | gas-*)
  install_foundry
  bench ledger-client io.rigmesh.ledger.bench.LedgerBenchmarks \
    -Xmx512m "-Drigmesh.anvil=$root/contracts/node_modules/.bin/anvil" -- "$@"
  ;;
*)
  # Jlama, the peer of decode-* and prefill-*, has a class path of its own.
  jlama=$root/gpu-worker/src/test/jlama
  peer=()
  case "$*" in *engine* | *cpu* | *decode* | *prefill*)
    mvn -B -q -ntp -f "$jlama/pom.xml" dependency:build-classpath -Dmdep.outputFile="$root/gpu-worker/target/jlama.classpath" >&2 ||
      fail "Jlama could not be had from Maven; see the lines above."
    peer=("-Drigmesh.jlama.classpath=$(cat "$root/gpu-worker/target/jlama.classpath")" "-Drigmesh.jlama.source=$jlama/JlamaMain.java")
    ;;
  esac
  bench gpu-worker io.rigmesh.worker.bench.Benchmarks --add-modules jdk.incubator.vector -Xmx3g ${peer[@]+"${peer[@]}"} -- "$@"
  ;;
esac
