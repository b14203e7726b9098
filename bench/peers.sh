# shellcheck shell=bash disable=SC2154,SC2034 # variables of script/bench
# The peers of script/bench: what installs each, what starts it, and why one is skipped. Sourced by
# script/bench, whose functions it uses; nothing else of the project knows them.

peer_names=(ws uws spring rabbitmq activemq)
peer_sources=$project_root/bench/peers peer_builds=$project_root/build/peers
rabbitmq=/usr/lib/rabbitmq/bin

is_peer() { [[ " ${peer_names[*]} " == *" $1 "* ]]; }

# --- installing -----------------------------------------------------------------------------------

# Each by itself: one that cannot be had leaves the others their turn, and is skipped by name later.
install_peers() {
  local kinds=(peer)
  if ! command -v cargo >/dev/null; then kinds+=(cargo); fi
  (install_packages "${kinds[@]}") || true
  (npm_install bench/peers) || true
  (build_peer uws "$peer_sources/uws/build.sh" "$peer_builds/uws") || true
  (build_peer spring build_with_maven spring) || true
  (build_peer activemq build_with_maven activemq) || true
}

# build_peer NAME command...: into build/peers/NAME, only when what it is built from changed.
build_peer() {
  local name=$1
  shift
  if is_built "$name"; then return 0; fi
  say "Building the peer $name."
  rm -rf "${peer_builds:?}/$name"
  mkdir -p "$peer_builds/$name"
  run_logged "peer-$name" "it is skipped for now; check the network, then run script/bench --peers again." "$@"
  peer_hash "$name" >"$peer_builds/$name/.built"
}
peer_hash() {
  local inputs=()
  mapfile -d '' -t inputs < <(cd "$peer_sources" && find "$1" -type f -print0 | LC_ALL=C sort -z)
  (cd "$peer_sources" && hash_of "${inputs[@]}")
}
is_built() {
  local stamp=$peer_builds/$1/.built
  [[ -e $stamp && $(<"$stamp") == "$(peer_hash "$1")" ]]
}

build_with_maven() { mvn --batch-mode --quiet --file "$peer_sources/$1/pom.xml" process-classes; }

# why_skipped PEER: why it cannot be run; nothing when it can.
why_skipped() {
  case $1 in
    ws) if [[ -d $peer_sources/node_modules/ws ]]; then return 0; fi ;;
    rabbitmq) if [[ -x $rabbitmq/rabbitmq-server ]]; then return 0; fi ;;
    spring | activemq)
      if ! command -v java >/dev/null; then
        printf 'there is no java (script/bench --peers)'
        return 0
      fi
      if is_built "$1"; then return 0; fi
      ;;
    uws) if is_built "$1"; then return 0; fi ;;
  esac
  if [[ -e $log_dir/peer-$1.log ]]; then
    printf 'it is not built as its sources are now; build/log/peer-%s.log has the last attempt (script/bench --peers)' "$1"
  else
    printf 'it is not installed (script/bench --peers)'
  fi
}

# --- starting -------------------------------------------------------------------------------------

# start_plain COMMAND...: a server that speaks just enough STOMP and knows nobody.
start_plain() {
  on_core 0 "$@" >"$scratch/server.log" 2>&1 &
  server_pid=$!
  wait_for_port
  arguments=("ws://127.0.0.1:$port/ws" --server stomp --body "$body")
  presence=/topic/entry
}
start_ws() { start_plain node "$peer_sources/ws.mjs" "$port"; }
start_uws() { start_plain "$peer_builds/uws/uws" "$port"; }

# start_jvm NAME CLASS [argument...]: the collector that suits one core, and a heap that no load fills.
# It compiles what it runs often while it runs: measured once that is done.
start_jvm() {
  local name=$1
  shift
  start_plain java -XX:+UseSerialGC -Xmx4g -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -cp "$peer_builds/$name/classes:$peer_builds/$name/lib/*" "$@"
  warmth=$jvm_warm_up
}
# On our own paths: it is what the original's service was built on.
start_spring() {
  start_jvm spring peer.Chat --server.port="$port"
  arguments+=(--subscribe "/sub/channel/{room}" --send /pub/chat)
  presence=/sub/channel/entry
}
start_activemq() { start_jvm activemq peer.Broker "$port"; }

# A node of its own beside any that the system runs: own directory, name and ports, loopback only.
start_rabbitmq() {
  local home=$scratch/rabbitmq
  rm -rf "$home"
  mkdir -p "$home"
  epmd_port=${epmd_port:-$(free_port)}
  printf 'listeners.tcp = none\nweb_stomp.tcp.ip = 127.0.0.1\nweb_stomp.tcp.port = %s\n' "$port" \
    >"$home/rabbitmq.conf"
  printf '[rabbitmq_web_stomp].\n' >"$home/plugins"
  start_plain env HOME="$home" ERL_EPMD_ADDRESS=127.0.0.1 \
    ERL_EPMD_PORT="$epmd_port" RABBITMQ_NODENAME=bench@localhost \
    RABBITMQ_DIST_PORT="$(free_port)" RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$home/plugins" RABBITMQ_MNESIA_BASE="$home/mnesia" \
    RABBITMQ_LOG_BASE="$home/log" RABBITMQ_LOGS="$home/rabbit.log" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \
    "$rabbitmq/rabbitmq-server"
  arguments+=(--header host:/ --header login:guest --header passcode:guest)
}
