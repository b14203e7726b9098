#!/usr/bin/env bash
# bench/peers/uws/build.sh DIR: fetches the sources of uWebSockets into DIR and builds the peer there.
# The library is headers over some files of C, compiled as its own makefile does; no TLS, no zlib.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$1"
cargo vendor --quiet --locked --manifest-path "$here/Cargo.toml" crates
library=$PWD/crates/libuwebsockets-sys/uWebSockets
flags=(-O3 -flto=auto -DLIBUS_NO_SSL -DUWS_NO_ZLIB -isystem "$library/src" -isystem "$library/uSockets/src")
mkdir objects
(cd objects && gcc -std=c11 "${flags[@]}" -c "$library"/uSockets/src/{,eventing/,crypto/}*.c)
g++ -std=c++20 -Wall -Wextra "${flags[@]}" "$here/main.cpp" objects/*.o -o uws
