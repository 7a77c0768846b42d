#!/bin/sh
# Usage: old-toolchains.sh TARGET_DIR
#
# Unpacks (does not install) the distribution's own rustc packages into
# TARGET_DIR/<major.minor>/ so that a plugin can be built with a rustc other
# than the host's, to prove that the ABI holds across compilers.
#
# Needs: a Debian-like system with apt-get and dpkg-deb, a fresh package list
# (`apt-get update`, once), a C linker (`cc`).  Root is not needed for the
# unpacking itself.
#
# Afterwards:
#   RUSTC=TARGET_DIR/1.63/bin/rustc cargo build …        (wrapper sets --sysroot)
# `cargo` itself is the one you already have: a new cargo can drive an old rustc
# when Cargo.toml/Cargo.lock ask for nothing newer (edition 2021, no
# `edition = "2024"` dependency, Cargo.lock version 3).
set -eu
[ $# -eq 1 ] || { echo "usage: $0 TARGET_DIR" >&2; exit 2; }
mkdir -p "$1"
T=$(cd "$1" && pwd)

# every package of the dependency closure that matters (rustc, its std, its LLVM,
# and shared libraries that may not be on this machine)
closure() { # closure PKG -> package names (only the rust/llvm part of the closure)
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
        --no-breaks --no-replaces --no-enhances "$1" 2>/dev/null |
        grep -E '^[a-z]' |
        grep -E '^(rustc|rustc-web|libstd-rust.*|libllvm.*|libz3-.*|libbsd0|libedit2|libmd0|libxml2|libicu.*|libtinfo6|libffi8|libzstd1)$' |
        sort -u
}

unpack() { # unpack PKG
    root=$(mktemp -d "$T/.unpack.XXXXXX")
    mkdir "$root/deb" "$root/fs"
    # shellcheck disable=SC2046
    (cd "$root/deb" && apt-get -q -o APT::Sandbox::User=root download $(closure "$1") >/dev/null)
    for d in "$root"/deb/*.deb; do dpkg-deb -x "$d" "$root/fs"; done
    libs="$root/fs/usr/lib/x86_64-linux-gnu"
    # the real compiler: usr/bin/rustc (1.63) or usr/lib/rust-web/bin/rustc…
    bin=$(find "$root/fs/usr" -type f -name rustc -perm -u+x | head -n 1)
    ver=$(LD_LIBRARY_PATH="$libs:$(dirname "$bin")/../lib" "$bin" --version | sed 's/^rustc \([0-9]*\.[0-9]*\).*/\1/')
    [ -n "$ver" ] || { echo "$1: cannot run the unpacked rustc" >&2; exit 1; }
    rm -rf "${T:?}/$ver"; mkdir "$T/$ver"; mv "$root/fs" "$T/$ver/fs"; rm -rf "$root"
    bin="$T/$ver/fs${bin#"$root/fs"}"
    libs="$T/$ver/fs/usr/lib/x86_64-linux-gnu"
    sysroot=$(cd "$(dirname "$bin")/.." && pwd)
    mkdir "$T/$ver/bin"
    old=0; [ "${ver#1.}" -lt 80 ] && old=1
    # a wrapper: no environment needed, sysroot found wherever TARGET_DIR lies
    cat >"$T/$ver/bin/rustc" <<EOF
#!/bin/sh
LD_LIBRARY_PATH="$libs:$sysroot/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"; export LD_LIBRARY_PATH
# a current cargo passes flags that rustc < 1.80 refuses: drop them there
old=$old
if [ "\$old" = 1 ]; then
    n=\$#; skip=0
    while [ "\$n" -gt 0 ]; do
        a=\$1; shift; n=\$((n - 1))
        if [ "\$skip" = 1 ]; then skip=0; continue; fi
        case "\$a" in --check-cfg) skip=1; continue;; --check-cfg=*|--print=split-debuginfo) continue;; esac
        set -- "\$@" "\$a"
    done
fi
case " \$* " in *" --sysroot "*|*" --sysroot="*) exec "$bin" "\$@";; esac
exec "$bin" --sysroot "$sysroot" "\$@"
EOF
    chmod 755 "$T/$ver/bin/rustc"
    "$T/$ver/bin/rustc" --version
    # proof: it can build a cdylib
    printf '#[no_mangle] pub extern "C" fn f() -> u32 { 42 }\n' >"$T/$ver/t.rs"
    "$T/$ver/bin/rustc" --edition 2021 --crate-type cdylib -O -o "$T/$ver/t.so" "$T/$ver/t.rs" &&
        echo "  $ver: cdylib ok: $T/$ver/bin/rustc"
    rm -f "$T/$ver/t.rs" "$T/$ver/t.so"
}

unpack rustc
unpack rustc-web
