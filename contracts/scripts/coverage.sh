#!/usr/bin/env bash
# Prints how much of each contract its tests reach, and fails where fewer than 95 of 100 branches of src/ are taken.
#
# What the figure is worth: forge counts the body of each if, the else where there is one, and both ends of a try; it counts no
# ternary, and no half of an && by itself. It cannot see into assembly, so the three branches of Claims.sol count as not taken; that
# both sides of them are is for PaymentChannelsVouchers.t.sol, whose fuzz test holds that assembly to the same thing in Solidity.
# Without --ir-minimum that assembly does not compile for coverage. Gas tests are left out, as nothing is optimised here, and
# invariants, as their walks are long and reach nothing that the tests by behaviour do not.
set -euo pipefail
cd "$(dirname "$0")/.."

floor=95

report=$(mktemp)
said=$(mktemp)
trap 'rm -f "$report" "$said"' EXIT
if ! scripts/foundry forge coverage --ir-minimum --fuzz-runs 16 --skip Gas.t.sol --skip invariant.t.sol --skip handlers \
  --report lcov --report-file "$report" > "$said" 2>&1; then
  cat "$said" >&2
  exit 1
fi

node -e '
  const fs = require("fs");
  const [file, floor] = process.argv.slice(1);
  const sum = { found: 0, hit: 0 };
  for (const part of fs.readFileSync(file, "utf8").split("end_of_record")) {
    const name = /^SF:(.*)$/m.exec(part)?.[1];
    if (!name || !name.startsWith("src/")) continue;
    const number = (key) => Number(new RegExp(`^${key}:(\\d+)$`, "m").exec(part)?.[1] ?? 0);
    const [found, hit] = [number("BRF"), number("BRH")];
    sum.found += found;
    sum.hit += hit;
    console.log(`${name.padEnd(32)} lines ${number("LH")} of ${number("LF")}, branches ${hit} of ${found}`);
    for (const [, line, count] of part.matchAll(/^BRDA:(\d+),\d+,\d+,(\d+|-)$/gm)) {
      if (count === "-" || count === "0") console.log(`  not taken: a branch of line ${line}`);
    }
  }
  const percent = (100 * sum.hit) / sum.found;
  console.log(`branches: ${sum.hit} of ${sum.found}, ${percent.toFixed(1)} %, at least ${floor} % wanted`);
  if (!(percent >= Number(floor))) process.exit(1);
' "$report" "$floor"
