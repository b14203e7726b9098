#!/usr/bin/env bash
# tests/conformance/autobahn.sh [CASE]...: the Autobahn WebSocket test suite against the release
# program in its conformance profile; every case, or those named, such as '12.*'. By
# script/conformance, which builds the program first.
#
# The suite is installed below build/conformance when it is not there: that takes Python 2.7
# (python2.7 on the PATH, or named by PYTHON27) and PyPI. Every case must end OK or INFORMATIONAL. The
# counts are printed as docs/conformance.md has them; the reports are left in build/conformance.
set -euo pipefail
# shellcheck source=tests/conformance/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$project_root"

autobahn_version=0.8.2
python=${PYTHON27:-python2.7}
home=$project_root/build/conformance/autobahn

install_autobahn() {
  "$python" --version >/dev/null 2>&1 ||
    fail "there is no Python 2.7, the only one that the suite runs on." \
      "install one, by pyenv for example, and name it by PYTHON27."
  if [[ -x $home/bin/wstest ]]; then return 0; fi
  say "Installing autobahntestsuite $autobahn_version below build/conformance."
  PYTHONUSERBASE=$home run_logged install-autobahn "read the message above; the suite comes from PyPI." \
    "$python" -m pip install --user --no-warn-script-location "autobahntestsuite==$autobahn_version"
}

install_autobahn

port=$(free_port)
start_server "$port"

if (($# == 0)); then set -- '*'; fi
rm -rf "$home/reports"
node -e 'const [outdir, url, ...cases] = process.argv.slice(1)
  console.log(JSON.stringify({ outdir, servers: [{ agent: "RealTimeChat", url }], cases,
    "exclude-cases": [], "exclude-agent-cases": {} }))' \
  "$home/reports" "ws://127.0.0.1:$port/websocket_echo" "$@" >"$scratch/spec.json"
say "Running Autobahn: $* (all cases take half an hour)."
PYTHONUSERBASE=$home run_logged autobahn "read the message above." \
  "$python" "$home/bin/wstest" -m fuzzingclient -s "$scratch/spec.json"

# shellcheck disable=SC2016 # JavaScript's own
node -e '
  const { RealTimeChat: cases } = require(process.argv[1])
  const groups = new Map()
  const seen = new Set()
  for (const [id, { behavior, behaviorClose }] of Object.entries(cases)) {
    const group = id.split(".")[0] + ".*"
    const counts = groups.get(group) ?? groups.set(group, {}).get(group)
    for (const each of new Set([behavior, behaviorClose])) seen.add(each)
    counts[behavior] = (counts[behavior] ?? 0) + 1
    if (!["OK", "INFORMATIONAL"].includes(behavior) || !["OK", "INFORMATIONAL"].includes(behaviorClose)) {
      console.error(`${id}: ${behavior}, close: ${behaviorClose}`)
      process.exitCode = 1
    }
  }
  const columns = ["OK", "INFORMATIONAL", "NON-STRICT", "UNIMPLEMENTED", "FAILED"]
  const row = (name, counts) => console.log(`| ${[name, ...columns.map((c) => counts[c] ?? 0)].join(" | ")} |`)
  console.log(`| cases | ${columns.join(" | ")} |\n| --- |${" ---: |".repeat(columns.length)}`)
  const total = {}
  for (const [name, counts] of [...groups].sort((a, b) => parseInt(a[0]) - parseInt(b[0]))) {
    row(name, counts)
    for (const [c, n] of Object.entries(counts)) total[c] = (total[c] ?? 0) + n
  }
  row("all", total)' "$home/reports/index.json" ||
  fail "some cases did not end OK or INFORMATIONAL." \
    "open ${home#"$project_root"/}/reports/index.html in a browser."
