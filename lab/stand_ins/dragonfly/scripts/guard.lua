local redis = (function(original)
  local declared, keyless = {}, {ECHO = true, PING = true, PUBLISH = true, TIME = true}
  for _, key in ipairs(KEYS) do declared[key] = true end
  local function checked(run, refuse)
    return function(command, key, ...)
      if key == nil then return run(command) end
      if not keyless[string.upper(command)] and not declared[tostring(key)] then
        return refuse({err = 'ERR script tried accessing undeclared key'})
      end
      return run(command, key, ...)
    end
  end
  local guarded = {call = checked(original.call, error), pcall = checked(original.pcall, function(reply) return reply end)}
  return setmetatable(guarded, {__index = original})
end)(redis)
