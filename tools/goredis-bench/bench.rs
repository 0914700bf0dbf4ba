//! What all rows do: start servers, fill them, put load on them in turns, and note the figures.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::BenchError;
use crate::interrupt;
use crate::load::{Command, DataSet, Load, Outcome, Pace};
use crate::options::Options;
use crate::programs::Programs;
use crate::results::{Quantity, Results, Workload};
use crate::rows::Row;
use crate::servers::{Contender, Server};

/// Connections of every load.
pub(crate) const CLIENTS: usize = 50;

/// Length of a value, where a row does not say otherwise.
pub(crate) const VALUE_BYTES: usize = 64;

/// Pipeline with which data sets are written.
const FILLING_PIPELINE: usize = 64;

/// Room that a key takes on disk at the most, with two servers' files: log, snapshot and their successors.
const DISK_BYTES_PER_KEY: u64 = 640;

/// Room that a row takes on disk whatever its keys are: segments that are made ahead, and writes under load.
const DISK_BYTES_BESIDE: u64 = 256 << 20;

/// Everything that a row needs.
#[derive(Debug)]
pub(crate) struct Bench {
    /// The sizes of everything.
    pub(crate) options: Options,
    /// What was measured so far.
    pub(crate) results: Results,
    programs: Programs,
    /// Where the servers keep their files.
    folder: PathBuf,
}

/// A load with what the server spent on it.
#[derive(Debug)]
pub(crate) struct Measured {
    /// What the generator saw.
    pub(crate) outcome: Outcome,
    /// The server's processor time.
    pub(crate) server_cpu: Duration,
}

impl Measured {
    /// Puts a load on a server, and takes the server's processor time before and after.
    pub(crate) fn of(server: &Server, load: &Load) -> Result<Self, BenchError> {
        let before = server.cpu_time()?;
        let outcome = load.run(server)?;
        let server_cpu = server.cpu_time()?.saturating_sub(before);
        Ok(Self { outcome, server_cpu })
    }

    /// The server's processor time per operation, in microseconds.
    pub(crate) fn cpu_per_operation(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.outcome.operations.max(1) as f64
    }
}

impl Bench {
    /// Nothing measured yet; the servers' files go under the report's folder.
    pub(crate) fn new(options: Options, programs: Programs) -> Self {
        let folder = options.out.clone();
        Self { options, results: Results::default(), programs, folder }
    }

    /// The programs that are compared.
    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Starts a server.
    pub(crate) fn start(&self, contender: &Contender) -> Result<Server, BenchError> {
        Server::start(&self.programs, contender, &self.folder)
    }

    /// Starts several.
    pub(crate) fn start_all(&self, contenders: &[Contender]) -> Result<Vec<Server>, BenchError> {
        contenders.iter().map(|contender| self.start(contender)).collect()
    }

    /// Redis without a log against this server with one.
    pub(crate) fn usual_contenders(&self) -> [Contender; 2] {
        [Contender::redis(), Contender::goredis(self.options.server_threads)]
    }

    /// Refuses to go on, if `keys` keys will not fit on the disk.
    pub(crate) fn check_disk(&self, keys: u64) -> Result<(), BenchError> {
        let needed = keys * DISK_BYTES_PER_KEY + DISK_BYTES_BESIDE;
        let disk = rustix::fs::statvfs(&self.folder)
            .map_err(|error| BenchError::file("look at the disk of", &self.folder)(error.into()))?;
        let free = disk.f_bavail * disk.f_frsize;
        if free >= needed {
            return Ok(());
        }
        let folder = self.folder.clone();
        Err(BenchError::NoRoom { folder, needed_mb: needed / 1_000_000, free_mb: free / 1_000_000 })
    }

    /// A load of the usual clients and threads, for random keys and for the usual time.
    pub(crate) fn load(&self, command: Command, data: DataSet, pipeline: usize) -> Load {
        Load {
            command,
            data,
            pipeline,
            clients: CLIENTS,
            threads: self.options.load_threads(),
            pace: Pace::Flat(self.options.time()),
        }
    }

    /// Writes each key of `data` once.
    pub(crate) fn fill(&self, server: &Server, command: Command, data: DataSet) -> Result<(), BenchError> {
        let load = self.load(command, data, FILLING_PIPELINE);
        Load { pace: Pace::EachKeyOnce, ..load }.run(server).map(drop)
    }

    /// Waits until the servers have finished what goes on behind their replies.
    pub(crate) fn settle(&self) -> Result<(), BenchError> {
        interrupt::sleep(self.options.settling_time())
    }

    /// Puts a load on the servers in turns, round by round, and notes all that can be said of it.
    pub(crate) fn compare(
        &mut self,
        workload: &Workload,
        servers: &[Server],
        load: &Load,
    ) -> Result<(), BenchError> {
        say(workload);
        for _ in 0..self.options.rounds() {
            for server in servers {
                let measured = Measured::of(server, load)?;
                self.note(workload, server, &measured)?;
            }
        }
        Ok(())
    }

    /// Notes a round's figures.
    pub(crate) fn note(
        &mut self,
        workload: &Workload,
        server: &Server,
        measured: &Measured,
    ) -> Result<(), BenchError> {
        let Measured { outcome, server_cpu } = measured;
        let entry = self.results.entry(workload, server.contender());
        let millis = |quantile| outcome.latencies.value_at_quantile(quantile) as f64 / 1e6;
        entry.add(Quantity::CpuPerOperation, measured.cpu_per_operation());
        entry.add(Quantity::Throughput, outcome.throughput());
        entry.add(Quantity::P50, millis(0.5));
        entry.add(Quantity::P99, millis(0.99));
        entry.add(Quantity::P999, millis(0.999));
        entry.add(Quantity::ServerBusy, server_cpu.as_secs_f64() / outcome.elapsed.as_secs_f64());
        entry.add(Quantity::GeneratorBusy, outcome.busy());
        let added = entry.latencies.add(&outcome.latencies);
        added.map_err(|error| BenchError::Generator(std::io::Error::other(error)))
    }

    /// Notes a single figure of a round.
    pub(crate) fn note_figure(&mut self, workload: &Workload, server: &Server, figure: f64) {
        self.results.entry(workload, server.contender()).add(workload.decides, figure);
    }
}

/// Tells whoever waits what is being measured.
pub(crate) fn say(workload: &Workload) {
    eprintln!("{}: {}", workload.row, workload.name);
}

/// Tells whoever waits that a row's data is being written.
pub(crate) fn say_filling(row: Row) {
    eprintln!("{row}: writing the data");
}
