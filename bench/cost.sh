# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # variables of script/bench; JavaScript in quotes
# script/bench cost: the same chat to its readers by seven ways, five crowds and three rates, then what
# single settings change, and what a token saves. Sourced by script/bench, whose functions it uses.

# Rooms hold up to 100 people. Heart-beats are every 10 s (what STOMP clients ask for), so that 10 s of
# an idle crowd hold one round of them. The large crowds come first, and the small ones, which say
# little, after everything else: a run that is broken off has what matters.
cost_users=(1000 10000) cost_users_small=(100 10 1) cost_rates=(0 1 10) cost_beat=10000 cost_crowd=1000
cost_seconds=5 cost_idle_seconds=10 cost_settle=1 cost_warm_up=0.5 cost_polls=(1 5) token_sessions=1000000
if [[ $quick ]]; then
  cost_users=(1000) cost_seconds=1 cost_idle_seconds=1 cost_settle=0.3 token_sessions=100000
fi
if [[ $smoke ]]; then
  cost_users=(3) cost_users_small=(1) cost_rates=(0 20) cost_crowd=3 cost_seconds=1 cost_idle_seconds=0.3 cost_settle=0.1
  cost_warm_up=0.1 cost_polls=(0.1 0.2) token_sessions=1000
fi

# carry FILE WAY USERS RATE [load argument...]: one run on a server with ${server_flags[@]}.
carry() {
  local file=$out/$1.json way=$2 users=$3 rate=$4 rooms=1 readers=$3 status=0 load=() warm_up=$cost_warm_up
  shift 4
  if ((users > 100)); then rooms=$((users / 100)) readers=100; fi
  case $way in
    poll_short) load=(--transport poll --poll "${cost_polls[0]}") ;;
    poll_long) load=(--transport poll --poll "${cost_polls[1]}") ;;
    poll_long_new) load=(--transport poll --poll "${cost_polls[1]}" --no-keep-alive) ;;
    *) load=(--transport "${way//_/-}") ;;
  esac
  # A page is as long as it will be once an interval's messages are there.
  if [[ $way == poll_* && $rate != 0 ]]; then warm_up=${load[3]}; fi
  load+=(--rooms "$rooms" --readers "$readers" --rate "$((rooms * rate))" --heart-beat "$cost_beat")
  load+=(--settle "$cost_settle" --warm-up "$warm_up" --patience 20)
  if ((rate == 0)); then load+=(--seconds "$cost_idle_seconds"); else load+=(--seconds "$cost_seconds"); fi
  port=$(free_port)
  start_realtimechat
  (on_core 1 "$programs/rtc_load" "${arguments[@]}" --mode cost "${load[@]}" "$@" --pid "$server_pid" --json) \
    >"$file" 2>"$scratch/client.log" || status=$?
  stop_server
  cat "$scratch/client.log" >&2
  if ((status == 3)); then
    node -e 'console.log(JSON.stringify({ failed: process.argv[1] }))' "$(tail -n 1 "$scratch/client.log")" >"$file"
  fi
  if ((status == 1 || status == 3)); then failed=1; fi
  node -e 'const [file, name] = process.argv.slice(1)
    const run = JSON.parse(require("fs").readFileSync(file, "utf8"))
    const value = (key) => run[key]?.toLocaleString("en-US", { maximumSignificantDigits: 3 })
    console.log(name.padEnd(34), run.failed ?? `CPU ${value("server_cpu_us_per_user_second")} µs a user and second, ` +
      `${value("requests_per_user_second")} requests, ${value("bytes_to_user_per_user_second")} bytes, ` +
      `p50 ${value("delay_p50_us")} µs, others ${value("others_cpu_percent")} %`)' "$file" "$(basename "$file" .json)"
}

# carry_all USERS...
carry_all() {
  local users rate way
  server_flags=(--heart-beat-interval "${cost_beat}ms" --sockjs-heart-beat-interval "${cost_beat}ms")
  for users in "$@"; do
    for rate in "${cost_rates[@]}"; do
      for way in poll_short poll_long poll_long_new xhr xhr_streaming eventsource websocket; do
        carry "carry-$way-$users-$rate" "$way" "$users" "$rate"
      done
    done
  done
}

# Single settings, on a crowd that is large enough to read the memory and small enough to be quick.
carry_settings() {
  local users=$cost_crowd busy=${cost_rates[-1]} beat=1000 cost_beat
  if [[ $smoke ]]; then beat=100; fi
  cost_beat=$beat
  server_flags=(--heart-beat-interval "${beat}ms" --sockjs-heart-beat-interval 1h)
  carry setting-heart_beat websocket "$users" 0
  carry setting-heart_beat_xhr xhr "$users" 0
  cost_beat=0
  server_flags=(--ping-interval "${beat}ms")
  carry setting-ping websocket "$users" 0
  server_flags=(--sockjs-heart-beat-interval "${beat}ms")
  carry setting-sockjs_heart_beat xhr "$users" 0
  server_flags=()
  carry setting-none websocket "$users" "$busy"
  carry setting-no_history websocket "$users" "$busy" --no-history
  carry setting-long_text websocket "$users" "$busy" --text-bytes 1024
  carry setting-stream xhr_streaming "$users" "$busy"
  server_flags=(--durability fsync)
  carry setting-fsync websocket "$users" "$busy"
  server_flags=(--sockjs-response-bytes-max 4KiB)
  carry setting-stream_4k xhr_streaming "$users" "$busy"
  server_flags=()
}

# A token against a session store; Redis' own only where it is installed.
measure_tokens() {
  local redis=()
  if [[ ! $smoke ]] && command -v redis-server >/dev/null; then
    port=$(free_port)
    on_core 1 redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$scratch" >"$scratch/server.log" 2>&1 &
    server_pid=$!
    wait_for_port
    redis=(--redis "$port" --redis-pid "$server_pid")
  fi
  (on_core 0 "$programs/rtc_tokens" --sessions "$token_sessions" --directory "$out" "${redis[@]}" --json) >"$out/tokens.json"
  stop_server
}

run_cost() {
  if [[ ! $smoke ]]; then wait_for_quiet; fi
  measure_tokens
  carry_all "${cost_users[@]}"
  carry_settings
  carry_all "${cost_users_small[@]}"
  local page=$project_root/docs/connection-cost.md images=$project_root/docs/images
  if [[ $quick || $smoke ]]; then
    cp "$page" "$out/"
    page=$out/connection-cost.md images=$out
  fi
  node "$project_root/bench/cost.mjs" "$out" "$page" "$images"
  if ((failed)); then
    fail "a user missed, or saw twice, or out of order, what he must see once, or a run could not be made." \
      "the lines above and ${out#"$project_root"/}/ say which."
  fi
}
