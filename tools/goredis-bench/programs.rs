//! The two programs: where they are, and which versions.

use std::env;
use std::io::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::BenchError;
use crate::options::Options;
use crate::servers::Program;

const REDIS_HELP: &str = "install it (package redis-server), or name it with --redis";
const GOREDIS_HELP: &str = "build it (cargo build --release --bin goredis), or name it with --server";

/// Both programs.
#[derive(Debug)]
pub(crate) struct Programs {
    redis: PathBuf,
    goredis: PathBuf,
    /// Redis's version.
    pub(crate) redis_version: String,
    /// This server's.
    pub(crate) goredis_version: String,
}

impl Programs {
    /// Finds them, and asks them for their versions.
    pub(crate) fn find(options: &Options) -> Result<Self, BenchError> {
        let redis_version = version(&options.redis, REDIS_HELP)?;
        let goredis = match &options.server {
            Some(path) => absolute(path)?,
            None => own_neighbour()?,
        };
        let goredis_version = version(&goredis, GOREDIS_HELP)?;
        // Why: the servers run in folders of their own, where a relative path leads elsewhere. A bare name is looked
        // up in PATH.
        let is_bare = options.redis.components().count() == 1;
        let redis = if is_bare { options.redis.clone() } else { absolute(&options.redis)? };
        Ok(Self { redis, goredis, redis_version, goredis_version })
    }

    /// Where a program is.
    pub(crate) fn path(&self, program: Program) -> &Path {
        match program {
            Program::Redis => &self.redis,
            Program::GoRedis => &self.goredis,
        }
    }
}

fn absolute(path: &Path) -> Result<PathBuf, BenchError> {
    std::path::absolute(path).map_err(BenchError::file("find", path))
}

/// The server beside this program. Under `cargo run --release` it is built first: cargo builds only what it is told to
/// run, and an old server beside a new tool would be measured as if it were the new one.
fn own_neighbour() -> Result<PathBuf, BenchError> {
    let this = env::current_exe().map_err(BenchError::file("find", "this program"))?;
    let folder = this.parent().unwrap_or(Path::new("/"));
    if let (Some(cargo), Some(project), false) =
        (env::var_os("CARGO"), env::var_os("CARGO_MANIFEST_DIR"), cfg!(debug_assertions))
    {
        let mut build = Command::new(&cargo);
        build.args(["build", "--release", "--bin", "goredis", "--manifest-path"]);
        build.arg(Path::new(&project).join("Cargo.toml"));
        build.arg("--target-dir").arg(folder.parent().unwrap_or(folder));
        let status = build.status().map_err(BenchError::file("run", cargo))?;
        if !status.success() {
            return Err(BenchError::NotBuilt);
        }
    }
    Ok(folder.join("goredis"))
}

fn version(program: &Path, help: &'static str) -> Result<String, BenchError> {
    let fail = |source: Error| BenchError::NoProgram { program: program.to_owned(), help, source };
    let output = Command::new(program).arg("--version").output().map_err(fail)?;
    if !output.status.success() {
        return Err(fail(Error::other(output.status.to_string())));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    version_in(&text).ok_or_else(|| BenchError::NoVersion { program: program.to_owned() })
}

/// The first word that is a version: `goredis 0.1.0`, `Redis server v=7.0.15 sha=...`.
fn version_in(text: &str) -> Option<String> {
    let mut words = text.split_whitespace().map(|word| word.strip_prefix("v=").unwrap_or(word));
    words
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_tell_a_version_are_understood() {
        assert_eq!(version_in("goredis 0.1.0\n").as_deref(), Some("0.1.0"));
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d";
        assert_eq!(version_in(redis).as_deref(), Some("7.0.15"));
        assert_eq!(version_in("usage: something"), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_named_with_what_to_do() {
        let error =
            version(Path::new("/nowhere/redis-server"), REDIS_HELP).expect_err("nothing there").to_string();
        assert!(error.contains("/nowhere/redis-server") && error.contains("package redis-server"), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}
