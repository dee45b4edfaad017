#!/usr/bin/env bash
# Checks the protocol's golden vectors with cast, the third of three beside Java and Solidity: its
# signature of each document is the one in the file, byte for byte (both sign deterministically, so
# this says that the digests are equal too), it verifies for the signer, and for no other document.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=../protocol/src/test/resources/vectors
for file in typed-data.json contract-data.json; do
  if [ ! -f "$folder/$file" ]; then
    echo "$folder/$file is missing: the protocol module writes it" >&2
    exit 1
  fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One line a vector: name, key, signer, signature, and the file that its document was written to.
node -e '
  const fs = require("fs");
  const [work, ...files] = process.argv.slice(1);
  files.flatMap((file) => JSON.parse(fs.readFileSync(file, "utf8")).vectors).forEach((v, i) => {
    const path = `${work}/${i}.json`;
    fs.writeFileSync(path, JSON.stringify(v.document));
    console.log([v.name, v.privateKey, v.signer, v.signature, path].join("\t"));
  });
' "$work" "$folder/typed-data.json" "$folder/contract-data.json" > "$work/list"

checked=0
failed=0
previous_signature=
while IFS=$'\t' read -r name key signer signature document; do
  problem=
  signed=$(scripts/foundry cast wallet sign --private-key "$key" --data --from-file "$document")
  if [ "$signed" != "$signature" ]; then
    problem="cast signs $signed, the file has $signature"
  elif ! scripts/foundry cast wallet verify --address "$signer" --data --from-file "$document" \
    "$signature" > /dev/null; then
    problem="cast does not verify the signature for $signer"
  elif [ -n "$previous_signature" ] && scripts/foundry cast wallet verify --address "$signer" \
    --data --from-file "$document" "$previous_signature" > /dev/null 2>&1; then
    problem="cast takes the signature of another document"
  fi
  if [ -n "$problem" ]; then
    echo "vector $name: $problem" >&2
    failed=$((failed + 1))
  fi
  checked=$((checked + 1))
  previous_signature=$signature
done < "$work/list"

if [ "$checked" -eq 0 ]; then
  echo "$folder holds no vectors" >&2
  exit 1
fi
echo "cast vectors: $((checked - failed)) agree, $failed differ"
[ "$failed" -eq 0 ]
