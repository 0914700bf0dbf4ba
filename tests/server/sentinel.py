"""An application that finds its servers through redis-py's Sentinel client, and keeps going when they change.

    sentinel.py GROUP PORT...

Says what it has done, one line each, and waits in between for a line that lets it go on.
"""

import sys
import time

import redis
from redis.sentinel import Sentinel

PATIENCE_SECONDS = 120

group, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
sentinel = Sentinel([("127.0.0.1", port) for port in ports], socket_timeout=1)
primary = sentinel.master_for(group, socket_timeout=1)
replica = sentinel.slave_for(group, socket_timeout=1)


def until(what, done):
    """Tries until it works and is true; a server that is away or has another role is no failure."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if done():
                return
            reason = "not yet"
        except redis.exceptions.RedisError as error:
            reason = repr(error)
        if time.monotonic() > end:
            sys.exit(f"waited too long: {what}: {reason}")
        time.sleep(0.05)


def heard(word):
    assert sys.stdin.readline().strip() == word


until("a first write", lambda: primary.set("before", "1"))
until("it is on two replicas", lambda: primary.wait(2, 1000) == 2)
print("wrote before", flush=True)

heard("killed")
until("a write after the primary's death", lambda: primary.set("after", "2"))
assert primary.get("before") == b"1", "what two replicas had is gone"
print("wrote after", flush=True)

heard("returned")
until("two replicas", lambda: len(sentinel.discover_slaves(group)) == 2)
for _ in range(2):
    until("the last write on a replica", lambda: replica.get("after") == b"2")
    replica.connection_pool.disconnect()
print("read after from every replica", flush=True)
