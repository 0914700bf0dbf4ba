//! Power losses: of what was not synced, each sector of each file is old or new, in any mixture.

use std::collections::HashMap;
use std::sync::Mutex;

use quickcheck::{Arbitrary, Gen, QuickCheck};

use super::*;

const SECTOR: usize = 512;

/// Remembers what is on the platter: whole files and ranges are copied there when they are synced.
#[derive(Debug, Default)]
struct Platter {
    files: Mutex<HashMap<PathBuf, Vec<u8>>>,
}

impl Platter {
    fn keep(&self, path: &Path, offset: usize, len: usize) {
        let now = std::fs::read(path).unwrap();
        let mut files = self.files.lock().unwrap();
        let kept = files.entry(finished(path)).or_default();
        kept.resize(now.len(), 0);
        let end = (offset + len).min(now.len());
        kept[offset..end].copy_from_slice(&now[offset..end]);
    }
}

/// The name that a segment will have, also for one that is being made.
fn finished(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|extension| extension == "new") {
        path.with_extension("")
    } else {
        path.to_path_buf()
    }
}

impl Storage for Platter {
    fn boot_id(&self) -> u128 {
        1
    }
    fn allocate(&self, file: &File, path: &Path, bytes: u64) -> io::Result<()> {
        OsStorage.allocate(file, path, bytes)
    }
    fn sync_file(&self, file: &File, path: &Path) -> io::Result<()> {
        self.keep(path, 0, file.metadata()?.len() as usize);
        Ok(())
    }
    fn sync_range(&self, _: &MmapRaw, path: &Path, offset: usize, len: usize) -> io::Result<()> {
        // As the kernel does: whole pages.
        let end = (offset + len).next_multiple_of(4096);
        self.keep(path, offset, end - offset);
        Ok(())
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        OsStorage.remove(path)
    }
}

/// A short life of a log: payload sizes, after which of them everything is synced, and a seed for the loss.
#[derive(Clone, Debug)]
struct Life {
    sizes: Vec<u16>,
    syncs: Vec<bool>,
    seed: u64,
}

impl Arbitrary for Life {
    fn arbitrary(g: &mut Gen) -> Self {
        let sizes: Vec<u16> = (0..usize::arbitrary(g) % 60).map(|_| u16::arbitrary(g) % 1500).collect();
        let syncs = sizes.iter().map(|_| u8::arbitrary(g) % 8 == 0).collect();
        Self { sizes, syncs, seed: u64::arbitrary(g) }
    }
    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let this = self.clone();
        Box::new((0..self.sizes.len()).rev().map(move |len| Self {
            sizes: this.sizes[..len].to_vec(),
            syncs: this.syncs[..len].to_vec(),
            seed: this.seed,
        }))
    }
}

/// A small generator: the loss must be repeatable.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Lives, loses power, and recovers: a prefix that holds at least what was durable.
#[expect(clippy::needless_pass_by_value, reason = "quickcheck hands it over")]
fn survives(life: Life) -> bool {
    let lab = Lab::new();
    let platter = Arc::new(Platter::default());
    let options = LogOptions { storage: Arc::clone(&platter) as Arc<dyn Storage>, ..lab.options() };
    let opened = lab.try_open(&options, None).unwrap();
    let mut seed = life.seed;
    let mut written = Vec::new();
    let mut durable_records = 0;
    // What a snapshot holds: from then on the files of what it holds are used again.
    let mut snapshot = None;
    let mut dropped = 0;
    for (n, size) in life.sizes.iter().enumerate() {
        let bytes = payload(n, usize::from(*size));
        append(&opened.log, &bytes);
        written.push(bytes);
        if n % 6 == 5 {
            drop(opened.log.reserve(30, 1, &crossbeam_epoch::pin()).unwrap());
        }
        if life.syncs[n] {
            let end = opened.log.sync_now().unwrap();
            durable_records = written.len();
            if next(&mut seed) % 2 == 0 {
                opened.log.drop_below(end).unwrap();
                snapshot = Some(SnapshotBounds { start: end, end, history: opened.log.history() });
                dropped = written.len();
            }
        }
    }
    settle(&opened.log);
    let torn: Vec<(PathBuf, Vec<u8>)> = {
        let kept = platter.files.lock().unwrap();
        lab.image()
            .into_iter()
            .map(|(path, now)| (path.clone(), mix(&kept[&path], &now, &mut seed)))
            .collect()
    };
    drop(opened);
    lab.restore(&torn);
    let (first, end) = recover(&lab, snapshot);
    let is_prefix = dropped + first.len() >= durable_records && written[dropped..].starts_with(&first);
    // And again: what recovery made is whole.
    let (second, _) = recover(&lab, snapshot);
    is_prefix && second == first && end > Lsn::ZERO
}

fn recover(lab: &Lab, snapshot: Option<SnapshotBounds>) -> (Vec<Vec<u8>>, Lsn) {
    lab.storage.lose_machine();
    let opened = lab.try_open(&lab.options(), snapshot).unwrap();
    settle(&opened.log);
    (opened.payloads(), opened.log.head())
}

/// Each sector from one of the two, at random; often nearly all from one of them.
fn mix(old: &[u8], new: &[u8], seed: &mut u64) -> Vec<u8> {
    let bias = next(seed) % 101;
    let mut torn = new.to_vec();
    for (index, sector) in torn.chunks_mut(SECTOR).enumerate() {
        if next(seed) % 100 < bias {
            let start = index * SECTOR;
            sector.copy_from_slice(&old[start..start + sector.len()]);
        }
    }
    torn
}

#[test]
fn a_power_loss_leaves_a_prefix_with_all_that_was_durable() {
    QuickCheck::new().tests(60).quickcheck(survives as fn(Life) -> bool);
}
