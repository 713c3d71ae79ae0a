"""What the store does in one step each, in Lua.

Names, all with one hash tag so that a cluster keeps them in one slot (which one node carries with
ease: a lease costs it about ten microseconds):

    payontap:{lease}:held:<wallet>    the member that holds the wallet; ends by itself
    payontap:{lease}:queue:<wallet>   sorted set of members in the order of their arrival
    payontap:{lease}:arrivals         the last number that an arrival got
    payontap:{lease}:alive:<instance> there as long as that process is; ends by itself
    payontap:{lease}:wake:<instance>  channel on which that process hears whose turn it is

A member is `<instance>|<serial>|<token>`: the process, its own number for this one hold, and the
caller's name for the work. A request for several wallets joins all their queues in one step with
one number, so the earliest request of all is first in each of its queues: nobody waits in a circle
and nobody is overtaken.
"""

from hashlib import sha1

PREFIX = "payontap:{lease}:"
ROUTING_KEY = PREFIX + "arrivals"


def wake_channel(instance: str) -> str:
    """Where a process hears whose turn it is; a message is a wallet, a line break, a member."""
    return f"{PREFIX}wake:{instance}"


_COMMON = """
local prefix = 'payontap:{lease}:'
local function parts(member)
    return string.match(member, '^([^|]*)|[^|]*|(.*)$')
end
-- Time stands still while a script runs, so each process is asked for and marked once in it.
local lives, marked = {}, {}
local function alive(instance)
    if lives[instance] == nil then
        lives[instance] = redis.call('EXISTS', prefix .. 'alive:' .. instance) == 1
    end
    return lives[instance]
end
local function mark_alive(instance, alive_ms)
    if marked[instance] then return 0 end
    local was = redis.call('SET', prefix .. 'alive:' .. instance, '1', 'PX', alive_ms, 'GET')
    marked[instance], lives[instance] = true, true
    return was and 0 or 1
end
local function has_queue(wallet)
    return redis.call('EXISTS', prefix .. 'queue:' .. wallet) == 1
end
-- The first in a queue whose process still lives; the dead before it are removed.
local function head(wallet)
    local queue = prefix .. 'queue:' .. wallet
    while true do
        local member = redis.call('ZRANGE', queue, 0, 0)[1]
        if not member then return nil end
        local instance = parts(member)
        if alive(instance) then return member, instance end
        redis.call('ZREM', queue, member)
    end
end
local function wake(wallet, member, instance)
    redis.call('PUBLISH', prefix .. 'wake:' .. instance, wallet .. '\\n' .. member)
end
-- Work that died while it held a wallet gets the lease back when it asks again by its name.
local function open_for(wallet, member, resumes)
    local holder = redis.call('GET', prefix .. 'held:' .. wallet)
    if not holder or holder == member then return true end
    local instance, token = parts(member)
    local holder_instance, holder_token = parts(holder)
    if token ~= holder_token then return false end
    if instance == holder_instance then return resumes end
    return not alive(holder_instance)
end
"""

# Each step is a function of its words and answers a list.

# Words: member, life of the lease in ms, life of the process mark in ms, life of a queue in ms,
# whether a lease of this process with the same token may be taken over (1 or 0), wallets.
# Answers {granted, lapsed}: lapsed says that this process was not known to be alive, so what it
# had in the store may be gone.
ACQUIRE = "acquire"
_ACQUIRE = """
-- Joins the queues; whether the member is the first in each of them and may hold all its wallets.
local function queued_first(ARGV, member, queue_ms, resumes)
    local arrival = nil
    local first = true
    for i = 6, #ARGV do
        local queue = prefix .. 'queue:' .. ARGV[i]
        if not redis.call('ZSCORE', queue, member) then
            arrival = arrival or redis.call('INCR', prefix .. 'arrivals')
            redis.call('ZADD', queue, arrival, member)
        end
        redis.call('PEXPIRE', queue, queue_ms)
        if head(ARGV[i]) ~= member or not open_for(ARGV[i], member, resumes) then first = false end
    end
    return first
end
local function acquire(ARGV)
    local member, ttl_ms, alive_ms, queue_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
    local resumes = ARGV[5] == '1'
    local lapsed = mark_alive(parts(member), alive_ms)
    -- Where nobody waits there is no queue to join and to leave again.
    local free = true
    for i = 6, #ARGV do
        if has_queue(ARGV[i]) or not open_for(ARGV[i], member, resumes) then
            free = false
            break
        end
    end
    local queued = not free
    if queued then free = queued_first(ARGV, member, queue_ms, resumes) end
    if free then
        for i = 6, #ARGV do
            redis.call('SET', prefix .. 'held:' .. ARGV[i], member, 'PX', ttl_ms)
            if queued then redis.call('ZREM', prefix .. 'queue:' .. ARGV[i], member) end
        end
    end
    return {free and 1 or 0, lapsed}
end
"""

# Words: member, wallets. Leaves nothing of the member behind, whether it held or waited, and wakes
# those whose turn it now is.
LET_GO = "let_go"
_LET_GO = """
local function let_go(ARGV)
    local member = ARGV[1]
    local waited_for = {}
    for i = 2, #ARGV do
        if has_queue(ARGV[i]) then
            redis.call('ZREM', prefix .. 'queue:' .. ARGV[i], member)
            waited_for[#waited_for + 1] = ARGV[i]
        end
        if redis.call('GET', prefix .. 'held:' .. ARGV[i]) == member then
            redis.call('DEL', prefix .. 'held:' .. ARGV[i])
        end
    end
    for _, wallet in ipairs(waited_for) do
        local first, instance = head(wallet)
        if first and open_for(wallet, first, false) then
            wake(wallet, first, instance)
        end
    end
    return {1}
end
"""

# Words: member, life of the lease in ms, wallets. Answers 1 if all the wallets are still the
# member's and now live longer, else 0.
RENEW = "renew"
_RENEW = """
local function renew(ARGV)
for i = 3, #ARGV do
    if redis.call('GET', prefix .. 'held:' .. ARGV[i]) ~= ARGV[1] then return {0} end
end
for i = 3, #ARGV do redis.call('PEXPIRE', prefix .. 'held:' .. ARGV[i], ARGV[2]) end
return {1}
end
"""

# Words: instance, life of the process mark in ms, wallets that this process waits for. Answers
# lapsed, then `<wallet>\n<member>` for those of this process whose turn it is; others' are woken.
TEND = "tend"
_TEND = """
local function tend(ARGV)
local answer = {mark_alive(ARGV[1], ARGV[2])}
for i = 3, #ARGV do
    local first, instance = head(ARGV[i])
    if first and open_for(ARGV[i], first, false) then
        if instance == ARGV[1] then
            answer[#answer + 1] = ARGV[i] .. '\\n' .. first
        else
            wake(ARGV[i], first, instance)
        end
    end
end
return answer
end
"""

# ARGV[1]: a list of calls, each the name of a step and its words, in JSON; so a round trip and the
# reading of its words are paid once for hundreds of calls. Answers a list of answers, in JSON.
CALLS = (
    _COMMON
    + _ACQUIRE
    + _LET_GO
    + _RENEW
    + _TEND
    + """
local steps = {acquire = acquire, let_go = let_go, renew = renew, tend = tend}
local answers = {}
for i, words in ipairs(cjson.decode(ARGV[1])) do
    answers[i] = steps[table.remove(words, 1)](words)
end
return cjson.encode(answers)
"""
)
CALLS_DIGEST = sha1(CALLS.encode(), usedforsecurity=False).hexdigest()
