#!/bin/sh
# Builds what `winsock-cc -fsanitize=thread` links programs with, into a folder that has libwinsock.so: build.sh INCLUDE LIB
set -eu
sources=$(dirname "$0")
include=$1 lib=$2
flags="-std=gnu11 -O2 -fPIC -Wall -Wextra -Werror -fms-extensions -D_WIN32=1 -D_WIN64=1 -DWIN32=1
    -U__linux__ -U__linux -Ulinux -U__unix__ -U__unix -Uunix"
cc=${CC:-cc}

# Each by a name of its own first: programs that run keep the old one.
new=$(mktemp -d "$lib/tsan.XXXXXX")
trap 'rm -rf "$new"' EXIT
$cc $flags -c "$sources/suppressions.c" -o "$new/winsock_tsan.o"
$cc $flags -isystem "$include" -shared -Wl,-soname,libwinsock_tsan.so \
    "$sources/locks.c" "$sources/objects.c" "$sources/operations.c" "$sources/pool.c" "$sources/threads.c" \
    "$sources/volatiles.c" -L"$lib" -lwinsock -o "$new/libwinsock_tsan.so"
mv "$new/winsock_tsan.o" "$new/libwinsock_tsan.so" "$lib/"
