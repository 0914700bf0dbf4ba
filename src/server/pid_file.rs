//! The file that tells other programs the server's process id.

use std::fs;
use std::io;
use std::path::PathBuf;

/// The file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("can't write the process id to {}: {source}; choose another -pidfile", .path.display())]
pub struct PidFileError {
    path: PathBuf,
    source: io::Error,
}

/// The file, which is removed when this is dropped.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes this process's id.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(path: PathBuf) -> Result<Self, PidFileError> {
        match fs::write(&path, format!("{}\n", std::process::id())) {
            Ok(()) => Ok(Self { path }),
            Err(source) => Err(PidFileError { path, source }),
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Why: nothing can be done about a file that is gone or cannot be removed; the next start overwrites it.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_the_id_and_goes_with_the_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("server.pid");
        let file = PidFile::write(path.clone()).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("there"), format!("{}\n", std::process::id()));
        drop(file);
        assert!(!path.exists());
        let missing = folder.path().join("missing").join("server.pid");
        assert!(PidFile::write(missing).expect_err("no folder").to_string().contains("-pidfile"));
    }
}
