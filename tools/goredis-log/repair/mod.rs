//! `repair`: cuts the log at its first damage, so that the server starts with everything before it.
//!
//! `plan.rs` finds out what to cut and what that costs, and changes nothing; `carry_out.rs` does it. What is cut stays
//! beside the log. Only a log is repaired: no byte of a snapshot can be left out.

mod carry_out;
mod first_refusal;
mod lost;
mod plan;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use goredis::log::{LockFile, Lsn, OpenError};
use serde::Serialize;

use self::lost::Lost;
use self::plan::Plan;
use crate::args::Repair;
use crate::damage::Damage;
use crate::error::InspectError;
use crate::files::Files;
use crate::output::Output;
use crate::verdict::Verdict;

#[derive(Serialize)]
struct Report {
    dbfile: String,
    dry_run: bool,
    /// Absent when there was nothing to repair.
    repair: Option<Done>,
}

#[derive(Serialize)]
struct Done {
    damage: Damage,
    /// The log ends here now.
    cut_lsn: u64,
    lost: Lost,
    kept: Vec<Kept>,
}

/// A file that holds something that was cut.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    file: String,
    bytes: u64,
    /// The whole segment was moved, rather than its end copied.
    whole_segment: bool,
}

/// Carries the command out.
pub(crate) fn run(arguments: &Repair, out: &mut Output<'_>) -> Result<Verdict, InspectError> {
    let dbfile = arguments.database.dbfile.as_path();
    // Order: 1 look whether there is a database at all, 2 lock it, or else a mistyped name leaves a lock file.
    Files::open(dbfile)?;
    let lock = lock(dbfile, arguments.dry_run)?;
    let plan = plan::make(dbfile)?;
    let repair = match plan {
        None => None,
        Some(plan) => Some(done(plan, arguments.dry_run)?),
    };
    drop(lock);
    let report = Report { dbfile: dbfile.display().to_string(), dry_run: arguments.dry_run, repair };
    out.report(&report, |out| report.write(out))?;
    Ok(Verdict::of(!arguments.dry_run || report.repair.is_none()))
}

/// Keeps servers away. A dry run writes nothing, the lock file included, and so only looks.
fn lock(dbfile: &Path, dry_run: bool) -> Result<Option<LockFile>, OpenError> {
    if dry_run { Ok(None) } else { LockFile::take(dbfile).map(Some) }
}

fn done(plan: Plan, dry_run: bool) -> Result<Done, InspectError> {
    let kept = if dry_run { plan.kept()? } else { carry_out::carry_out(&plan)? };
    Ok(Done { damage: plan.damage, cut_lsn: plan.cut.get(), lost: plan.lost, kept })
}

impl Report {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(done) = &self.repair else {
            return writeln!(out, "nothing to repair: the server starts from {}", self.dbfile);
        };
        let (end, kept) =
            if self.dry_run { ("would be cut", "would be kept") } else { ("was cut", "is kept") };
        writeln!(out, "damaged: {}", done.damage)?;
        writeln!(out, "the log {end} at LSN {}", done.cut_lsn)?;
        writeln!(out, "{}: {}", if self.dry_run { "would be lost" } else { "lost" }, done.lost)?;
        for file in &done.kept {
            let what = if file.whole_segment { "segment" } else { "end of a segment" };
            writeln!(out, "{kept}: {} ({what}, {} bytes)", file.file, file.bytes)?;
        }
        Ok(())
    }
}

/// The name under which what is cut from `segment` at `lsn` is kept.
fn kept_name(segment: &Path, lsn: Lsn) -> PathBuf {
    let mut name = segment.as_os_str().to_owned();
    name.push(format!(".cut.{lsn}"));
    PathBuf::from(name)
}
