#!/usr/bin/env bash
# Writes snapshots/: the gas of each call (NAME.json, measured by test/Gas.t.sol) and the storage
# layout of each contract (NAME.layout.txt), so that a change of either is seen and meant.
# With --check nothing is written; it shows what differs from the committed files and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

contracts=(DevToken ProviderRegistry JobEscrow PaymentChannels ReceiptLog)

target=snapshots
case "${1:-}" in
  '') rm -rf snapshots ;;
  --check)
    # Forge writes only inside the project; out/ is ignored by git.
    target=out/snapshots
    rm -rf "$target"
    ;;
  *)
    echo "usage: scripts/snapshots.sh [--check]" >&2
    exit 2
    ;;
esac
mkdir -p "$target"

# Whatever the profile of the tests, the numbers are those of the default one.
FOUNDRY_PROFILE=default FOUNDRY_SNAPSHOTS=$target scripts/foundry forge test --silent --match-contract '^GasTest$' \
  --gas-snapshot-check false --gas-snapshot-emit true

for name in "${contracts[@]}"; do
  node -e '
    const fs = require("fs");
    const [artifact, target] = process.argv.slice(1);
    const { storage, types } = JSON.parse(fs.readFileSync(artifact, "utf8")).storageLayout;
    const lines = ["slot  offset  bytes  name: type"];
    const column = (value, width) => String(value).padEnd(width);
    const list = (members, indent) => {
      for (const { slot, offset, label, type } of members) {
        const { numberOfBytes, label: typeName } = types[type];
        lines.push(
          column(indent + slot, 6) + column(offset, 8) + column(numberOfBytes, 7) +
            `${label}: ${typeName}`);
        struct(type, indent + "  ");
      }
    };
    // The members of a struct are listed with slots from its own start, also behind mappings.
    const struct = (type, indent) => {
      if (types[type].members) list(types[type].members, indent);
      else if (types[type].value) struct(types[type].value, indent);
    };
    list(storage, "");
    fs.writeFileSync(target, lines.join("\n") + "\n");
  ' "out/$name.sol/$name.json" "$target/$name.layout.txt"
done
# Forge ends its JSON without a newline.
for file in "$target"/*.json; do
  echo >> "$file"
done

if [ "$target" != snapshots ]; then
  if ! diff -ru snapshots "$target"; then
    echo "snapshots differ (- committed, + now): run contracts/scripts/snapshots.sh and commit it if meant" >&2
    exit 1
  fi
  echo "snapshots: gas and storage layout are those committed"
fi
node -e '
  const gas = require(require("path").resolve(process.argv[1], "JobEscrow.json"));
  const [name, total] = Object.entries(gas).find(([key]) => key.startsWith("settled job"));
  console.log(`gas per ${name}: ${total}`);
' "$target"
