//! The CLI's connection, and what is known about its state: database, transaction, protocol, user.
//!
//! A command is sent once. If the connection turns out to be dead before it, a new one is made first; if it breaks while
//! a command is under way, that is reported, since nobody knows what became of it. What commands changed about the
//! connection (SELECT, AUTH, HELLO) holds for the next one too, a transaction does not.

use std::io;

use tokio::runtime::Runtime;

use crate::client::{Builder, Connection, Error};
use crate::resp::{Protocol, Value};

/// See the [module](self).
pub struct Session {
    runtime: Runtime,
    builder: Builder,
    connection: Option<Connection>,
    /// Between MULTI and EXEC.
    in_transaction: bool,
    /// The database that a SELECT in the transaction will lead to.
    queued_db: Option<u32>,
    /// Somebody sits in front of it: Ctrl-C takes the place of a reply, and an idle connection is looked after.
    interactive: bool,
    /// There was a connection before, so the next one is news.
    was_connected: bool,
}

/// What became of a command.
#[derive(Debug)]
pub enum Outcome {
    /// Its reply, be it an error.
    Reply(Value),
    /// It was not sent, or its reply never came.
    Failed(Error),
    /// Ctrl-C came before its reply.
    Interrupted,
}

impl Session {
    /// A session that is not connected yet.
    ///
    /// # Errors
    /// If the system grants no resources for it.
    pub fn new(builder: Builder, interactive: bool) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self {
            runtime,
            builder,
            connection: None,
            in_transaction: false,
            queued_db: None,
            interactive,
            was_connected: false,
        })
    }

    /// Connects, unless it is. Says so if it was before.
    ///
    /// # Errors
    /// Why not.
    pub fn connect(&mut self) -> Result<(), Error> {
        if self.connection.is_some() {
            return Ok(());
        }
        let connection = self.runtime.block_on(self.builder.open_connection())?;
        if self.was_connected {
            eprintln!("Reconnected to {}.", connection.address());
        }
        self.connection = Some(connection);
        self.was_connected = true;
        Ok(())
    }

    /// Goes on without the password and database that the server refused, so that others can be tried.
    pub fn forget_login(&mut self) {
        self.builder = self.builder.clone().without_login();
    }

    /// What to show before the cursor.
    pub fn prompt(&self) -> String {
        let Some(connection) = &self.connection else {
            return "not connected> ".to_owned();
        };
        let db = match self.queued_db.unwrap_or_else(|| self.builder.selected_db()) {
            0 => String::new(),
            db => format!("[{db}]"),
        };
        let transaction = if self.in_transaction { "(TX)" } else { "" };
        format!("{}{db}{transaction}> ", connection.address())
    }

    /// Runs one command, on a new connection if there is none; but if a transaction was lost with the last one, it is
    /// not run.
    pub fn execute(&mut self, args: &[Vec<u8>]) -> Outcome {
        let in_transaction = self.in_transaction;
        self.drop_if_dead();
        if in_transaction && self.connection.is_none() {
            // Why: what was meant as part of a transaction must not take effect by itself.
            return Outcome::Failed(Error::Closed);
        }
        if let Err(error) = self.connect() {
            return Outcome::Failed(error);
        }
        let Some(connection) = &mut self.connection else {
            return Outcome::Failed(Error::Closed);
        };
        let interactive = self.interactive;
        let outcome = self.runtime.block_on(async {
            tokio::select! {
                reply = connection.command(args) => reply.map_or_else(Outcome::Failed, Outcome::Reply),
                () = interrupt(), if interactive => Outcome::Interrupted,
            }
        });
        match &outcome {
            Outcome::Reply(reply) => self.note(args, reply),
            Outcome::Failed(Error::EmptyCommand) => {}
            Outcome::Failed(_) | Outcome::Interrupted => self.disconnect(),
        }
        outcome
    }

    /// Runs a command that makes the server talk by itself, and hands every message to `show`, until Ctrl-C or until
    /// the connection ends. The connection is given up then.
    ///
    /// # Errors
    /// Why it ended, if not by Ctrl-C.
    pub fn listen(&mut self, args: &[Vec<u8>], mut show: impl FnMut(&Value)) -> Result<(), Error> {
        self.drop_if_dead();
        self.connect()?;
        let Some(mut connection) = self.connection.take() else {
            return Err(Error::Closed);
        };
        self.forget_transaction();
        self.was_connected = false;
        let interactive = self.interactive;
        self.runtime.block_on(async {
            connection.send(args).await?;
            loop {
                tokio::select! {
                    message = connection.message() => show(&message?),
                    () = interrupt(), if interactive => return Ok(()),
                }
            }
        })
    }

    /// Whether there is a connection, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether a transaction is being put together.
    pub fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Notices that the server hung up while nobody looked.
    fn drop_if_dead(&mut self) {
        if self.interactive
            && let Some(connection) = &mut self.connection
            && !self.runtime.block_on(connection.is_open())
        {
            eprintln!("The server closed the connection.");
            self.disconnect();
        }
    }

    fn disconnect(&mut self) {
        self.connection = None;
        if self.in_transaction {
            eprintln!("The transaction is lost.");
        }
        self.forget_transaction();
    }

    fn forget_transaction(&mut self) {
        self.in_transaction = false;
        self.queued_db = None;
    }

    /// Draws the conclusions from a command and its reply.
    fn note(&mut self, args: &[Vec<u8>], reply: &Value) {
        let failed = matches!(reply, Value::Error(_));
        let word = |at: usize| args.get(at).map(|arg| String::from_utf8_lossy(arg).into_owned());
        let name = word(0).unwrap_or_default().to_ascii_uppercase();
        match name.as_str() {
            "EXEC" | "DISCARD" if self.in_transaction => self.transaction_over(reply),
            _ if failed => {}
            "MULTI" => self.in_transaction = true,
            "SELECT" => {
                let db = word(1).and_then(|db| db.parse().ok());
                if self.in_transaction {
                    self.queued_db = db.or(self.queued_db);
                } else if let Some(db) = db {
                    self.builder = self.builder.clone().db(db);
                }
            }
            "AUTH" => match (word(1), word(2)) {
                (Some(user), Some(password)) => self.log_in_as(Some(user), password),
                (Some(password), None) => self.log_in_as(None, password),
                _ => {}
            },
            "HELLO" => self.note_hello(args),
            "RESET" => {
                self.forget_transaction();
                self.builder = self.builder.clone().without_login().protocol(Protocol::Resp2);
            }
            _ => {}
        }
    }

    fn transaction_over(&mut self, reply: &Value) {
        if let (Value::Array(_), Some(db)) = (reply, self.queued_db) {
            self.builder = self.builder.clone().db(db);
        }
        self.forget_transaction();
    }

    fn note_hello(&mut self, args: &[Vec<u8>]) {
        let protocol = match args.get(1).map(Vec::as_slice) {
            Some(b"3") => Protocol::Resp3,
            Some(b"2") => Protocol::Resp2,
            _ => return,
        };
        self.builder = self.builder.clone().protocol(protocol);
        let auth = args.iter().position(|arg| arg.eq_ignore_ascii_case(b"AUTH"));
        if let Some([user, password, ..]) = auth.and_then(|at| args.get(at + 1..)) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            self.log_in_as(Some(text(user)), text(password));
        }
    }

    fn log_in_as(&mut self, user: Option<String>, password: String) {
        let db = self.builder.selected_db();
        let builder = self.builder.clone().without_login().db(db).password(password);
        self.builder = match user {
            Some(user) => builder.username(user),
            None => builder,
        };
    }
}

/// Ends with Ctrl-C, or never where the system cannot tell.
async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
