# shellcheck shell=bash
# What the runners of public suites share: a scratch folder, free ports, and the release program in
# its conformance profile, ended with the script. Sourced, not run.
# shellcheck source=script/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../script/lib.sh"

scratch=$(mktemp -d) server_pid=''
# shellcheck disable=SC2317 # called by the trap
clean_up() {
  if [[ -n $server_pid ]]; then
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}
trap clean_up EXIT

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
    console.log(s.address().port); s.close() })'
}

# start_server PORT [flag...]: returns when it takes connections.
start_server() {
  local port=$1 i
  shift
  "$project_root/build/release/realtimechat" --conformance true --listen "127.0.0.1:$port" \
    --data-dir "$scratch/data" --log-level warn "$@" &
  server_pid=$!
  for ((i = 0; i < 300; ++i)); do
    if (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  fail "the program did not start." "its words are above."
}
