-- Posts one prescription after another; BODIES names a file of JSON bodies, one a line, TOKEN the caller's token.
local bodies, at = {}, 0
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. os.getenv("TOKEN") }

request = function()
    at = at % #bodies + 1
    return wrk.format("POST", "/v1/prescriptions", headers, bodies[at])
end

done = function(summary, latency)
    local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
        + summary.errors.timeout
    io.write(string.format(
        'JSON {"answers": %d, "failed": %d, "seconds": %.6f, "p50": %.3f, "p95": %.3f, "p99": %.3f, "max": %.3f}\n',
        summary.requests, failed, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
        latency:percentile(99) / 1e3, latency.max / 1e3))
end
