#!/usr/bin/env bash
# Proves and measures the engine on this machine's first CUDA device: its bits against the CPU's, its logits against Hugging Face
# transformers where a Python has it, and the benchmarks beside their floors and beside PyTorch. Prints one table last. Needs
# NVIDIA's driver 580 or newer; PYTHON names the Python to ask for transformers, python3 unless set.
set -euo pipefail
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

need_jdk25
need_maven
python=${PYTHON:-python3}

[ -e /dev/nvidiactl ] || [ -e /dev/nvidia0 ] || [ -e /dev/dxg ] ||
  fail "no NVIDIA device is on this machine (there is no /dev/nvidiactl); run this where one is."

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
verdicts=()
failed=0

# verdict NAME RESULT
verdict() {
  verdicts+=("$(printf '%-62s %s' "$1" "$2")")
  [ "$2" != FAILED ] || failed=1
}

# tests NAME PATTERN OPTION...
tests() {
  local name=$1 pattern=$2 report ran skipped
  shift 2
  echo "== $name"
  if (cd "$root" && mvn -B -ntp -pl gpu-worker -am "-Dtest=$pattern" -Dsurefire.failIfNoSpecifiedTests=false "$@" test) \
    >"$log/tests" 2>&1; then
    report=$(grep -E 'Tests run: [0-9]+, .*Skipped: [0-9]+' "$log/tests" | tail -n 1)
    ran=$(sed -n 's/.*Tests run: \([0-9]*\),.*/\1/p' <<<"$report")
    skipped=$(sed -n 's/.*Skipped: \([0-9]*\).*/\1/p' <<<"$report")
    if [ "${ran:-0}" -gt "${skipped:-0}" ]; then
      verdict "$name" "passed, $((ran - skipped)) tests"
    else
      verdict "$name" FAILED
      echo "every test was skipped: the driver's library libcuda.so.1 does not answer." >&2
    fi
  else
    grep -E 'ERROR|FAIL' "$log/tests" | head -n 30 >&2
    verdict "$name" FAILED
  fi
}

tests "conformance suite and bits of whole steps against the CPU" 'CudaStepRunnerGpuTest'
tests "conformance suite of encoders, and MiniLM against ONNX Runtime" 'CudaBertRunnerGpuTest'
if "$python" -c 'import torch, transformers' 2>/dev/null; then
  tests "logits against transformers, within 1e-4" 'TransformersGpuTest' "-Drigmesh.transformers=$(command -v "$python")"
else
  verdict "logits against transformers, within 1e-4" "not run: $python has no torch and transformers"
fi

echo "== benchmarks"
if "$root/scripts/bench.sh" gpu >"$log/bench" 2>"$log/bench.err"; then
  cat "$log/bench"
  verdict "benchmarks" "measured, above"
else
  cat "$log/bench" "$log/bench.err" >&2
  verdict "benchmarks" FAILED
fi

if "$python" -c 'import torch, transformers, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  echo "== PyTorch, bf16, as a CUDA graph"
  if "$python" "$root/gpu-worker/src/test/python/transformers_oracle.py" speed >"$log/torch" 2>"$log/torch.err"; then
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
