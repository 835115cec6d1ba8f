#!/bin/sh
# program.sh NODE NAME: becomes a program, so that what is measured of this process is that program alone.
# configure.js writes what the program reads; announce.js says the port once it is listened on. Its parent ends at once, so that
# it is no child of the program.
set -e
here=$(dirname "$0")
home=$(mktemp -d)
"$1" "$here/configure.js" "$2" "$home" || { rm -rf "$home"; exit 1; }
("$1" "$here/announce.js" "$(cat "$home/port")" "$home" $$ &)
. "$home/run"
