#!/usr/bin/env bash
# Compiles gpu-worker/src/main/cuda/*.cu to the PTX that the jar carries and writes the manifest beside it; needs nvcc 13 and
# ptxas. With --check nothing is written: it fails where what is committed is not what these sources compile to.
#
# A source is compiled for compute_75, unless a line `// Architecture: compute_80` (or compute_90a) in it asks for more. The
# resources in the manifest are what ptxas -v reports for Hopper's machine code, sm_90 (sm_90a where the source asks for it).
# With --report it prints the same of the committed PTX for Turing, Ampere, Ada and Hopper, which is the table of docs/kernels.md.
set -euo pipefail
export LC_ALL=C
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

sources=$root/gpu-worker/src/main/cuda
committed=$root/gpu-worker/src/main/resources/io/rigmesh/worker/cuda
flags=(-std=c++17 -O3 -fmad=false -prec-div=true -prec-sqrt=true -ftz=false -Werror all-warnings)

for tool in nvcc ptxas; do
  command -v "$tool" >/dev/null || fail "$tool is missing; install NVIDIA's CUDA toolkit 13.0 (no GPU is needed)."
done
release=$(nvcc --version | sed -n 's/.*, V\([0-9.]*\)$/\1/p')

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One hash for a source and every header, since any of them may be included.
hash_of() {
  (cd "$sources" && cat "$1" ./*.cuh | sha256sum | cut -d' ' -f1)
}

# The number that stands before the words $2 in the report $1, or 0.
number() {
  local found
  found=$(sed -n "s/.*[ ,]\([0-9][0-9]*\) $2.*/\1/p" <<<"$1" | head -n 1)
  printf '%s' "${found:-0}"
}

# Prints one JSON line for every kernel of the PTX file $1 in machine code for sm_$2.
resources() {
  local report entry block first=1
  report=$(ptxas -v -arch="sm_$2" -o /dev/null "$1" 2>&1) || fail "ptxas refuses $(basename "$1"): $report"
  while read -r entry; do
    block=$(awk -v name="'$entry'" 'index($0, "Compiling entry function") { on = index($0, name) > 0 } on' <<<"$report")
    [ "$first" = 1 ] || printf ',\n'
    first=0
    printf '        {"entry": "%s", "registers": %s, "spillStoreBytes": %s, "spillLoadBytes": %s, "stackBytes": %s, "sharedBytes": %s}' \
      "$entry" "$(number "$block" registers)" "$(number "$block" 'bytes spill stores')" "$(number "$block" 'bytes spill loads')" \
      "$(number "$block" 'bytes stack frame')" "$(number "$block" 'bytes smem')"
  done < <(sed -n "s/.*Compiling entry function '\([^']*\)'.*/\1/p" <<<"$report" | sort)
}

# Prints a table of every kernel's registers, own shared memory and spills in the machine code of several architectures.
report() {
  local ptx least machine machines=(75 80 89 90) entry registers spills shared line
  local -A cells
  printf '| kernel | sm_75 | sm_80 | sm_89 | sm_90 |\n|---|---|---|---|---|\n'
  for ptx in "$committed"/*.ptx; do
    least=$(sed -n 's/^\.target sm_\([0-9a]*\).*/\1/p' "$ptx")
    cells=()
    for machine in "${machines[@]}"; do
      [ "$least" != 90a ] || [ "$machine" != 90 ] || machine=90a
      if [ "${machine%a}" -ge "${least%a}" ]; then
        while read -r entry registers spills shared; do
          cells["$entry ${machine%a}"]="$registers, $shared$([ "$spills" = 0 ] || printf ', spills %s' "$spills")"
        done < <({ resources "$ptx" "$machine" && echo; } |
          sed -E 's/.*"entry": "([^"]*)", "registers": ([0-9]+), "spillStoreBytes": ([0-9]+), .*"sharedBytes": ([0-9]+)\}.*/\1 \2 \3 \4/')
      fi
    done
    sed -n 's/^\.visible \.entry \([a-z0-9_]*\)(.*/\1/p' "$ptx" | sort | while read -r entry; do
      line="| \`$entry\` |"
      for machine in "${machines[@]}"; do
        line="$line ${cells["$entry $machine"]:--} |"
      done
      printf '%s\n' "$line"
    done
  done
}

if [ "${1:-}" = --report ]; then
  report
  exit
fi

{
  printf '{\n  "compiler": "nvcc %s",\n  "flags": "%s",\n  "modules": [\n' "$release" "${flags[*]}"
  first=1
  for source in "$sources"/*.cu; do
    name=$(basename "$source" .cu)
    architecture=$(sed -n 's/^\/\/ Architecture: \(compute_[0-9a]*\).*/\1/p' "$source")
    architecture=${architecture:-compute_75}
    (cd "$sources" && nvcc -ptx "-arch=$architecture" "${flags[@]}" -o "$work/$name.ptx" "$name.cu") ||
      fail "nvcc refuses $name.cu; see the lines above."
    [ "$first" = 1 ] || printf ',\n'
    first=0
    printf '    {\n      "name": "%s",\n      "architecture": "%s",\n      "ptxVersion": "%s",\n      "sourceSha256": "%s",\n      "ptxSha256": "%s",\n' \
      "$name" "$architecture" "$(sed -n 's/^\.version \(.*\)/\1/p' "$work/$name.ptx")" "$(hash_of "$name.cu")" \
      "$(sha256sum "$work/$name.ptx" | cut -d' ' -f1)"
    machine=90
    [ "$architecture" != compute_90a ] || machine=90a
    printf '      "machine": "sm_%s",\n      "kernels": [\n' "$machine"
    resources "$work/$name.ptx" "$machine"
    printf '\n      ]\n    }'
  done
  printf '\n  ]\n}\n'
} >"$work/manifest.json"

if [ "${1:-}" = --check ]; then
  mkdir -p "$committed"
  diff -rq "$work" "$committed" >&2 ||
    fail "the committed PTX is not what the sources compile to with nvcc $release; run scripts/build-ptx.sh and commit what it writes."
  echo "the committed PTX is what nvcc $release makes of the sources"
else
  mkdir -p "$committed"
  rm -f "$committed"/*.ptx "$committed/manifest.json"
  cp "$work"/*.ptx "$work/manifest.json" "$committed"
  echo "wrote $(find "$committed" -name '*.ptx' | wc -l) modules and the manifest to ${committed#"$root"/}"
fi
