//! This process as a replica of a Redis.

use crate::contents::{assert_same, of_engine, of_redis};
use crate::redis::{Redis, offset};
use goredis::command::context::Context;
use goredis::engine::{Engine, EngineOptions};
use goredis::log::{Location, LogOptions};
use goredis::replication::redis::{FollowError, Place, Progress, Settings, follow};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A server without sockets.
pub(crate) fn server(location: Location) -> Arc<Context> {
    let options = EngineOptions::new(LogOptions::new(location));
    let (engine, _) = Engine::open(options, &|_| {}).expect("a database");
    let settings = goredis::settings::Settings::with(&[]).expect("the defaults");
    Arc::new(Context::new(engine, Arc::new(settings)))
}

pub(crate) fn in_memory() -> Arc<Context> {
    server(Location::Memory)
}

pub(crate) fn in_folder(folder: &Path) -> Arc<Context> {
    server(Location::Files { dbfile: folder.join("data.db") })
}

/// How a link ended, and where the next may go on.
pub(crate) type Ended = (Result<(), FollowError>, Option<Place>);

/// A link at work.
pub(crate) struct Following {
    pub(crate) context: Arc<Context>,
    told: Arc<Mutex<Vec<Progress>>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Ended>,
}

impl Following {
    pub(crate) async fn start(context: &Arc<Context>, port: u16, place: Option<Place>) -> Self {
        Self::start_as(context, port, place, b"", b"").await
    }

    pub(crate) async fn start_as(
        context: &Arc<Context>,
        port: u16,
        mut place: Option<Place>,
        user: &[u8],
        password: &[u8],
    ) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the primary listens");
        let settings = Settings {
            user: user.to_vec(),
            password: password.to_vec(),
            listening_port: 7000,
            announced_address: None,
            timeout: Duration::from_secs(60),
        };
        let (stop, stopped) = watch::channel(false);
        let told = Arc::new(Mutex::new(Vec::new()));
        let (served, notes) = (Arc::clone(context), Arc::clone(&told));
        let task = tokio::spawn(async move {
            let note = move |progress| notes.lock().expect("no panic").push(progress);
            let ended = follow(&served, stream, &settings, &mut place, &note, stopped).await;
            (ended, place)
        });
        Self { context: Arc::clone(context), told, stop, task }
    }

    pub(crate) fn told(&self) -> Vec<Progress> {
        self.told.lock().expect("no panic").clone()
    }

    /// Waits until all is here that the primary has written, and compares.
    pub(crate) async fn catches_up_with(&mut self, redis: &Redis) {
        let goal = offset(&redis.client(0).await).await;
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let reached = self.told().iter().rev().find_map(|told| match told {
                Progress::Live { offset } => Some(*offset),
                _ => None,
            });
            if reached.is_some_and(|offset| offset >= goal) {
                break;
            }
            self.goes_on().await;
            assert!(Instant::now() < until, "the replica is at {reached:?} of {goal}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_same(&of_redis(redis).await, &of_engine(&self.context.engine()));
    }

    /// Fails if the link has ended.
    async fn goes_on(&mut self) {
        let ended = if self.task.is_finished() { Some((&mut self.task).await) } else { None };
        assert!(ended.is_none(), "the link ended: {ended:?}");
    }

    /// Waits for something to be told.
    pub(crate) async fn hears(&mut self, wanted: impl Fn(&Progress) -> bool) {
        let until = Instant::now() + Duration::from_secs(120);
        while !self.told().iter().any(&wanted) {
            self.goes_on().await;
            assert!(Instant::now() < until, "not told in time");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits for the link to end by itself.
    pub(crate) async fn end(self) -> Ended {
        tokio::time::timeout(Duration::from_secs(120), self.task).await.expect("it ends").expect("no panic")
    }

    /// Ends the link.
    pub(crate) async fn stop(self) -> Ended {
        self.stop.send(true).expect("it listens");
        self.end().await
    }
}
