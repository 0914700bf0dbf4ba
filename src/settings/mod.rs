//! The settings: one table that is the command line, the configuration file, CONFIG and the help.
//!
//! | file | what it holds |
//! |---|---|
//! | `table` | every setting with an effect: one line each, with its typed accessor |
//! | `compat` | directives of Redis that are kept without effect, and those that are refused |
//! | `setting`, `kind`, `choice`, `lists`, `events`, `memory` | what a row is, and the kinds of values |
//! | `values` | the values of a running server: reading them, CONFIG GET |
//! | `draft` | values being gathered at start, and bad combinations |
//! | `options`, `args` | the command line and the help |
//! | `file`, `words` | the configuration file |
//! | `change` | CONFIG SET |
//! | `rewrite` | CONFIG REWRITE |
//! | `error` | everything that can be wrong |
//!
//! A leaf: it knows none of the server's other parts. Whoever acts on a setting reads it from [`Settings`] when
//! needed; what takes more than reading (a listener, the filter of messages) the server does when
//! [`Settings::set`] reports the change, and takes it back with [`Changed::undo`] when it cannot.
//!
//! What wins: the defaults, then the file, then the command line; the later of two lines or options. Promise:
//! nothing here panics, whatever file, arguments or request come in, and every refusal is one line that names the
//! place, the setting and what would be right.

mod args;
mod change;
mod choice;
mod compat;
mod draft;
mod error;
mod events;
mod file;
mod kind;
mod lists;
mod memory;
mod options;
mod rewrite;
mod setting;
mod table;
mod values;
mod words;

pub use args::{Startup, from_process};
pub use change::{Caller, Changed};
pub use choice::{EvictionPolicy, FsyncPolicy, LogFormat, LogLevel, Permission};
pub use error::{Place, Refusal, RewriteError, SetError, SettingsError};
pub use events::EventClass;
pub use kind::{BadValue, Kind, Value};
pub use lists::{BindAddress, ClientClass, List, OutputLimit, Primary, SavePoint};
pub use setting::{Change, Section, Setting};
pub use table::SETTINGS;
pub use values::Settings;
