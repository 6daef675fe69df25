//! How much a thread has allocated: the allocator of every program that links this crate counts.

#![expect(unsafe_code, reason = "an allocator is unsafe by its trait; this one only counts and hands on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// A measured thread that wants more than this is stopped where it stands instead of taking the machine with it;
/// who waits for it sees that it is overdue.
pub const CEILING: usize = 1 << 30;

thread_local! {
    /// Bytes this thread allocated less those it freed. Below 0 when it frees what others gave it.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static MEASURED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` and tells how many bytes more than before this thread held at most meanwhile.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    MEASURED.set(true);
    let result = work();
    MEASURED.set(false);
    (result, usize::try_from(PEAK.get() - before).unwrap_or(0))
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A thread's last allocations come when its cells are gone; nobody asks for those.
fn count(change: isize) {
    let _ = LIVE.try_with(|live| {
        let now = live.get() + change;
        live.set(now);
        PEAK.set(PEAK.get().max(now));
        if change > 0 && now > CEILING as isize && MEASURED.get() {
            // Parking may allocate, too.
            MEASURED.set(false);
            loop {
                std::thread::park();
            }
        }
    });
}

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise is ours.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise is ours.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise is ours.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller's promise is ours.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_counts_what_is_held_at_once() {
        let ((), one_after_another) = peak_of(|| (0..10).for_each(|_| drop(vec![1u8; 100_000])));
        assert!((100_000..200_000).contains(&one_after_another), "{one_after_another}");
        let (held, together) = peak_of(|| (0..10).map(|_| vec![1u8; 100_000]).collect::<Vec<_>>());
        assert!(together >= 1_000_000 && held.len() == 10, "{together}");
    }
}
