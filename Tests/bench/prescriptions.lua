-- Posts one prescription after another; BODIES names a file of JSON bodies, one a line, TOKEN the caller's token.
-- TOKENS names a file of tokens instead, one a line, used in turn from the one behind FIRST on.
local function lines(path)
    local found = {}
    for line in io.lines(path) do found[#found + 1] = line end
    return found
end

local bodies, at = lines(os.getenv("BODIES")), tonumber(os.getenv("FIRST") or 0)
local tokens = os.getenv("TOKENS") and lines(os.getenv("TOKENS")) or { os.getenv("TOKEN") }
local headers = { ["Content-Type"] = "application/json" }

request = function()
    at = at + 1
    headers["Authorization"] = "Bearer " .. tokens[at % #tokens + 1]
    return wrk.format("POST", "/v1/prescriptions", headers, bodies[at % #bodies + 1])
end

done = function(summary, latency)
    local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
        + summary.errors.timeout
    io.write(string.format(
        'JSON {"answers": %d, "failed": %d, "seconds": %.6f, "p50": %.3f, "p95": %.3f, "p99": %.3f, "max": %.3f}\n',
        summary.requests, failed, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
        latency:percentile(99) / 1e3, latency.max / 1e3))
end
