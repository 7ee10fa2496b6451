-- For wrk: ends a run with a line of JSON.  With the arguments TIME SPAN FROM
-- every request asks for a page that nothing has asked for before: the path is
-- completed by a cursor below TIME, at most SPAN seconds, which carries a
-- number, the first one FROM.

function init(args)
   local time, span, number = tonumber(args[1]), tonumber(args[2]),
      tonumber(args[3])
   if not time then
      return
   end
   local path = wrk.path
   request = function()
      number = number + 1
      return wrk.format(nil, string.format("%s%d.%016x", path,
         time - number * 7919 % span, number))
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format('{"requests": %d, "us": %d, "p99_us": %d, '
      .. '"errors": %d}\n', summary.requests, summary.duration,
      latency:percentile(99), errors.connect + errors.read + errors.write
      + errors.status + errors.timeout))
end
