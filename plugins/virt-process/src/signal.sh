# Sends signal $3 to the process with number $1, if it is the one that was started at $2; to its whole
# group if it leads one. Looking and sending are next to each other, so that no other process is hit.
# Ends with 3 if the process is gone.
last=
while IFS= read -r line; do last=$line; done <"/proc/$1/stat" || exit 3
# The name, in brackets, may hold anything; no number behind it does.
set -f
pid=$1 start=$2 signal=$3
set -- ${last##*) }
[ "${20}" = "$start" ] || exit 3
[ "$3" != "$pid" ] || pid=-$pid
kill -s "$signal" -- "$pid"
