//! CONFIG: reading, changing and keeping the settings, and zeroing the statistics.

use super::help;
use crate::command::call::{Call, CommandError, Later};
use crate::command::context::Context;
use crate::engine::{CompactionOptions, Engine, SavePoint};
use crate::log::FsyncPolicy;
use crate::resp::{Args, ReplyBuf};
use crate::settings::{self, Caller, Changed, EvictionPolicy, SetError, Setting};
use crate::store::value::limits::{Limits, ListLimit, PackedLimit};

impl From<SetError> for CommandError {
    fn from(error: SetError) -> Self {
        Self::Text(error.to_string().into())
    }
}

/// `CONFIG GET pattern [pattern ...]`
pub fn config_get(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let patterns: Vec<&[u8]> = call.args.from(2).iter().collect();
    let found = call.context.settings.get(&patterns);
    call.reply.map(found.len());
    for (name, value) in found {
        call.reply.bulk(&name);
        call.reply.bulk(&value);
    }
    Ok(())
}

/// `CONFIG SET name value [name value ...]`
pub fn config_set(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if call.args.len() % 2 != 0 {
        return Err(CommandError::Syntax);
    }
    let local = call.session.client.endpoint().is_local();
    let caller = if local { Caller::Local } else { Caller::Remote };
    let changed = call.context.settings.set(&pairs(call.args), caller)?;
    act_on(call.context, changed)?;
    call.reply.ok();
    Ok(())
}

fn pairs(args: Args<'_>) -> Vec<(&[u8], &[u8])> {
    let named = args.from(2);
    named.iter().step_by(2).zip(named.from(1).iter().step_by(2)).collect()
}

/// Lets the server and the engine act on what has changed; if one cannot, everything is taken back.
fn act_on(context: &Context, changed: Changed) -> Result<(), SetError> {
    let mut done: Vec<&'static Setting> = Vec::new();
    let settings: Vec<&'static Setting> = changed.settings().collect();
    for setting in settings {
        if let Err(reason) = context.reconfigure(setting) {
            let error = changed.undo(&context.settings, setting.name, reason);
            for setting in done {
                // Why: going back to what was in force a moment ago is the best that can be done if it fails.
                let _ = context.reconfigure(setting);
            }
            return Err(error);
        }
        done.push(setting);
    }
    for setting in done {
        tell_engine(context, setting);
    }
    Ok(())
}

/// Hands the engine what it keeps of a changed setting.
fn tell_engine(context: &Context, setting: &Setting) {
    let (engine, settings) = (&context.engine(), &context.settings);
    match setting.name {
        "fsync" => engine.set_fsync(match settings.fsync() {
            settings::FsyncPolicy::Always => FsyncPolicy::Always,
            settings::FsyncPolicy::Everysec => FsyncPolicy::EverySecond,
            settings::FsyncPolicy::No => FsyncPolicy::No,
        }),
        "auto-compaction-percentage" | "auto-compaction-min-size" => {
            engine.set_compaction(CompactionOptions {
                percentage: settings.auto_compaction_percentage(),
                bytes_min: settings.auto_compaction_min_size(),
            });
        }
        "save" => engine.set_save_points(save_points(settings)),
        name if PACKED_LIMITS.contains(&name) => engine.set_limits(packed_limits(settings)),
        "maxmemory-policy" | "lfu-log-factor" | "lfu-decay-time" => tune_usage(engine, settings),
        _ => {}
    }
}

/// The settings of which [`packed_limits`] are made.
const PACKED_LIMITS: &[&str] = &[
    "hash-max-listpack-entries",
    "hash-max-listpack-value",
    "list-max-listpack-size",
    "set-max-intset-entries",
    "set-max-listpack-entries",
    "set-max-listpack-value",
    "zset-max-listpack-entries",
    "zset-max-listpack-value",
];

/// Up to which size collections are packed, as the settings say.
pub fn packed_limits(settings: &settings::Settings) -> Limits {
    let packed = |entries: u64, value_bytes: u64| PackedLimit {
        entries: entries as usize,
        value_bytes: value_bytes as usize,
    };
    Limits {
        hash: packed(settings.hash_max_listpack_entries(), settings.hash_max_listpack_value()),
        set: packed(settings.set_max_listpack_entries(), settings.set_max_listpack_value()),
        ints: settings.set_max_intset_entries() as usize,
        sorted_set: packed(settings.zset_max_listpack_entries(), settings.zset_max_listpack_value()),
        list: ListLimit::of_setting(settings.list_max_listpack_size()),
    }
}

/// Has the engine count idle time or frequency of use, as the settings say.
pub fn tune_usage(engine: &Engine, settings: &settings::Settings) {
    let policy = settings.maxmemory_policy();
    let frequency = matches!(policy, EvictionPolicy::AllkeysLfu | EvictionPolicy::VolatileLfu);
    engine.count_frequency(frequency, settings.lfu_log_factor(), settings.lfu_decay_time());
}

/// The engine's view of the `save` setting.
pub fn save_points(settings: &settings::Settings) -> Vec<SavePoint> {
    let points = settings.save().into_iter();
    points.map(|point| SavePoint { seconds: point.seconds, changes: point.changes }).collect()
}

/// CONFIG REWRITE
pub fn config_rewrite(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.later = Some(Later::Blocking(Box::new(rewrite)));
    Ok(())
}

fn rewrite(context: &Context, reply: &mut ReplyBuf) {
    match context.settings.rewrite() {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(&error.to_string()),
    }
}

/// CONFIG RESETSTAT
pub fn config_resetstat(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.context.reset_statistics();
    call.reply.ok();
    Ok(())
}

/// CONFIG HELP
pub fn config_help(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    help("config", call.reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::Reconfigure;
    use crate::command::context::fixture::Fixture;
    use crate::settings::Settings;
    use std::sync::{Arc, Mutex};

    #[test]
    fn what_is_set_is_shown() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(config_set, "CONFIG SET maxclients 50 timeout 7"), "+OK\r\n");
        let shown = "*4\r\n$10\r\nmaxclients\r\n$2\r\n50\r\n$7\r\ntimeout\r\n$1\r\n7\r\n";
        assert_eq!(fixture.run(config_get, "CONFIG GET maxclients timeout"), shown);
    }

    #[test]
    fn refusals_have_redis_texts() {
        let mut fixture = Fixture::new();
        for (line, expected) in [
            ("CONFIG SET a b c", "ERR syntax error"),
            ("CONFIG SET foo bar", "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"),
            (
                "CONFIG SET maxclients 0",
                "ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument must be between 1 \
                 and 4294967295 inclusive",
            ),
        ] {
            assert_eq!(fixture.error(config_set, line), expected);
        }
    }

    /// Notes what it is told, and cannot listen on a port.
    #[derive(Debug)]
    struct Recorder(Arc<Mutex<Vec<String>>>);

    impl Reconfigure for Recorder {
        fn apply(&self, settings: &Settings, setting: &'static Setting) -> Result<(), String> {
            let note = format!("{} with timeout {}", setting.name, settings.timeout());
            self.0.lock().expect("no test thread panicked").push(note);
            if setting.name == "port" { Err("Unable to listen on this port.".to_owned()) } else { Ok(()) }
        }
    }

    #[test]
    fn a_change_that_cannot_be_acted_on_takes_all_others_back() {
        let mut fixture = Fixture::with(&[("timeout", "3")]);
        let notes = Arc::new(Mutex::default());
        fixture.context.set_reconfigure(Box::new(Recorder(Arc::clone(&notes))));
        let error = fixture.error(config_set, "CONFIG SET timeout 7 port 1");
        assert_eq!(
            error,
            "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port."
        );
        assert_eq!(fixture.context.settings.timeout(), 3);
        let notes = notes.lock().expect("no test thread panicked");
        assert_eq!(*notes, ["timeout with timeout 7", "port with timeout 7", "timeout with timeout 3"]);
    }

    #[test]
    fn a_rewrite_needs_a_file_and_is_made_elsewhere() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(config_rewrite, "CONFIG REWRITE"), "");
        assert_eq!(fixture.finish_later(), "-ERR The server is running without a config file\r\n");
    }
}
