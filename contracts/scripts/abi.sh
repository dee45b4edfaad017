#!/usr/bin/env bash
# Writes abi/NAME.json (the plain ABI array) and abi/NAME.bin (the creation bytecode in hex, no
# prefix, no newline) of the contracts that ledger-client generates its wrappers from.
# abi/kit/NAME.bin are contracts of the test kit that ledger-client's tests put on a chain.
# With --check nothing is written; it fails when a committed file is not what the sources compile to.
set -euo pipefail
cd "$(dirname "$0")/.."

contracts=(DevToken ProviderRegistry JobEscrow PaymentChannels ReceiptLog)
kit=(Wallet)

check=false
case "${1:-}" in
  '') ;;
  --check) check=true ;;
  *)
    echo "usage: scripts/abi.sh [--check]" >&2
    exit 2
    ;;
esac

sources=("${kit[@]/#/test/kit/}")
scripts/foundry forge build --silent src "${sources[@]/%/.sol}"

target=abi
if $check; then
  target=$(mktemp -d)
  trap 'rm -rf "$target"' EXIT
fi

for name in "${contracts[@]}"; do
  node -e '
    const fs = require("fs");
    const [artifact, target, name] = process.argv.slice(1);
    const { abi, bytecode } = JSON.parse(fs.readFileSync(artifact, "utf8"));
    if (!/^0x[0-9a-f]+$/.test(bytecode.object)) {
      throw new Error(`${artifact} holds no linked bytecode`);
    }
    fs.mkdirSync(target, { recursive: true });
    fs.writeFileSync(`${target}/${name}.json`, JSON.stringify(abi, null, 2) + "\n");
    fs.writeFileSync(`${target}/${name}.bin`, bytecode.object.slice(2));
  ' "out/$name.sol/$name.json" "$target" "$name"
done

for name in "${kit[@]}"; do
  node -e '
    const fs = require("fs");
    const [artifact, target, name] = process.argv.slice(1);
    const { bytecode } = JSON.parse(fs.readFileSync(artifact, "utf8"));
    fs.mkdirSync(`${target}/kit`, { recursive: true });
    fs.writeFileSync(`${target}/kit/${name}.bin`, bytecode.object.slice(2));
  ' "out/$name.sol/$name.json" "$target" "$name"
done

if $check; then
  while IFS= read -r file; do
    if ! cmp -s "$target/$file" "abi/$file"; then
      echo "abi/$file is stale: run contracts/scripts/abi.sh and commit it" >&2
      exit 1
    fi
  done < <(cd "$target" && find . -type f | sed 's|^\./||')
  echo "abi: ${#contracts[@]} contracts and ${#kit[@]} of the test kit match their sources"
fi
