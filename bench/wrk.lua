-- One keep-alive client: posts the lines of a file, one after another, from the start again at its end.
-- Arguments after "--": the file of bodies, then headers as "name: value". Prints one line of JSON.
local requests, place = {}, 0

function init(arguments)
  local headers = { ["content-type"] = "application/json", ["accept"] = "application/json" }
  for index = 2, #arguments do
    local name, value = arguments[index]:match("^(.-): (.*)$")
    headers[name] = value
  end
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "bytes": %d, "failed": %d, "p50": %.3f, "p99": %.3f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000
  ))
end
