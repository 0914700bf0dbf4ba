//! What happens when a mapped page of a segment cannot be reached.
//!
//! Touching a page behind the end of a cut file, or one that its device cannot read, raises SIGBUS. Inside a
//! registered region the handler puts an anonymous page in its place, so that the thread goes on, and sets the
//! region's word, so that nobody believes what it wrote: the log is poisoned. Anywhere else the signal is
//! what it was before: handed to the handler that was installed earlier, or deadly.
//!
//! | who | may |
//! |---|---|
//! | `watch` | claim a free slot by CAS, then publish its fields, `start` last |
//! | dropping a [`Watch`] | clear `start`, then free the slot; the region is still mapped and not in use |
//! | the handler | read slots; store into the word of a region that holds the faulting address |
//!
//! The handler calls nothing but `mmap` and `sigaction`, and takes no lock.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Once};

const SLOTS: usize = 32;

/// A piece of the list of regions. Blocks are added and never freed: the handler may walk them at any time.
struct Block {
    slots: [Slot; SLOTS],
    next: AtomicPtr<Block>,
}

struct Slot {
    taken: AtomicBool,
    /// First address; 0 while the slot holds no region.
    start: AtomicUsize,
    end: AtomicUsize,
    word: AtomicPtr<AtomicU32>,
    code: AtomicU32,
}

impl Slot {
    const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            word: AtomicPtr::new(ptr::null_mut()),
            code: AtomicU32::new(0),
        }
    }
}

impl Block {
    const fn new() -> Self {
        Self { slots: [const { Slot::new() }; SLOTS], next: AtomicPtr::new(ptr::null_mut()) }
    }
}

static FIRST: Block = Block::new();
static PAGE: AtomicUsize = AtomicUsize::new(4096);
static PREVIOUS: Previous =
    Previous { action: UnsafeCell::new(MaybeUninit::uninit()), known: AtomicBool::new(false) };

struct Previous {
    action: UnsafeCell<MaybeUninit<libc::sigaction>>,
    known: AtomicBool,
}

// SAFETY: `action` is written once, inside `Once` in `install` and before the Release store of `known`; it is read
// only after an Acquire load of `known` saw true.
unsafe impl Sync for Previous {}

/// A region under watch; dropping it ends the watch. Drop it before the region is unmapped.
#[derive(Debug)]
pub(super) struct Watch {
    slot: &'static Slot,
    /// Keeps the word alive as long as the handler can reach it.
    _word: Arc<AtomicU32>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("start", &self.start).finish_non_exhaustive()
    }
}

/// Watches `len` bytes from `start` on: a page there that cannot be reached is replaced, and `code` is stored
/// into `word`.
pub(super) fn watch(start: *const u8, len: usize, word: &Arc<AtomicU32>, code: u32) -> Watch {
    install();
    let slot = claim();
    slot.end.store(start as usize + len, Ordering::Relaxed);
    slot.word.store(Arc::as_ptr(word).cast_mut(), Ordering::Relaxed);
    slot.code.store(code, Ordering::Relaxed);
    // Release: pairs with the Acquire in `find`; whoever sees the start sees the other fields.
    slot.start.store(start as usize, Ordering::Release);
    Watch { slot, _word: Arc::clone(word) }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `find`. No thread touches the region any more, so no handler uses it.
        self.slot.start.store(0, Ordering::Release);
        // Release: pairs with the Acquire of the claim; the next owner's stores come after.
        self.slot.taken.store(false, Ordering::Release);
    }
}

fn claim() -> &'static Slot {
    let mut block = &FIRST;
    loop {
        for slot in &block.slots {
            // Acquire: pairs with the Release in `Watch::drop`.
            if slot.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return slot;
            }
        }
        block = next_or_new(block);
    }
}

fn next_or_new(block: &'static Block) -> &'static Block {
    // Acquire: pairs with the Release of the exchange below.
    let next = block.next.load(Ordering::Acquire);
    if !next.is_null() {
        // SAFETY: a non-null `next` is a leaked block, made below; it is never freed.
        return unsafe { &*next };
    }
    let fresh = Box::into_raw(Box::new(Block::new()));
    match block.next.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: `fresh` was leaked above and is shared from here on.
        Ok(_) => unsafe { &*fresh },
        Err(other) => {
            // SAFETY: the exchange failed, so nobody else knows `fresh`; `other` is a leaked block.
            unsafe {
                drop(Box::from_raw(fresh));
                &*other
            }
        }
    }
}

/// Installs the handler, once per process.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: sysconf has no preconditions; `sigaction` structs are valid when zeroed; the pointers passed live
        // through the calls. The handler only does what is allowed in one.
        unsafe {
            PAGE.store(usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096), Ordering::Relaxed);
            let mut previous: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGBUS, ptr::null(), &raw mut previous);
            (*PREVIOUS.action.get()).write(previous);
            // Release: pairs with the Acquire in `chain`.
            PREVIOUS.known.store(true, Ordering::Release);
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handle as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
            libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut());
        }
    });
}

extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid `info` to a handler installed with SA_SIGINFO; errno is this thread's own
    // and is put back, as the interrupted code may be about to read it.
    unsafe {
        let errno = *libc::__errno_location();
        let address = (*info).si_addr() as usize;
        if !find(address).is_some_and(|region| replace_page(&region, address)) {
            chain(signal, info, context);
        }
        *libc::__errno_location() = errno;
    }
}

/// What the handler needs to know of a region.
struct Region {
    word: *const AtomicU32,
    code: u32,
}

/// The watched region that holds `address`.
fn find(address: usize) -> Option<Region> {
    let mut block = Some(&FIRST);
    while let Some(at) = block {
        if let Some(region) = at.slots.iter().find_map(|slot| read(slot, address)) {
            return Some(region);
        }
        // SAFETY: null, or a leaked block that is never freed.
        block = unsafe { at.next.load(Ordering::Acquire).as_ref() };
    }
    None
}

/// The slot's region, when it holds `address`.
fn read(slot: &Slot, address: usize) -> Option<Region> {
    // Acquire: pairs with the Release in `watch`.
    let start = slot.start.load(Ordering::Acquire);
    let end = slot.end.load(Ordering::Acquire);
    let word = slot.word.load(Ordering::Acquire).cast_const();
    let code = slot.code.load(Ordering::Acquire);
    // Why: another thread may end this slot's watch and start one for another region between the loads; the fields
    // belong together when the start is still the same. The Acquires above keep this load last.
    let same = slot.start.load(Ordering::Relaxed) == start;
    (same && start != 0 && (start..end).contains(&address)).then_some(Region { word, code })
}

/// Puts an anonymous page over the one that holds `address`.
fn replace_page(region: &Region, address: usize) -> bool {
    let page = PAGE.load(Ordering::Relaxed);
    // SAFETY: the word is alive as long as the `Watch`, which outlives every access to the region, and this
    // thread is inside such an access.
    unsafe { (*region.word).store(region.code, Ordering::Relaxed) };
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let start = (address & !(page - 1)) as *mut libc::c_void;
    // SAFETY: the page lies in a region that is mapped for this log alone and holds no Rust value but words and
    // payload bytes, for which any bit pattern is valid; unmapping the region later unmaps this page too.
    let mapped = unsafe { libc::mmap(start, page, protection, flags, -1, 0) };
    mapped != libc::MAP_FAILED
}

/// Does what would have happened without this module.
///
/// # Safety
/// `info` and `context` are those that the kernel passed to the running handler.
unsafe fn chain(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // Acquire: pairs with the Release in `install`.
    if !PREVIOUS.known.load(Ordering::Acquire) {
        return;
    }
    // SAFETY: initialized before `known` was set, and never written again.
    let previous = unsafe { (*PREVIOUS.action.get()).assume_init_ref() };
    match previous.sa_sigaction {
        // A fault cannot be ignored: the instruction is run again, and kills.
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: a zeroed `sigaction` is the default action, and lives through the call.
            unsafe {
                let mut default: libc::sigaction = std::mem::zeroed();
                default.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(signal, &raw const default, ptr::null_mut());
            }
        }
        handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: with SA_SIGINFO the field holds a function of this type; its arguments are passed on.
            unsafe {
                let call: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                    std::mem::transmute(handler);
                call(signal, info, context);
            }
        }
        handler => {
            // SAFETY: without SA_SIGINFO the field holds a function of this type.
            unsafe {
                let call: extern "C" fn(libc::c_int) = std::mem::transmute(handler);
                call(signal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memmap2::{MmapOptions, MmapRaw};

    fn cut_mapping() -> MmapRaw {
        let file = tempfile::tempfile().unwrap();
        file.set_len(16384).unwrap();
        let mapping = MmapOptions::new().len(16384).map_raw(&file).unwrap();
        file.set_len(4096).unwrap();
        mapping
    }

    #[test]
    fn a_lost_page_is_replaced_and_told() {
        let mapping = cut_mapping();
        let word = Arc::new(AtomicU32::new(0));
        let watch = watch(mapping.as_ptr(), mapping.len(), &word, 5);
        // SAFETY: both addresses lie in the mapping, which nobody else uses.
        unsafe {
            mapping.as_mut_ptr().write_volatile(1);
            assert_eq!(word.load(Ordering::Relaxed), 0);
            mapping.as_mut_ptr().add(9000).write_volatile(7);
            assert_eq!(mapping.as_ptr().add(9000).read_volatile(), 7);
        }
        assert_eq!(word.load(Ordering::Relaxed), 5);
        drop(watch);
    }

    #[test]
    fn more_regions_than_one_block_holds_are_all_watched() {
        let mappings: Vec<MmapRaw> = (0..SLOTS + 3).map(|_| cut_mapping()).collect();
        let word = Arc::new(AtomicU32::new(0));
        let watches: Vec<Watch> =
            mappings.iter().map(|mapping| watch(mapping.as_ptr(), mapping.len(), &word, 1)).collect();
        for mapping in &mappings {
            word.store(0, Ordering::Relaxed);
            // SAFETY: the address lies in the mapping, which nobody else uses.
            unsafe { mapping.as_mut_ptr().add(12288).write_volatile(1) };
            assert_eq!(word.load(Ordering::Relaxed), 1);
        }
        drop(watches);
    }
}
