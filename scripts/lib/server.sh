# For scripts that measure a running Tandem; to be sourced by bash.
#
# TANDEM_ADDRESS and TANDEM_MEDIA_PORTS may say where it listens instead of 127.7.0.1:5060 and 20000-29999.
#
# start_server BINARY   starts it on a loopback address of its own; sets $server (process id), $address,
#                       $scratch (a folder that goes away at the end). The log is $scratch/tandem.log.
#                       $listen_more may hold further listeners: , "ws:127.7.0.1:8088"; $media_more further lines
#                       of [media], $more further sections.
# stop_server           SIGTERM, and waits; fails if it did not leave cleanly.

address=${TANDEM_ADDRESS:-127.7.0.1:5060}
server=
scratch=$(mktemp -d)

# The process is ours alone: it is ended by its id, never by its name.
end() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null; fi
    rm -rf "$scratch"
}
trap end EXIT
trap 'exit 130' INT TERM

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

start_server() {
    cat >"$scratch/tandem.toml" <<TOML
[sip]
listen = ["udp:$address", "tcp:$address"${listen_more:-}]

[media]
address = "${address%:*}"
ports = "${TANDEM_MEDIA_PORTS:-20000-29999}"
${media_more:-}

[log]
level = "warn"

${more:-}
TOML
    # So that reading figures and starting clients does not run into the limit of the shell.
    ulimit -n "$(ulimit -Hn)"
    "$1" serve --config "$scratch/tandem.toml" >/dev/null 2>"$scratch/tandem.log" &
    server=$!
    # The address as the kernel lists it: 0100077F:13C4.
    local a b c d port
    IFS=.: read -r a b c d port <<<"$address"
    for _ in $(seq 100); do
        if grep -q " $(printf '%02X%02X%02X%02X:%04X' "$d" "$c" "$b" "$a" "$port") " /proc/net/udp; then return; fi
        kill -0 "$server" 2>/dev/null || { cat "$scratch/tandem.log" >&2; fail "Tandem did not start"; }
        sleep 0.1
    done
    cat "$scratch/tandem.log" >&2
    fail "Tandem did not listen within 10 s"
}

stop_server() {
    local code=0
    kill "$server"
    wait "$server" || code=$?
    server=
    [ $code = 0 ] || { cat "$scratch/tandem.log" >&2; fail "Tandem left with exit code $code"; }
}

sockets() { find "/proc/$server/fd" -lname 'socket:*' 2>/dev/null | wc -l; }
descriptors() { find "/proc/$server/fd" -type l 2>/dev/null | wc -l; }
threads() { find "/proc/$server/task" -mindepth 1 -maxdepth 1 | wc -l; }
resident_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/$server/status"; }
# Threads that are not the asynchronous runtime's.
other_threads() { cat /proc/"$server"/task/*/comm | grep -cv '^tokio'; }
