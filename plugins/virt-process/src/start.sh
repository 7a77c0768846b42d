# Becomes the program: $1 file for the process number, $2 memory in KB, $3 largest file in blocks of
# 512 bytes, $4 `cgroup.procs` of the instance, then the program and its arguments. 0 and empty: none.
# Ends with 125 if it cannot; what it says goes to the instance's output.
set -f
umask 022
pid_file=$1 memory=$2 blocks=$3 group=$4
shift 4
fail() {
    echo "longshore: $1" >&2
    exit 125
}
# What the host may have left open; its own files close by themselves.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
started() { start=${20}; }
read -r stat <"/proc/$$/stat" || fail 'cannot read its own state in /proc'
started ${stat##*) }
read -r boot </proc/sys/kernel/random/boot_id || boot=-
if [ -n "$group" ]; then
    echo "$$" >"$group" || fail 'cannot enter its cgroup'
fi
ulimit -c 0
ulimit -n 1024 2>/dev/null || :
[ "$blocks" = 0 ] || ulimit -f "$blocks" || fail 'cannot limit the size of files'
printf '%s %s %s\n' "$$" "$start" "$boot" >"$pid_file" || fail 'cannot write its number'
[ "$memory" = 0 ] || ulimit -v "$memory" || fail 'cannot limit its memory'
exec "$@"
