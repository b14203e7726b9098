# shellcheck shell=bash
# What the scripts share: messages, packages, npm, the web client and CMake builds. Sourced, not run.

project_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
log_dir=$project_root/build/log

say() { printf '==> %s\n' "$*"; }

# fail WHAT NEXT: what went wrong, and what to do about it.
fail() {
  printf '\nerror: %s\n' "$1" >&2
  printf '  next: %s\n' "$2" >&2
  exit 1
}

# print_usage FILE: the comment at the top of a script is its help.
print_usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$1"; }

# run_logged NAME NEXT command...: quiet when it works; otherwise shows the end of its output.
run_logged() {
  local name=$1 next=$2 log=$log_dir/$1.log
  shift 2
  mkdir -p "$log_dir"
  if "$@" >"$log" 2>&1 </dev/null; then return 0; fi
  printf '\n' >&2
  tail -n 30 "$log" >&2
  fail "'$name' did not succeed; its whole output is in ${log#"$project_root"/}." "$next"
}

# One script at a time sets up or builds in a clone; a second one waits. Released before anything is
# run that could outlive the script, because a child would inherit it.
take_build_lock() {
  mkdir -p "$project_root/build"
  exec {build_lock}>"$project_root/build/.lock"
  if ! flock -n "$build_lock"; then
    say "Another script is at work in this clone; waiting for it."
    flock "$build_lock"
  fi
}
release_build_lock() { exec {build_lock}>&-; }

# --- packages -------------------------------------------------------------------------------------

# packages_of KIND...: the names in packages.txt of these kinds.
packages_of() {
  local kind
  for kind in "$@"; do
    awk -v kind="$kind" '$1 == kind { print $2 }' "$project_root/script/packages.txt"
  done
}

# missing_packages NAME...: those that are not installed.
missing_packages() {
  local -A installed=()
  local name status
  while read -r name status; do
    if [[ $status == installed ]]; then installed[$name]=yes; fi
  done < <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null)
  for name in "$@"; do
    if [[ -z ${installed[$name]:-} ]]; then printf '%s\n' "$name"; fi
  done
}

# install_packages KIND...: what is missing of these kinds and of Node; no network when nothing is.
install_packages() {
  command -v dpkg-query >/dev/null ||
    fail "this is not Debian: there is no dpkg." \
      "use Debian 12, or install what script/packages.txt lists by your own means."
  local wanted=() missing=() as_root=()
  mapfile -t wanted < <(packages_of "$@")
  if ! command -v node >/dev/null; then wanted+=(nodejs); fi
  if ! command -v npm >/dev/null; then wanted+=(npm); fi
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  if ((${#missing[@]} == 0)); then return 0; fi

  local options=(-q -y --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600)
  local by_hand="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      fail "${#missing[@]} packages are missing, and there is no sudo here to install them with." \
        "as root run: $by_hand"
    fi
    # At a terminal sudo may ask for the password itself; elsewhere nobody could answer.
    if [[ -t 0 && -t 2 && -z ${CI:-} ]]; then as_root=(sudo); else as_root=(sudo -n); fi
    "${as_root[@]}" true ||
      fail "${#missing[@]} packages are missing, and sudo refuses to install them." \
        "run: sudo sh -c '$by_hand'"
  fi
  say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  local next="check the network and the disk space, then run this again."
  run_logged apt-update "$next" \
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update
  run_logged apt-install "$next" \
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "${missing[@]}"
}

# --- npm and the browser client -------------------------------------------------------------------

# hash_of FILE...: one hash over names and contents.
hash_of() { sha256sum -- "$@" | sha256sum | cut -d ' ' -f 1; }

# npm_install DIR: `npm ci`, only when what is to be installed changed since the last time.
npm_install() {
  local dir=$1 stamp=$project_root/$1/node_modules/.installed hash inputs=(package.json package-lock.json)
  if [[ -e $project_root/$dir/.npmrc ]]; then inputs+=(.npmrc); fi
  hash=$(cd "$project_root/$dir" && hash_of "${inputs[@]}")
  if [[ -e $stamp && $(<"$stamp") == "$hash" ]]; then return 0; fi
  say "Installing the npm packages of $dir/."
  run_logged "npm-${dir//\//-}" "check the network, then run this again." \
    npm --prefix "$project_root/$dir" ci --no-audit --no-fund --loglevel=error
  printf '%s\n' "$hash" >"$stamp"
}

# build_web: web/dist, only when the client's sources changed since the last time.
build_web() {
  local stamp=$project_root/build/web.hash hash inputs=()
  mapfile -d '' -t inputs < <(
    cd "$project_root" &&
      find web -type f -not -path '*/node_modules/*' -not -path 'web/dist/*' -print0 | LC_ALL=C sort -z
  )
  hash=$(cd "$project_root" && hash_of "${inputs[@]}")
  if [[ -e $project_root/web/dist/index.html && -e $stamp && $(<"$stamp") == "$hash" ]]; then
    return 0
  fi
  say "Building the browser client."
  run_logged web-build "read the message above; web/ does not build." \
    npm --prefix "$project_root/web" run build --loglevel=error
  mkdir -p "$project_root/build"
  printf '%s\n' "$hash" >"$stamp"
}

# --- C++ ------------------------------------------------------------------------------------------

# configure PRESET [cmake option...]
configure() {
  local preset=$1
  shift
  (cd "$project_root" &&
    run_logged "configure-$preset" "if a package is named above, run script/setup test; otherwise remove build/$preset and run this again." \
      cmake --preset "$preset" "$@")
}

# build PRESET [target...]: all targets without a name.
build() {
  local preset=$1 targets=()
  shift
  if (($# > 0)); then targets=(--target "$@"); fi
  (cd "$project_root" && cmake --build --preset "$preset" "${targets[@]}") ||
    fail "the build '$preset' failed; the compiler's words are above." \
      "mend that and run this again. If the machine ran out of memory: CMAKE_BUILD_PARALLEL_LEVEL=1"
}
