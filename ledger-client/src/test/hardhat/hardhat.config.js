// A chain of its own on this machine: a block for every transaction, one account with ether, Cancun's rules as the contracts are
// compiled for.
export default {
  networks: {
    node: {
      type: "edr-simulated",
      chainType: "l1",
      chainId: Number(process.env.CHAIN_ID ?? "31337"),
      hardfork: "cancun",
      accounts: { count: 1 },
      loggingEnabled: false,
    },
  },
};
