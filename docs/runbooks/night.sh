# What the runbooks' commands rest on. Adapt it to your site once, by day, and try it: . night.sh && ready
# It wants bash, curl, jq and sqlite3, and is used as the user that the service runs as.

home=/srv/shirushi                       # the instance
log=/srv/shirushi.log                    # where serve's output goes
api=https://localhost:8443               # the listener with the groups api and health
ca=$home/development/tls/ca.pem          # who issued that listener's certificate; in production, your own
metrics=http://127.0.0.1:9443/metrics
authorities="jma medis jpa"              # authorities[].name in shirushi.yaml
officers=(--officer /media/aoki/aoki.officer --officer /media/baba/baba.officer)

# Where it runs under systemd: systemctl start, and systemctl stop, in place of these two.
start() {
    nohup shirushi serve --home "$home" >>"$log" 2>&1 </dev/null &
    disown
    for _ in $(seq 30); do ready >/dev/null 2>&1 && break || sleep 1; done
    ready
}
stop() {
    pkill -TERM -fx "shirushi serve --home $home"
    for _ in $(seq 60); do pgrep -fx "shirushi serve --home $home" >/dev/null || return 0; sleep 1; done
    echo "it does not end" >&2
    return 1
}

# Whether it can sign now.
ready() {
    curl -s --cacert "$ca" --fail-with-body -w '\n' "$api/health/ready" || { echo "not ready" >&2 && return 1; }
}

# What it counts.
counts() { curl -sS "$metrics" | grep -E '^shirushi_(ready|alarms|core|refused)'; }

# What went wrong, newest last.
troubles() { jq -R -r 'fromjson? | select(.level != "info") | "\(.time) \(.message) \(.cause // .alarm // .fault // .exit // "")"' "$log" |
    tail -n "${1:-10}"; }

# The credentials of authority $1 in state $2 (and custody $3): one a line.
credentials() { shirushi keys list --home "$home" --authority "$1" | awk -v s="$2" -v c="${3:-.}" '$3 == s && $5 ~ c { print $1 }'; }

# Lays evidence aside under the name $1. It holds holders' ids: guard it as you guard the database.
keep() {
    evidence=/srv/evidence/$(date -u +%Y%m%dT%H%M%SZ)-$1
    (
        umask 077 && mkdir -p "$evidence" && cd "$evidence" || exit
        cp -a "$home/data" "$home/custody" "$home/shirushi.yaml" "$log" . 2>/dev/null
        curl -sS "$metrics" >metrics.txt 2>&1
        shirushi audit verify --home "$home" >audit-verify.txt 2>&1
        shirushi audit list --home "$home" --json >audit.jsonl 2>audit-list-errors.txt
        shirushi keys audit --home "$home" >keys-audit.txt 2>&1
        find . -type f ! -name SHA256SUMS -print0 | xargs -0 sha256sum >SHA256SUMS
        sha256sum SHA256SUMS
    )
    echo "kept in $evidence"
}
