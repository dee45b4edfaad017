#!/usr/bin/env bash
# Compiles gpu-worker/src/main/c to the shared library that the jar carries and writes the manifest beside it; needs gcc on Linux
# x86-64. With --check nothing that is committed is touched: where gcc is the manifest's, what it makes must be what is committed;
# another gcc's library is put into the build instead, and the tests of the native products run against it.
set -euo pipefail
export LC_ALL=C
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

package=io/rigmesh/worker/kernels/nativecode
sources=$root/gpu-worker/src/main/c
committed=$root/gpu-worker/src/main/resources/$package
library=librigmesh-linux-x86_64.so
flags=(-std=gnu17 -O3 -ffp-contract=off -fno-fast-math -ffreestanding -fno-builtin -fPIC -fvisibility=hidden
  -Wall -Wextra -Werror -Wno-psabi)
# Needs no other library, and says so at link time; no build id and no symbols, so that the same compiler makes the same bytes.
# shellcheck disable=SC2054 # The commas are the linker's.
link=(-shared -nostdlib -Wl,-z,defs -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,--build-id=none -s)

[ "$(uname -sm)" = "Linux x86_64" ] || fail "the library is for Linux on x86-64, and is compiled there."
command -v gcc >/dev/null || fail "gcc is missing; install it (Debian: apt-get install gcc)."
compiler="gcc $(gcc -dumpfullversion)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$sources" && gcc "${flags[@]}" "${link[@]}" -o "$work/$library" ./*.c) || fail "$compiler refuses the sources; see the lines above."
{
  printf '{\n  "compiler": "%s",\n  "flags": "%s",\n  "sourceSha256": "%s",\n  "libraries": [\n' \
    "$compiler" "${flags[*]} ${link[*]}" "$(cd "$sources" && cat ./* | sha256sum | cut -d' ' -f1)"
  printf '    {"platform": "linux-x86_64", "file": "%s", "sha256": "%s"}\n  ]\n}\n' \
    "$library" "$(sha256sum "$work/$library" | cut -d' ' -f1)"
} >"$work/manifest.json"

if [ "${1:-}" != --check ]; then
  mkdir -p "$committed"
  cp "$work/$library" "$work/manifest.json" "$committed"
  chmod 644 "$committed/$library"
  echo "wrote $library and the manifest to ${committed#"$root"/}"
elif grep -qF "\"compiler\": \"$compiler\"" "$committed/manifest.json"; then
  diff -rq "$work" "$committed" >&2 ||
    fail "the committed library is not what the sources compile to with $compiler; run scripts/build-native.sh and commit what it writes."
  echo "the committed library is what $compiler makes of the sources"
else
  need_jdk25
  need_maven
  echo "the committed library was made by another compiler than $compiler; testing what this one makes"
  (cd "$root" && mvn -B -q -ntp -pl gpu-worker -am -DskipTests test-compile)
  cp "$work/$library" "$work/manifest.json" "$root/gpu-worker/target/classes/$package"
  (cd "$root" && mvn -B -q -ntp -pl gpu-worker -Dtest='ByteProductsPropertyTest,ByteLinearPropertyTest,FloatProductsPropertyTest,BackendParityPropertyTest' surefire:test) ||
    fail "the library that $compiler makes does not have the reference's bits; see the lines above."
  cp "$committed"/* "$root/gpu-worker/target/classes/$package"
  echo "the library that $compiler makes has the reference's bits"
fi
