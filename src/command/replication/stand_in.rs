//! A stand-in for the layer that follows other servers: it does what it is told, and nothing more.

use std::sync::{Arc, Mutex};

use crate::clock::Millis;
use crate::command::upstream::{Failover, Link, SyncCounts, SyncProgress, Target, Upstream, UpstreamStatus};
use crate::engine::Engine;

/// What the stand-in pretends, and what it was asked.
#[derive(Debug, Default)]
pub(in crate::command) struct Pretence {
    pub(in crate::command) status: Option<UpstreamStatus>,
    pub(in crate::command) failing_over: bool,
    pub(in crate::command) asked: Vec<String>,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub(in crate::command) struct StandIn {
    engine: Arc<Engine>,
    pub(in crate::command) pretence: Arc<Mutex<Pretence>>,
}

impl StandIn {
    pub(in crate::command) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, pretence: Arc::default() }
    }

    /// Changes how the link stands.
    pub(in crate::command) fn link(&self, change: impl FnOnce(&mut UpstreamStatus)) {
        change(self.pretence.lock().unwrap().status.as_mut().expect("a replica"));
    }

    pub(in crate::command) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.pretence.lock().unwrap().asked)
    }
}

impl Upstream for StandIn {
    fn follow(&self, target: Target) -> Result<(), String> {
        let mut pretence = self.pretence.lock().unwrap();
        pretence.asked.push(format!("follow {}:{} {:?}", target.host, target.port, target.accept));
        if target.host == "unwilling" {
            return Err("this host is not followed".into());
        }
        self.engine.set_follows(true).map_err(|error| error.to_string())?;
        pretence.status = Some(UpstreamStatus {
            host: target.host,
            port: target.port,
            link: Link::Connect,
            heard_at: None,
            down_since: Some(Millis::now()),
            sync: None::<SyncProgress>,
            refusal: None,
        });
        Ok(())
    }

    fn promote(&self) -> Result<(), String> {
        let mut pretence = self.pretence.lock().unwrap();
        pretence.asked.push("promote".into());
        pretence.status = None;
        self.engine.set_follows(false).map_err(|error| error.to_string())
    }

    fn status(&self) -> Option<UpstreamStatus> {
        self.pretence.lock().unwrap().status.clone()
    }

    fn counts(&self) -> SyncCounts {
        SyncCounts { full: 1, partial: 2, partial_refused: 3 }
    }

    fn start_failover(&self, how: Failover) -> Result<(), String> {
        let mut pretence = self.pretence.lock().unwrap();
        pretence.asked.push(format!("failover {how:?}"));
        pretence.failing_over = true;
        Ok(())
    }

    fn abort_failover(&self) -> Result<(), String> {
        self.pretence.lock().unwrap().failing_over = false;
        Ok(())
    }

    fn stop(&self) {}

    fn failover_state(&self) -> &'static str {
        if self.pretence.lock().unwrap().failing_over { "waiting-for-sync" } else { "no-failover" }
    }
}
