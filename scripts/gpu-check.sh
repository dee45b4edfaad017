#!/usr/bin/env bash
# Proves and measures the engine on this machine's first CUDA device: every kernel's and whole steps' bits against the CPU's, its
# logits against Hugging Face transformers where a Python has it, and the benchmarks beside their floors and beside PyTorch. Prints
# one table last, and fails if anything in it did, a bar that was not reached too; with --strict also if something was not run.
# Needs NVIDIA's driver 580 or newer; PYTHON names the Python to ask for torch and transformers, python3 unless set.
#
# gpu-check.sh --pack FILE.tar.gz, on any machine, packs all of that with a Java of its own, for a GPU machine that has neither Java
# nor a network: there, tar xf FILE.tar.gz && gpu-check/gpu-check.sh. Left out of the pack is MiniLM beside ONNX Runtime.
# gpu-check.sh --only PART runs kernels, steps, encoders, self-test, logits, benchmarks or pytorch alone, where time is short. All results are
# kept as lines in gpu-check.lines, where the script is called: --only adds to them, and --table FILE makes the table of them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
modules=java.base,java.desktop,java.logging,java.management,java.naming,java.sql,java.xml,jdk.incubator.vector,jdk.management,jdk.unsupported

need_device() {
  [ -e /dev/nvidiactl ] || [ -e /dev/nvidia0 ] || [ -e /dev/dxg ] ||
    fail "no NVIDIA device is on this machine (there is no /dev/nvidiactl); run this where one is."
}

# Compiles, and leaves the class path of the tests in $classpath.
compile_tests() {
  need_jdk25
  need_maven
  mvn -B -q -ntp -f "$root/pom.xml" -pl gpu-worker -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/bench.classpath >&2 ||
    fail "the build failed; see the lines above."
  java=$JAVA25_HOME/bin/java
  target=$root/gpu-worker/target
  classpath=$target/test-classes:$target/classes:$(cat "$target/bench.classpath")
  home=$root/gpu-worker
}

# Packs what compile_tests has left, without the libraries that nothing here asks for.
pack() {
  local work entry number=0
  work=$(mktemp -d)
  mkdir -p "$work/gpu-check/lib" "$work/gpu-check/src/test"
  while read -r entry; do
    case $(basename "$entry") in
    onnxruntime-* | langchain4j-* | tokenizers-* | bcprov-* | byte-buddy-* | jqwik-* | grpc-* | netty-* | secp256k1-* | kotlin-* | \
      protobuf-* | proto-google-* | guava-*) ;;
    *.jar) cp "$entry" "$work/gpu-check/lib" ;;
    *)
      number=$((number + 1))
      cp -R "$entry" "$work/gpu-check/classes-$number"
      ;;
    esac
  done < <(tr ':' '\n' <<<"$classpath")
  cp -R "$home/src/test/python" "$work/gpu-check/src/test"
  cp "$here/gpu-check.sh" "$work/gpu-check"
  "$JAVA25_HOME/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --output "$work/gpu-check/jre" ||
    fail "jlink could not make a Java of its own; see the lines above."
  tar -czf "$1" -C "$work" gpu-check
  rm -rf "$work"
  echo "packed $(($(wc -c <"$1") >> 20)) MiB into $1"
}

# run_java OPTION... MAIN ARGUMENT...: in the folder where tests find their files.
run_java() {
  (cd "$home" && exec "$java" -Xmx3g --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp "$classpath" "$@")
}

strict=()
# table FILE: of lines of results; fails where it says so.
table() {
  run_java io.rigmesh.worker.cuda.GpuVerdicts "$1" ${strict[@]+"${strict[@]}"}
}

only=
while :; do
  case ${1:-} in
  --strict) strict=(--strict) ;;
  --only)
    only=${2:-none}
    [ $# -lt 2 ] || shift
    ;;
  *) break ;;
  esac
  shift
done

if [ -x "$here/jre/bin/java" ]; then
  fail() {
    printf 'gpu-check.sh: %s\n' "$*" >&2
    exit 2
  }
  java=$here/jre/bin/java
  # Java itself looks for the files of lib.
  classpath="$(printf '%s:' "$here"/classes-*)$here/lib/*"
  home=$here
else
  # shellcheck source=scripts/prerequisites.sh
  . "$here/prerequisites.sh"
  if [ "${1:-}" = --pack ]; then
    [ $# = 2 ] || fail "name the file: gpu-check.sh --pack FILE.tar.gz"
    compile_tests
    pack "$2"
    exit
  fi
  [ "${1:-}" = --table ] || need_device
  compile_tests
fi

case $only in
'' | kernels | steps | encoders | self-test | logits | benchmarks | pytorch) ;;
*) fail "there is no part $only: kernels, steps, encoders, self-test, logits, benchmarks or pytorch" ;;
esac
case ${1:-} in
'') need_device ;;
--table)
  [ $# = 2 ] || fail "name the file: gpu-check.sh --table FILE"
  table "$(realpath "$2")"
  exit
  ;;
*) fail "there is no option $1: gpu-check.sh [--strict] [--only PART | --pack FILE.tar.gz | --table FILE]" ;;
esac

# Where NVIDIA's container runtimes put the driver, if the linker does not know it.
if [ -e /usr/local/nvidia/lib64/libcuda.so.1 ] && ! ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'; then
  export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/usr/local/nvidia/lib64
fi

# Where the results are kept.
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
lines=$PWD/gpu-check.lines
[ -n "$only" ] || : >"$lines"

# verdict NAME passed|FAILED|'not run' DETAIL
verdict() {
  printf 'CHECK\t%s\t%s\t%s\n' "$1" "$2" "${3:-}" >>"$lines"
}

# wanted PART: whether it is to run.
wanted() {
  [ -z "$only" ] || [ "$only" = "$1" ]
}

# tests NAME CLASS OPTION...
tests() {
  local name=$1 class=$2 counts passed
  shift 2
  echo "== $name"
  if run_java "$@" io.rigmesh.worker.cuda.GpuTests "$class" >"$log/tests" 2>&1; then
    counts=$(grep -E '^PASSED [0-9]+ SKIPPED' "$log/tests" | tail -n 1)
    passed=$(cut -d' ' -f2 <<<"$counts")
    if [ "${passed:-0}" -gt 0 ]; then
      verdict "$name" passed "$passed tests, $(cut -d' ' -f4 <<<"$counts") skipped"
    else
      verdict "$name" FAILED "every test was skipped"
      grep -E 'CUDA|driver|WARN|ERROR' "$log/tests" | head -n 10 >&2 || true
      echo "every test was skipped: the driver's library libcuda.so.1 does not answer." >&2
    fi
  else
    grep -vE ' (DEBUG|TRACE) ' "$log/tests" | tail -n 60 >&2
    verdict "$name" FAILED "$(grep -E '^PASSED [0-9]+ SKIPPED' "$log/tests" | tail -n 1 || true)"
  fi
}

if wanted kernels; then
  tests "every kernel against the scalar reference" ptx.ShippedKernelsGpuTest
fi
if wanted steps; then
  tests "conformance suite and bits of whole steps against the CPU" cuda.CudaStepRunnerGpuTest
fi
if wanted encoders; then
  tests "conformance suite of encoders, and MiniLM against ONNX Runtime" cuda.CudaBertRunnerGpuTest
fi
if wanted self-test; then
  tests "self-test of all free memory, and its answers" selftest.SelfTestGpuTest
fi
if wanted logits; then
  if "$python" -c 'import torch, transformers' 2>/dev/null; then
    tests "logits against transformers, within 1e-4" cuda.TransformersGpuTest "-Drigmesh.transformers=$(command -v "$python")"
  else
    verdict "logits against transformers, within 1e-4" 'not run' "$python has no torch and transformers"
  fi
fi

if wanted benchmarks; then
  echo "== benchmarks"
  if run_java io.rigmesh.worker.cuda.GpuBenchmarks "$lines" 2>"$log/bench.err"; then
    verdict "benchmarks" passed "run to their end"
  else
    tail -n 60 "$log/bench.err" >&2
    verdict "benchmarks" FAILED "they broke off, see above"
  fi
fi

if ! wanted pytorch; then
  :
elif "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  echo "== PyTorch, bf16, as a CUDA graph"
  if "$python" "$home/src/test/python/transformers_oracle.py" speed >"$log/torch" 2>"$log/torch.err"; then
    sed -E 's/^([^ ]+) ([^ ]+) /TORCH\t\1\t\2\t/' "$log/torch" | tee -a "$lines"
  else
    tail -n 5 "$log/torch.err" >&2
    verdict "PyTorch's decode" 'not run' "it failed, see above"
  fi
else
  verdict "PyTorch's decode" 'not run' "$python has no torch that sees the device"
fi

echo
echo "== $(date -u +%Y-%m-%d), $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)"
table "$lines"
