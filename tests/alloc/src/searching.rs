//! An allocator that looks for secrets in memory that is given back.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;

/// The allocator of the system, which looks for a mark in every block that is given back: a secret that was
/// not wiped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Searching;

/// Does the work, and says how many blocks this thread gave back meanwhile with the mark in them; none when
/// another allocator is installed.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: oss_alloc::Searching = oss_alloc::Searching;
///
/// let (_, found) = oss_alloc::left_behind(b"mark", || drop(String::from("a mark")));
/// assert_eq!(found, 1);
/// ```
pub fn left_behind<T>(mark: &'static [u8], work: impl FnOnce() -> T) -> (T, usize) {
    FOUND.set(0);
    MARK.set(mark);
    let result = work();
    MARK.set(&[]);
    (result, FOUND.get())
}

// SAFETY: memory comes from the allocator of the system and goes back there with the layout it came with.
// `realloc` is the provided one, by way of these two, so that a block that is left is looked at.
unsafe impl GlobalAlloc for Searching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that all of a block may be read when it comes back.
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let mark = MARK.get();
        if !mark.is_empty() {
            // SAFETY: the block is whole and initialised, and still ours until the next line.
            let block = unsafe { core::slice::from_raw_parts(pointer, layout.size()) };
            FOUND.set(FOUND.get() + usize::from(block.windows(mark.len()).any(|window| window == mark)));
        }
        // SAFETY: `pointer` came from `System`, for every allocation here does.
        unsafe { System.dealloc(pointer, layout) }
    }
}

thread_local! {
    static MARK: Cell<&'static [u8]> = const { Cell::new(&[]) };
    static FOUND: Cell<usize> = const { Cell::new(0) };
}
