//! A client without a connection, and scripts of what it asks and is answered.
//!
//! A request is written as an inline command; a reply as its bytes, with a blank for each CR LF and none at the end.
//! The replies in these tests were checked against Redis, where Redis has the command.

use std::sync::Arc;

use crate::clock::Millis;
use crate::command::call::Later;
use crate::command::clients::{ClientHandle, Endpoint};
use crate::command::context::Context;
use crate::command::dispatch::{self, Flow};
use crate::command::session::Session;
use crate::engine::Engine;
use crate::resp::{Args, Protocol, ReplyBuf, inline};
use crate::settings::{Caller, Settings};

/// A client of an empty database of its own.
pub(super) struct Client {
    context: Context,
    session: Session,
    protocol: Protocol,
}

impl Client {
    /// A client that speaks RESP2.
    pub(super) fn new() -> Self {
        let engine = Engine::for_tests();
        let handle = Arc::new(ClientHandle::new(1, Endpoint::default(), Millis(0)));
        Self {
            context: Context::new(engine, Arc::new(Settings::default())),
            session: Session::new(handle, true),
            protocol: Protocol::Resp2,
        }
    }

    /// Asks one request and waits for the reply, in the notation above.
    pub(super) fn ask(&mut self, line: &str) -> String {
        let request = inline::split(line.as_bytes()).expect("balanced quotes");
        let text = String::from_utf8_lossy(&self.call(request.as_args())).replace("\r\n", " ");
        text.trim_end().to_owned()
    }

    /// Asks requests in one pipeline; gives all replies, one behind the other.
    pub(super) fn ask_all(&mut self, lines: &[&str]) -> String {
        let split = |line: &&str| inline::split(line.as_bytes()).expect("balanced quotes");
        let requests: Vec<_> = lines.iter().map(split).collect();
        let requests: Vec<_> = requests.iter().map(|request| request.as_args()).collect();
        let mut reply = ReplyBuf::with_protocol(self.protocol);
        let (context, session) = (&self.context, &mut self.session);
        let (ran, _) = dispatch::execute_batch(context, session, Millis::now(), &requests, &mut reply);
        assert_eq!(ran, requests.len(), "nothing is to be done before the last of them");
        let text = String::from_utf8_lossy(&reply.to_vec()).replace("\r\n", " ");
        text.trim_end().to_owned()
    }

    /// Asks one request and waits for the reply's bytes.
    pub(super) fn call(&mut self, request: Args<'_>) -> Vec<u8> {
        let mut reply = ReplyBuf::with_protocol(self.protocol);
        let requests = [request];
        let (ran, flow) =
            dispatch::execute_batch(&self.context, &mut self.session, Millis::now(), &requests, &mut reply);
        assert_eq!(ran, 1, "{request:?}");
        if let Flow::Later(Later::Blocking(work), rest) = flow {
            work(&self.context, &mut reply);
            let error = reply.error_message();
            rest.expect("its end").end(&self.context, &self.session.client, error.as_deref());
        }
        reply.to_vec()
    }

    /// The database, for what others do with it.
    pub(super) fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.context.engine)
    }

    /// Changes a setting from outside.
    pub(super) fn set(&self, name: &str, value: &str) {
        let pairs = [(name.as_bytes(), value.as_bytes())];
        let _changed = self.context.settings.set(&pairs, Caller::Local).expect("a valid setting");
    }

    fn follow(mut self, script: &[(&str, &str)]) {
        for (request, reply) in script {
            assert_eq!(self.ask(request), reply.trim_end(), "{request}");
        }
    }
}

/// Asks each request of a script and compares the replies.
pub(super) fn run(script: &[(&str, &str)]) {
    Client::new().follow(script);
}

/// As [`run`], for a client that speaks RESP3.
pub(super) fn run_resp3(script: &[(&str, &str)]) {
    Client { protocol: Protocol::Resp3, ..Client::new() }.follow(script);
}
