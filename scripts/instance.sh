# Sourced by scripts/demo and scripts/run: a development instance on free local ports.

binary=.build/release/shirushi

# The first port from $1 on that nothing listens on and that is not among the others given.
free_port() {
    local port=$1
    shift
    while [[ " $* " == *" $port "* ]] || (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

# The first `port:` of configuration file $1 below the top-level key $2.
configured_port() {
    awk -v key="$2:" '$0 ~ "^[^ #-]" { inside = ($1 == key) } inside && match($0, /port: *[0-9]+/) {
        text = substr($0, RSTART, RLENGTH); sub(/port: */, "", text); print text; exit }' "$1"
}

# The port of the listener named $2 in configuration file $1, if there is one.
listener_port() {
    awk -v name="$2" '$1 == "-" && $2 == "name:" { inside = ($3 == name) } /^[^ #-]/ { inside = 0 }
        inside && $1 == "port:" { print $2; exit }' "$1"
}

# Moves the listeners, the metrics and the development authority of the instance at $1 to free ports: the first
# listener's is left in $port, that of the registration authorities in $ra_port (empty where there is none).
settle_ports() {
    local file=$1/shirushi.yaml taken=() name free
    port=$(settle_port "$(configured_port "$file" listeners)" '^ *port:|^publicOrigin:|^ *issuer: https:[^ ]*[0-9]$')
    taken+=("$port")
    for name in ra hpki jpki; do
        free=$(settle_port "$(listener_port "$file" "$name")" '^ *port:|^ *origin:')
        taken+=("$free")
        [ "$name" != ra ] || ra_port=$free
    done
    taken+=("$(settle_port "$(configured_port "$file" metrics)" '^ *port:')")
    settle_port "$(configured_port "$file" development)" '^ *port:|^ *url: ' >/dev/null
}

# Moves port $1 of $file to one that is free and not among $taken, in the lines that fit $2; prints it, if there is one.
settle_port() {
    [ -n "$1" ] || return 0
    local free
    free=$(free_port "$1" "${taken[@]}")
    [ "$free" = "$1" ] || sed -i -E "\\#$2#s/\\b$1\\b/$free/" "$file"
    echo "$free"
}

# Waits until the instance at $1, served by process $2 with its log in $3, says that it may sign.
await_ready() {
    local home=$1 process=$2 log=$3 tries
    for ((tries = 0; tries < 300; tries++)); do
        if curl --silent --fail --output /dev/null --cacert "$home/development/tls/ca.pem" \
            "https://localhost:$port/health/ready" 2>/dev/null; then
            return 0
        fi
        kill -0 "$process" 2>/dev/null || break
        sleep 0.1
    done
    echo "the instance did not become ready; the end of $log:" >&2
    tail -n 20 "$log" >&2
    return 1
}
