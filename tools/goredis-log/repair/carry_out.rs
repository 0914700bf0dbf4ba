//! Cuts the log as planned. The caller holds the database's lock.
//!
//! | step | a crash behind it leaves |
//! |---|---|
//! | 1 copy the end of the segment that is cut short | the same log, and a copy |
//! | 2 rename the segments behind the cut, newest first | a log that is refused as before |
//! | 3 write a lower durable mark, disowned | a log that the server takes, ending at the cut or at the damage |
//! | 4 shorten the file | the repaired log |
//!
//! After step 3 nobody takes the files for those of a killed process, so that the next start begins a new history:
//! replicas that saw what was cut will notice.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use goredis::log::{DiskSegment, Identity, Mark};

use super::plan::Plan;
use super::{Kept, kept_name};
use crate::error::InspectError;

/// Carries the plan out; says where what was cut is kept.
///
/// # Errors
/// A file could not be read or changed; what was done so far is as in the table.
pub(super) fn carry_out(plan: &Plan) -> Result<Vec<Kept>, InspectError> {
    let mut kept = Vec::new();
    if let Some(segment) = plan.last_kept.as_ref().filter(|_| plan.tail_bytes > 0) {
        kept.push(copy_tail(segment, plan)?);
    }
    for (first, path) in plan.removed.iter().rev() {
        let bytes = path.metadata().map_err(|source| changed("look at", path, source))?.len();
        let name = unused(kept_name(path, *first));
        fs::rename(path, &name).map_err(|source| changed("rename", path, source))?;
        sync_folder(path)?;
        kept.push(Kept { file: name.display().to_string(), bytes, whole_segment: true });
    }
    if let Some(segment) = &plan.last_kept {
        shorten(segment, plan)?;
    }
    Ok(kept)
}

fn copy_tail(segment: &DiskSegment, plan: &Plan) -> Result<Kept, InspectError> {
    let name = unused(kept_name(segment.path(), plan.cut));
    copy_range(segment.path(), segment.offset(plan.cut), plan.tail_bytes, &name)
        .map_err(|source| changed("write", &name, source))?;
    sync_folder(&name)?;
    Ok(Kept { file: name.display().to_string(), bytes: plan.tail_bytes, whole_segment: false })
}

fn copy_range(from: &Path, offset: u64, bytes: u64, to: &Path) -> io::Result<()> {
    let from = File::open(from)?;
    let mut to = OpenOptions::new().write(true).create_new(true).open(to)?;
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    while done < bytes {
        let piece = buffer.len().min((bytes - done) as usize);
        from.read_exact_at(&mut buffer[..piece], offset + done)?;
        to.write_all(&buffer[..piece])?;
        done += piece as u64;
    }
    to.sync_all()
}

/// Makes the segment end at the cut, with a mark that promises nothing beyond.
fn shorten(segment: &DiskSegment, plan: &Plan) -> Result<(), InspectError> {
    let path = segment.path();
    let file = OpenOptions::new().write(true).open(path).map_err(|source| changed("open", path, source))?;
    let old = segment.mark();
    // Both sectors, one after the other, so that neither tells of the old mark and one is whole at any time.
    for sequence in [old.sequence + 1, old.sequence + 2] {
        let durable = old.durable.min(plan.cut);
        let mark = Mark { sequence, durable, clean: false, identity: Identity::DISOWNED, ..*old };
        let sector = mark.encode(segment.header().history, segment.first());
        file.write_all_at(&sector, mark.offset())
            .and_then(|()| file.sync_all())
            .map_err(|source| changed("write", path, source))?;
    }
    let bytes = segment.offset(plan.cut);
    if bytes < segment.file_bytes() {
        file.set_len(bytes).and_then(|()| file.sync_all()).map_err(|source| changed("cut", path, source))?;
    }
    Ok(())
}

/// `name`, or the first of `name.1`, `name.2` and so on that is not there: what an earlier repair kept stays.
fn unused(mut name: PathBuf) -> PathBuf {
    let plain = name.clone();
    let mut number = 0_u64;
    while name.exists() {
        number += 1;
        let mut numbered = plain.as_os_str().to_owned();
        numbered.push(format!(".{number}"));
        name = PathBuf::from(numbered);
    }
    name
}

fn sync_folder(of: &Path) -> Result<(), InspectError> {
    let folder = match of.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| changed("sync the directory", folder, source))
}

fn changed(action: &'static str, path: &Path, source: io::Error) -> InspectError {
    InspectError::Change { action, path: path.to_owned(), source }
}
