#!/usr/bin/env bash
# Runs the quickstart as a newcomer would and checks what it claims against the chain and the daemons themselves.
set -euo pipefail
# shellcheck source=scripts/prerequisites.sh
. "$(dirname "$0")/prerequisites.sh"

port=${RIGMESH_TEST_PORT:-17070}
work=$root/target/test-quickstart
foundry=$root/contracts/scripts/foundry
passed=0
failed=0
rm -rf "$work"
mkdir -p "$work"

check() {
  if "${@:2}"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1" >&2
  fi
}
json() { node -e "const d = JSON.parse(require('fs').readFileSync('$work/out.json')); console.log($1)"; }
holds() { [ "$(json "Boolean($1)")" = true ]; }
answers() { curl -fsS --max-time 5 "$1" >/dev/null; }
says() { grep -q "$2" "$1"; }
silent() { ! curl -s --max-time 2 "$1" >/dev/null; }

# A busy port is said in one sentence, and nothing is left running.
node -e "require('net').createServer().listen($port, '127.0.0.1')" &
blocker=$!
for _ in $(seq 50); do curl -s --max-time 1 "http://127.0.0.1:$port" >/dev/null || [ $? -ne 7 ] && break; done
if "$root/scripts/quickstart.sh" --port "$port" --text "$root/docs" >"$work/busy.log" 2>&1; then busy=0; else busy=$?; fi
kill "$blocker"
wait "$blocker" 2>/dev/null || true
check "a busy port fails" [ "$busy" -ne 0 ]
check "a busy port is said" says "$work/busy.log" "port $port is in use"

# So is a missing npm.
mkdir -p "$work/bin"
for tool in bash dirname basename readlink grep sed df awk mkdir cat find mvn; do
  ln -sf "$(command -v "$tool")" "$work/bin/$tool"
done
if PATH=$work/bin "$root/scripts/quickstart.sh" >"$work/npm.log" 2>&1; then npm=0; else npm=$?; fi
check "no npm fails" [ "$npm" -ne 0 ]
check "no npm is said" says "$work/npm.log" "npm is missing; install"

"$root/scripts/quickstart.sh" --port "$port" --text "$root/docs" --json "$work/out.json" --keep >"$work/run.log" 2>&1 &
run=$!
trap 'kill -TERM $run 2>/dev/null || true' EXIT
for _ in $(seq 600); do
  grep -q '^everything stays up' "$work/run.log" && break
  kill -0 $run 2>/dev/null || break
  sleep 1
done
if ! grep -q '^everything stays up' "$work/run.log"; then
  cat "$work/run.log" >&2
  for log in "$root"/target/quickstart/run/*/daemon.log; do echo "== $log" >&2 && tail -n 40 "$log" >&2; done
  echo "0 passed, 1 failed"
  exit 1
fi
cat "$work/run.log"

rpc=$(json d.settlement.rpcUrl)
provider=$(json d.settlement.provider)
token=$(json d.settlement.token)
check "the model learnt" holds "d.train.lossLast < 0.75 * d.train.lossFirst && d.train.steps >= 100"
check "text was generated" holds "d.generate.tokens > 0 && d.generate.text.length > 0"
check "like meanings are near" holds "d.embed.cosineSimilar > 0.5 && d.embed.cosineDifferent < 0.3"
check "receipts are exact" holds "d.verify.exact && d.verify.samples >= 3"
onchain() { "$foundry" cast call "$@" --rpc-url "$rpc" | cut -d' ' -f1; }
check "the chain says the same of what the escrow paid" \
  [ "$(onchain "$token" 'balanceOf(address)(uint256)' "$provider")" = "$(json d.settlement.escrowEarned)" ]
check "the chain says the same of what the vouchers brought" \
  [ "$(onchain "$(json d.settlement.channels)" 'balanceOf(address,address)(uint256)' "$provider" "$token")" = "$(json d.settlement.channelEarned)" ]
job=$(json d.milestones.job)
requester=$(json d.settlement.requester)
check "the training was paid in three milestones" \
  holds "d.milestones.parts.length === 3 && d.milestones.parts.every(p => p.state === 'paid')"
check "they come to what the escrow paid" \
  holds "d.milestones.parts.reduce((sum, p) => sum + p.amountDue, 0) === d.settlement.escrowEarned"
check "a milestone was reached before the training's end" holds "d.milestones.told.some(t => t.includes('milestone 1 of 3 is reached'))"
# provider, status (4: released), milestones, proven, paid
"$foundry" cast call "$(json d.settlement.escrow)" \
  'escrowOf(address,bytes32)((address,uint8,uint8,uint8,uint8,uint40,uint128,uint128))' "$requester" "$job" --rpc-url "$rpc" |
  tr -d ' ' | tr '[:upper:]' '[:lower:]' >"$work/escrow.txt"
check "the chain says the same of the milestones" says "$work/escrow.txt" "^($(echo "$provider" | tr '[:upper:]' '[:lower:]'),4,3,3,3,"
check "two providers offered" holds "d.market.offers.length === 2 && d.market.peers >= 1"
check "the cheaper one was chosen" \
  holds "d.market.offers.every(o => o.trainPerMillionTokens >= d.market.offers.find(c => c.peer === d.market.chosen).trainPerMillionTokens)"
check "it is said why" holds "d.market.why.includes('best of 2')"
check "the provider earned by escrow and by channel" holds "d.settlement.escrowEarned > 0 && d.settlement.channelEarned > 0"
of() { echo "d.payments.find(p => p.kind === '$1')"; }
check "it is said what each job cost" holds "d.payments.map(p => p.kind).join() === 'train,generate,embed'"
check "the training was paid by the escrow" \
  holds "$(of train).by === 'escrow' && $(of train).from === d.settlement.escrow && $(of train).paid === d.settlement.escrowEarned"
for kind in generate embed; do
  check "the job $kind was paid by the channel" \
    holds "$(of $kind).by === 'channel' && $(of $kind).from === d.settlement.channel && $(of $kind).paid > 0"
done
check "both come to what was redeemed of the channel" \
  holds "$(of generate).paid + $(of embed).paid === d.settlement.channelEarned"
check "the vouchers were redeemed on the chain" holds "d.settlement.redemptionGas > 0"
for hash in $(json "d.settlement.transactions.join(' ')"); do
  check "transaction $hash succeeded" \
    [ "$("$foundry" cast rpc eth_getTransactionReceipt "$hash" --rpc-url "$rpc" | grep -o '"status":"0x1"')" = '"status":"0x1"' ]
done
for url in $(json "Object.values(d.urls).filter(u => !/^http:..[^/]*$/.test(u)).join(' ')"); do
  check "$url answers" answers "$url"
done
check "a receipt verifies by itself" "$root/bin/rigmesh" verify "$(json d.generate.receipt)" --samples 3 \
  --model "$(dirname "$(json d.train.receipt)")/output/model" --input "$root/target/quickstart/run/prompt.txt"

kill -TERM $run
wait $run || true
trap - EXIT
for offset in 0 1 2 3 4; do
  check "port $((port + offset)) is free again" silent "http://127.0.0.1:$((port + offset))/"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
