#!/usr/bin/env bash
# tests/conformance/stompjs.sh CHECKOUT [node|chromium]: the test suite of @stomp/stompjs, in a
# checkout of its repository, against the release program in its conformance profile; in Node, in
# Chromium, or, without a word, in both. By script/conformance, which builds the program first.
#
# The checkout is not changed: spec/ and the built client in bundles/ are copied below
# build/conformance, where the copy of spec/config is given the server's address. jasmine, karma and
# ws are installed there from npm, in the versions that the suite's own lock file names. Chromium is
# CHROME_BIN, or chromium on the PATH.
set -euo pipefail
# shellcheck source=tests/conformance/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

checkout=$(realpath "${1:-.}")
if [[ ! -e $checkout/spec/support/jasmine.json ]]; then
  fail "'${1:-}' is no checkout of github.com/stomp-js/stompjs." "name one; see docs/conformance.md."
fi
where=${2:-both}
cd "$project_root"

home=$project_root/build/conformance/stompjs
packages=(jasmine@5.6.0 ws@8.18.1 karma@6.4.4 karma-jasmine@5.1.0 karma-chrome-launcher@3.2.0)

mkdir -p "$home"
if [[ ! -e $home/installed || $(<"$home/installed") != "${packages[*]}" ]]; then
  say "Installing ${packages[*]} below build/conformance."
  run_logged install-stompjs "read the message above; the packages come from npm." \
    npm install --prefix "$home" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "${packages[@]}"
  printf '%s\n' "${packages[*]}" >"$home/installed"
fi
rm -rf "$home/spec" "$home/bundles"
cp -r "$checkout/spec" "$checkout/bundles" "$home/"

port=$(free_port) page_port=$(free_port)
sed -i "s|ws://localhost:15674/ws|ws://127.0.0.1:$port/ws|" "$home"/spec/config/*.js
# The suite sends bodies of 1 MiB, more than is taken by default; and it waits five seconds for the end
# of a session without heart-beats whose WebSocket still answers pings.
start_server "$port" --allowed-origins "http://127.0.0.1:$page_port" \
  --stomp-body-bytes-max 2MiB --websocket-message-bytes-max 4MiB --outbox-bytes-max 8MiB \
  --heart-beat-interval 1s --heart-beat-pings false

# The clients of the suite log every frame: only what it says of its tests is shown.
run_suite() {
  local name=$1
  shift
  say "The suite in $name:"
  (cd "$home" && "$@") >"$scratch/$name.log" 2>&1 || {
    grep -v -E '^(CLIENT|LOG:|>>>|<<<)' "$scratch/$name.log" | tail -60 >&2
    cp "$scratch/$name.log" "$home/$name.log"
    fail "tests of the suite failed in $name." "all it said is in ${home#"$project_root"/}/$name.log."
  }
  grep -E '^[0-9]+ specs?,|Executed [0-9]+ of [0-9]+ ' "$scratch/$name.log" | tr '\r' '\n' |
    grep -oE '[0-9]+ specs?, .*|Executed [0-9]+ of [0-9]+ .*' | tail -1
}

if [[ $where != chromium ]]; then run_suite node node_modules/.bin/jasmine; fi
if [[ $where != node ]]; then
  cat >"$home/karma.conf.cjs" <<CONF
module.exports = (config) => config.set({
  basePath: 'spec', frameworks: ['jasmine'], reporters: ['progress'], colors: false, autoWatch: false,
  plugins: [require('karma-jasmine'), require('karma-chrome-launcher')],
  files: ['../bundles/stomp.umd.js', 'config/browser-config.js', 'helpers/**/*.js', 'unit/**/*.js'],
  hostname: '127.0.0.1', port: $page_port, logLevel: config.LOG_WARN,
  client: { captureConsole: false }, browserNoActivityTimeout: 120000,
  browsers: ['Sandboxless'],
  customLaunchers: { Sandboxless: { base: 'ChromeHeadless', flags: ['--no-sandbox', '--disable-gpu'] } },
})
CONF
  CHROME_BIN=${CHROME_BIN:-$(command -v chromium || true)}
  [[ -n $CHROME_BIN ]] || fail "there is no Chromium." "install Debian's chromium, or name one by CHROME_BIN."
  export CHROME_BIN
  run_suite chromium node_modules/.bin/karma start karma.conf.cjs --single-run
fi
