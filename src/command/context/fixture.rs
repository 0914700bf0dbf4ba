//! A context, a session and a reply buffer for tests of handlers.

use super::Context;
use crate::clock::Millis;
use crate::command::call::{Call, CommandError, Handler, Later};
use crate::command::clients::{Endpoint, Registration};
use crate::command::session::Session;
use crate::command::table;
use crate::engine::{Engine, EngineOptions};
use crate::log::{Location, LogOptions};
use crate::lsn::Lsn;
use crate::resp::{OwnedRequest, ReplyBuf};
use crate::settings::Settings;
use std::path::Path;
use std::sync::Arc;

/// One client of a server that has no sockets.
pub(crate) struct Fixture {
    pub(crate) context: Context,
    pub(crate) session: Session,
    pub(crate) reply: ReplyBuf,
    /// What the last handler wants done after it.
    pub(crate) later: Option<Later>,
    _registration: Registration,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(Engine::for_tests(), settings)
    }

    /// On a database with files in `folder`.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let location = Location::Files { dbfile: folder.join("data.db") };
        let options = EngineOptions::new(LogOptions::new(location));
        let (engine, _) = Engine::open(options, &|_| {}).expect("a database in a new folder opens");
        Self::on(engine, &[])
    }

    fn on(engine: Arc<Engine>, settings: &[(&str, &str)]) -> Self {
        let settings = Settings::with(settings).expect("the settings are valid");
        let context = Context::new(engine, Arc::new(settings));
        let (peer, local) = ("127.0.0.1:5000".to_owned(), "127.0.0.1:6379".to_owned());
        let endpoint = Endpoint { peer, local, fd: 8, unix: false };
        let registration = context.clients.register(endpoint, Millis::now(), 10).expect("there is room");
        let session = Session::new(registration.handle(), true);
        Self { context, session, reply: ReplyBuf::new(), later: None, _registration: registration }
    }

    /// Runs a handler on a line of words; gives the reply's bytes as text.
    pub(crate) fn run(&mut self, handler: Handler, line: &str) -> String {
        self.run_words(handler, &line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn run_words(&mut self, handler: Handler, words: &[&str]) -> String {
        self.call(handler, words).expect("the command succeeds");
        self.take_reply()
    }

    /// Runs a handler that is to fail; gives the error's text.
    pub(crate) fn error(&mut self, handler: Handler, line: &str) -> String {
        self.error_words(handler, &line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn error_words(&mut self, handler: Handler, words: &[&str]) -> String {
        let error = self.call(handler, words).expect_err("the command fails").to_string();
        assert_eq!(self.take_reply(), "", "a command that fails writes nothing");
        error
    }

    /// Does what the last handler left to a thread that may block; gives the reply.
    pub(crate) fn finish_later(&mut self) -> String {
        match self.later.take() {
            Some(Later::Blocking(finish)) => finish(&self.context, &mut self.reply),
            _ => panic!("the command left nothing to a blocking thread"),
        }
        self.take_reply()
    }

    fn call(&mut self, handler: Handler, words: &[&str]) -> Result<(), CommandError> {
        let request: OwnedRequest = words.iter().collect();
        let args = request.as_args();
        if let Some(spec) = table::resolve(args) {
            self.session.begin_command(spec);
        }
        let (reply, session, context) = (&mut self.reply, &mut self.session, &self.context);
        let later = &mut self.later;
        let engine = context.engine();
        let mut batch = engine.batch(Millis::now(), true);
        let ran = batch.run(|txn| {
            reply.clear();
            let mut call = Call { txn, args, reply, session, context, later: None };
            let result = handler(&mut call);
            *later = call.later.take();
            result
        });
        ran.expect("the log in memory takes writes")
    }

    /// Delivers what the commands so far have published; gives what came of it for this client.
    pub(crate) fn deliver(&mut self) -> String {
        let (session, reply) = (&mut self.session, &mut self.reply);
        session.deliver_outgoing(&self.context, Lsn::ZERO, Millis::now(), reply);
        self.take_reply()
    }

    fn take_reply(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.reply.to_vec()).into_owned();
        self.reply.clear();
        text
    }
}
