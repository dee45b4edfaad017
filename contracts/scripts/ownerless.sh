#!/usr/bin/env bash
# Fails where a committed ABI of the market's contracts has a function or event by which somebody could rule over all of them: an
# owner, roles, a pause, an upgrade, a proxy, a rescue of tokens, settable fees; or where a contract's bytecode holds SELFDESTRUCT,
# or a DELEGATECALL that is not OpenZeppelin's Multicall calling the contract itself. abi.sh --check says that the ABIs are the
# sources'. The rule is tried first on names that it must find.
set -euo pipefail
cd "$(dirname "$0")/.."

node -e '
  const fs = require("fs");
  const ruled = /owner|admin|govern|guardian|operator|role|paus|freez|upgrade|proxy|implementation|initiali[sz]e|migrat|rescue|sweep|recover|kill|destroy|^mint/i;
  const rules = (abi) => abi.filter((e) => e.type !== "error" && (ruled.test(e.name ?? "") || /^set[A-Z]/.test(e.name ?? ""))).map((e) => `${e.type} ${e.name}`);

  // The opcodes of a contract, with what PUSH1 to PUSH32 carry left out.
  const opcodes = (hex) => {
    const code = Buffer.from(hex, "hex");
    const found = new Map();
    for (let i = 0; i < code.length; i++) {
      found.set(code[i], (found.get(code[i]) ?? 0) + 1);
      if (code[i] >= 0x60 && code[i] <= 0x7f) i += code[i] - 0x5f;
    }
    return found;
  };

  for (const name of ["owner", "transferOwnership", "pause", "Paused", "upgradeToAndCall", "grantRole", "initialize", "setFee", "mint"]) {
    if (rules([{ type: "function", name }]).length === 0) throw new Error(`the rule does not find ${name}`);
  }
  if (rules([{ type: "function", name: "settle" }, { type: "error", name: "OwnableUnauthorizedAccount" }]).length > 0) {
    throw new Error("the rule finds what rules over nobody");
  }
  if (opcodes("60f4ff").has(0xf4) || !opcodes("60f4ff").has(0xff)) throw new Error("the opcodes are read wrongly");

  const names = fs.readdirSync("abi").filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -5));
  const wrong = [];
  for (const name of names) {
    const abi = JSON.parse(fs.readFileSync(`abi/${name}.json`, "utf8"));
    rules(abi).forEach((found) => wrong.push(`${name} has the ${found}`));
    const codes = opcodes(fs.readFileSync(`abi/${name}.bin`, "utf8"));
    const delegates = abi.some((e) => e.name === "multicall") ? 1 : 0;
    if ((codes.get(0xff) ?? 0) > 0) wrong.push(`${name} can destroy itself`);
    if ((codes.get(0xf4) ?? 0) > delegates) wrong.push(`${name} runs the code of others`);
  }
  if (names.length < 5 || wrong.length > 0) {
    wrong.forEach((line) => console.error(line));
    process.exit(1);
  }
  console.log(`nobody rules over the ${names.length} contracts`);
'
