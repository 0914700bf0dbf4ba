"""What users of redis-py do all day, against the server on the port given as the only argument.

Run by the test `redis_py_works_unchanged`; prints "all good" when everything was as it should be.
"""

import sys
import threading
import time

try:
    import redis
except ImportError:
    sys.exit("redis-py is missing for this Python; tools/test installs it")

PORT = int(sys.argv[1])


def client(**options):
    return redis.Redis(port=PORT, **options)


def raises(kind, call, text):
    try:
        call()
    except kind as error:
        assert text in str(error), error
    else:
        raise AssertionError(f"no {kind.__name__}")


def strings(r):
    assert r.set("name", "John Doe") is True
    assert r.get("name") == b"John Doe" and r.get("none") is None
    assert r["name"] == b"John Doe" and "name" in r and "none" not in r
    assert r.set("name", "x", nx=True) is None and r.set("name", "x", xx=True, get=True) == b"John Doe"
    assert r.incr("n") == 1 and r.incrby("n", 41) == 42 and r.decr("n", 2) == 40
    assert r.incrbyfloat("n", 0.5) == 40.5
    assert r.mset({"a": 1, "b": b"\x00\xff\r\n", "c": "é"}) and r.mget("a", "b", "none") == [b"1", b"\x00\xff\r\n", None]
    assert r.msetnx({"a": 2, "fresh": 1}) is False
    assert r.append("a", "23") == 3 and r.strlen("a") == 3 and r.getrange("a", 1, -1) == b"23"
    assert r.setrange("a", 1, "xy") == 3 and r.getdel("a") == b"1xy" and r.getset("c", "z") == "é".encode()
    assert r.setnx("b", 1) is False
    raises(redis.ResponseError, lambda: r.incr("b"), "not an integer")
    raises(redis.ResponseError, lambda: r.execute_command("NOSUCH"), "unknown command")


def keys(r):
    r.flushdb()
    r.mset({f"user:{number:04}": number for number in range(1000)})
    assert r.dbsize() == 1000 and len(r.keys("user:00*")) == 100
    assert sorted(r.scan_iter("user:*", count=50)) == [f"user:{number:04}".encode() for number in range(1000)]
    assert r.exists("user:0001", "none") == 1 and r.delete("user:0001", "user:0002", "none") == 2
    assert r.unlink("user:0003") == 1 and r.touch("user:0004") == 1
    assert r.rename("user:0004", "renamed") and r.type("renamed") == b"string" and r.type("none") == b"none"
    raises(redis.ResponseError, lambda: r.rename("none", "x"), "no such key")
    assert r.copy("renamed", "copied") is True and r.randomkey() is not None
    assert r.move("copied", 3) is True and r.swapdb(3, 4)
    other = client(db=4)
    assert other.get("copied") == b"4" and other.flushdb()
    assert r.object("encoding", "renamed") == b"int"


def expiry(r):
    r.flushdb()
    r.set("a", 1, ex=100)
    assert 98 <= r.ttl("a") <= 100 and r.persist("a") is True and r.ttl("a") == -1 and r.ttl("none") == -2
    assert r.expire("a", 50, nx=True) and not r.expire("a", 60, lt=True)
    assert r.expireat("a", 4000000000) and r.expiretime("a") == 4000000000
    assert r.getex("a", persist=True) == b"1" and r.pttl("a") == -1
    r.set("short", 1, px=50)
    time.sleep(0.06)
    assert r.get("short") is None and not r.exists("short")


def pipelines(r):
    r.flushdb()
    with r.pipeline(transaction=False) as pipe:
        for number in range(1000):
            pipe.set(f"key:{number}", number)
        pipe.get("key:999")
        replies = pipe.execute()
    assert replies == [True] * 1000 + [b"999"]
    with r.pipeline() as pipe:
        assert pipe.set("t", 1).incr("t").get("t").execute() == [True, 2, b"2"]
        pipe.set("t", "text").incr("t")
        replies = pipe.execute(raise_on_error=False)
    assert replies[0] is True and isinstance(replies[1], redis.ResponseError)


def watching(r):
    r.set("counter", 0)

    def add(times):
        own = client()
        for _ in range(times):
            own.transaction(add_one, "counter")

    def add_one(pipe):
        value = int(pipe.get("counter"))
        pipe.multi()
        pipe.set("counter", value + 1)

    threads = [threading.Thread(target=add, args=(50,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert r.get("counter") == b"200"
    with r.pipeline() as pipe:
        pipe.watch("counter")
        client().set("counter", 1)
        pipe.multi()
        pipe.set("counter", 2)
        raises(redis.WatchError, pipe.execute, "")


def server(r):
    info = r.info()
    assert info["redis_version"].startswith("7.") and info["role"] == "master" and info["tcp_port"] == PORT
    assert r.config_get("databases") == {"databases": "16"} and r.config_set("timeout", 0)
    assert r.client_setname("me") and r.client_getname() in (b"me", "me") and r.client_id() > 0
    assert any(entry["name"] == "me" for entry in r.client_list())
    assert r.command_count() == len(r.command()) and "get" in r.command()
    assert r.ping() and r.echo("hello") == b"hello" and abs(r.time()[0] - time.time()) < 5
    assert r.bgsave() and r.lastsave() is not None
    assert r.slowlog_len() >= 0 and r.memory_usage("counter") > 0


def protocol_3():
    r = client(protocol=3, decode_responses=True)
    r.set("name", "John Doe")
    assert r.get("name") == "John Doe" and r.get("none") is None
    assert r.config_get("databases") == {"databases": "16"}
    assert r.pipeline().incr("three").incr("three").execute() == [1, 2]
    assert r.execute_command("HELLO")["proto"] == 3


def main():
    r = client()
    for part in (strings, keys, expiry, pipelines, watching, server):
        part(r)
        print(part.__name__)
    protocol_3()
    print("all good")


main()
