#!/usr/bin/env bash
# Proves and measures the engine on this machine's first CUDA device: its bits against the CPU's, its logits against Hugging Face
# transformers where a Python has it, and the benchmarks beside their floors and beside PyTorch. Prints one table last. Needs
# NVIDIA's driver 580 or newer; PYTHON names the Python to ask for transformers, python3 unless set.
#
# gpu-check.sh --pack FILE.tar.gz, on any machine, packs all of that with a Java of its own, for a GPU machine that has neither Java
# nor a network: there, tar xf FILE.tar.gz && gpu-check/gpu-check.sh. Left out of the pack is MiniLM beside ONNX Runtime.
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

if [ -x "$here/jre/bin/java" ]; then
  fail() {
    printf 'gpu-check.sh: %s\n' "$*" >&2
    exit 2
  }
  need_device
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
  need_device
  compile_tests
fi

# Where NVIDIA's container runtimes put the driver, if the linker does not know it.
if [ -e /usr/local/nvidia/lib64/libcuda.so.1 ] && ! ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'; then
  export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/usr/local/nvidia/lib64
fi

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
verdicts=()
failed=0

# verdict NAME RESULT
verdict() {
  verdicts+=("$(printf '%-62s %s' "$1" "$2")")
  [ "$2" != FAILED ] || failed=1
}

# run_java OPTION... MAIN ARGUMENT...: in the folder where tests find their files.
run_java() {
  (cd "$home" && exec "$java" -Xmx3g --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp "$classpath" "$@")
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
      verdict "$name" "passed, $passed tests, $(cut -d' ' -f4 <<<"$counts") skipped"
    else
      verdict "$name" FAILED
      grep -E 'CUDA|driver|WARN|ERROR' "$log/tests" | head -n 10 >&2 || true
      echo "every test was skipped: the driver's library libcuda.so.1 does not answer." >&2
    fi
  else
    grep -vE ' (DEBUG|TRACE) ' "$log/tests" | tail -n 60 >&2
    verdict "$name" FAILED
  fi
}

tests "every kernel against the scalar reference" ptx.ShippedKernelsGpuTest
tests "conformance suite and bits of whole steps against the CPU" cuda.CudaStepRunnerGpuTest
tests "conformance suite of encoders, and MiniLM against ONNX Runtime" cuda.CudaBertRunnerGpuTest
if "$python" -c 'import torch, transformers' 2>/dev/null; then
  tests "logits against transformers, within 1e-4" cuda.TransformersGpuTest "-Drigmesh.transformers=$(command -v "$python")"
else
  verdict "logits against transformers, within 1e-4" "not run: $python has no torch and transformers"
fi

echo "== benchmarks"
if run_java io.rigmesh.worker.cuda.GpuBenchmarks 2>"$log/bench.err" | tee "$log/bench"; then
  verdict "benchmarks" "measured, above"
else
  tail -n 60 "$log/bench.err" >&2
  verdict "benchmarks" FAILED
fi

if "$python" -c 'import torch, transformers, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  echo "== PyTorch, bf16, as a CUDA graph"
  if "$python" "$home/src/test/python/transformers_oracle.py" speed >"$log/torch" 2>"$log/torch.err"; then
    while read -r model step theirs; do
      ours=$(awk -v m="$model" '$1 == m && $2 == "i8-v1" && /decode, batch 1 .*%/ {print $6}' "$log/bench" | tail -n 1)
      verdict "$model $step, tokens/s: ours in i8-v1 over PyTorch's bf16" \
        "$(awk -v a="${ours:-0}" -v b="$theirs" 'BEGIN {printf "%.0f / %.0f = %.2f", a, b, a / b}')"
    done <"$log/torch"
  else
    tail -n 5 "$log/torch.err" >&2
    verdict "PyTorch's decode" "not measured: it failed, see above"
  fi
fi

echo
echo "== $(date -u +%Y-%m-%d), $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)"
printf '%s\n' "${verdicts[@]}"
exit "$failed"
