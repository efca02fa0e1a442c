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

# Moves the listeners, the metrics and the development authority of the instance at $1 to free ports: the first listener's is left in $port, that
# of the registration authorities in $ra_port (empty where there is none).
settle_ports() {
    local file=$1/shirushi.yaml wanted metrics free stamps
    local name
    ra_port=
    wanted=$(listener_port "$file" ra)
    if [ -n "$wanted" ]; then
        ra_port=$(free_port "$wanted")
        [ "$ra_port" = "$wanted" ] || sed -i -E "/^ *port:/s/\b$wanted\b/$ra_port/" "$file"
    fi
    wanted=$(configured_port "$file" listeners)
    port=$(free_port "$wanted" "$ra_port")
    [ "$port" = "$wanted" ] || sed -i -E "/^ *port:|^publicOrigin:|^ *issuer: .*:$wanted\$/s/\b$wanted\b/$port/" "$file"
    for name in hpki jpki; do
        wanted=$(listener_port "$file" "$name")
        [ -n "$wanted" ] || continue
        free=$(free_port "$wanted" "$port" "$ra_port" "${hpki_port:-}")
        [ "$free" = "$wanted" ] || sed -i -E "/^ *port:|^ *origin:/s/\b$wanted\b/$free/" "$file"
        [ "$name" = jpki ] || hpki_port=$free
    done
    metrics=$(configured_port "$file" metrics)
    if [ -n "$metrics" ]; then
        free=$(free_port "$metrics" "$port" "$ra_port")
        [ "$free" = "$metrics" ] || sed -i -E "/^ *port:/s/\b$metrics\b/$free/" "$file"
        metrics=$free
    fi
    stamps=$(configured_port "$file" development)
    if [ -n "$stamps" ]; then
        free=$(free_port "$stamps" "$port" "$ra_port" "$metrics")
        [ "$free" = "$stamps" ] || sed -i -E "/^ *port:|^ *url: /s/\b$stamps\b/$free/" "$file"
    fi
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
