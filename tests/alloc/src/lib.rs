//! An allocator that counts, for tests that say how much memory something takes.
//!
//! A test installs it for its program and measures what its own thread does:
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: oss_alloc::Counting = oss_alloc::Counting;
//!
//! let (text, usage) = oss_alloc::measure(|| "ab".repeat(8));
//! assert_eq!((usage.allocations, usage.peak_bytes), (1, 16));
//! drop(text);
//! ```

mod searching;

pub use searching::{Searching, left_behind};

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;

/// The allocator of the system, counting for each thread what it asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

/// What a piece of work asked of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// How often it asked for memory: allocations, and reallocations as one each.
    pub allocations: usize,
    /// The most bytes that were in its hands at a time, beyond those before. A reallocation that moves is not
    /// counted twice.
    pub peak_bytes: usize,
    /// How many bytes of it are in its result: what it holds when it is done, beyond what was there before.
    pub held_bytes: usize,
}

/// Does the work, and says what this thread asked of [`Counting`] meanwhile; nothing when another allocator
/// is installed. Measuring inside of the work starts over.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Usage) {
    ALLOCATIONS.set(0);
    LIVE.set(0);
    PEAK.set(0);
    let result = work();
    let bytes = |count: isize| usize::try_from(count).unwrap_or(0);
    let (peak_bytes, held_bytes) = (bytes(PEAK.get()), bytes(LIVE.get()));
    (result, Usage { allocations: ALLOCATIONS.get(), peak_bytes, held_bytes })
}

// SAFETY: every call is passed on to the allocator of the system as it came; the counters are of this
// thread, have no destructor and need no memory of their own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, 0, layout.size());
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, 0, layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size(), 0);
        // SAFETY: `pointer` came from `System`, for every allocation here does.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(1, layout.size(), new_size);
        // SAFETY: `pointer` came from `System`, for every allocation here does.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

fn count(allocations: usize, freed: usize, taken: usize) {
    // Below zero when more is freed than was taken since the measuring began.
    let live = LIVE.get().saturating_add_unsigned(taken).saturating_sub_unsigned(freed);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
    ALLOCATIONS.set(ALLOCATIONS.get() + allocations);
}

std::thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}
