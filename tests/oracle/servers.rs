//! The two servers: redis-server and this one, with the same small settings.

use crate::events;
use crate::frame::{Connection, Frame};
use crate::generate::CLIENTS;
use crate::harness::{Launch, Server};
use crate::redis::Redis;

/// Small, so that a few commands make a tree of a packed collection and a few more its opposite.
const SMALL: [(&str, &str); 9] = [
    ("hash-max-listpack-entries", "8"),
    ("hash-max-listpack-value", "32"),
    ("list-max-listpack-size", "6"),
    ("set-max-intset-entries", "8"),
    ("zset-max-listpack-entries", "8"),
    ("zset-max-listpack-value", "32"),
    ("lfu-log-factor", "10"),
    ("databases", "3"),
    ("notify-keyspace-events", "AE"),
];
/// What Redis knows since 7.2.
const YOUNG: [(&str, &str); 2] = [("set-max-listpack-entries", "8"), ("set-max-listpack-value", "32")];

/// One server's connections.
#[derive(Debug)]
pub struct Side {
    pub clients: Vec<Connection>,
    /// What looks on, and is in no transaction.
    pub onlooker: Connection,
    /// What hears of keys that change.
    pub listener: Connection,
}

impl Side {
    fn open(server: &'static str, port: u16) -> Self {
        let clients = (0..CLIENTS).map(|_| Connection::open(server, port)).collect();
        let [onlooker, listener] = [(); 2].map(|()| Connection::open(server, port));
        let mut side = Self { clients, onlooker, listener };
        events::listen(&mut side);
        side
    }

    /// Forgets everything, and puts the connections back into the state of new ones.
    fn clear(&mut self, version: u8) {
        for client in &mut self.clients {
            client.ask("RESET");
            let hello = client.call(&["HELLO", &version.to_string()]);
            assert!(hello.error().is_none(), "HELLO {version}: {hello}");
        }
        assert_eq!(self.onlooker.ask("FLUSHALL"), Frame::Line(b'+', b"OK".to_vec()));
        for (name, value) in
            SMALL.into_iter().filter(|(name, _)| name.contains("-max-") || name.starts_with("lfu"))
        {
            assert_eq!(
                self.onlooker.call(&["CONFIG", "SET", name, value]),
                Frame::Line(b'+', b"OK".to_vec())
            );
        }
        events::heard(self);
    }
}

/// Both of them.
pub struct Pair {
    pub theirs: Side,
    pub ours: Side,
    /// Taken only while it is restarted.
    goredis: Option<Server>,
    _redis: Redis,
}

impl Pair {
    /// Starts both; this one with further options.
    pub fn start(options: &[&str]) -> Self {
        let as_options = |settings: &[(&str, &str)]| -> Vec<String> {
            settings.iter().flat_map(|(name, value)| [format!("--{name}"), (*value).to_owned()]).collect()
        };
        let (small, young) = (as_options(&SMALL), as_options(&YOUNG));
        let small: Vec<&str> = small.iter().map(String::as_str).collect();
        let young: Vec<&str> = young.iter().map(String::as_str).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let redis = runtime.block_on(Redis::start(&small));
        let launch = Launch::persistent(&small).with(&young).with(&["--segment-bytes", "4mb"]).with(options);
        let goredis = launch.start();
        let mut theirs = Side::open("redis-server", redis.port());
        for (name, value) in YOUNG {
            // Why not looked at: an older Redis refuses it.
            let _ = theirs.onlooker.call(&["CONFIG", "SET", name, value]);
        }
        let ours = Side::open("goredis", goredis.port());
        Self { theirs, ours, goredis: Some(goredis), _redis: redis }
    }

    /// Both hold nothing afterwards.
    pub fn clear(&mut self, version: u8) {
        self.theirs.clear(version);
        self.ours.clear(version);
    }

    /// Kills this one and starts it again from its files.
    pub fn kill_and_restart(&mut self) {
        let goredis = self.goredis.take().expect("it runs").killed_and_restarted();
        self.ours = Side::open("goredis", goredis.port());
        self.goredis = Some(goredis);
    }

    /// Whether their Redis is 7.2 or later.
    pub fn is_young(&mut self) -> bool {
        matches!(self.theirs.onlooker.ask("COMMAND INFO client|no-touch").parts(), [Frame::Many(..)])
    }

    /// Whether both have a command, by its name in COMMAND INFO.
    pub fn know(&mut self, name: &str) -> bool {
        [&mut self.theirs, &mut self.ours]
            .into_iter()
            .all(|side| matches!(side.onlooker.call(&["COMMAND", "INFO", name]).parts(), [Frame::Many(..)]))
    }
}
