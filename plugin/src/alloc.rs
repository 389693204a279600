//! The memory of one call: a bump allocator that hands out fresh bytes and never takes any back.
//! What belongs here is only the allocator; the host throws the whole instance away after a call.
//!
//! An instance lives for one call, so freeing would buy nothing, and every page touched twice is
//! cheaper than one page touched for the first time. The rest of the initial page, behind the
//! stack and the data, is used before the memory grows.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

/// WebAssembly's page, in bytes.
const PAGE: usize = 64 * 1024;
/// The most pages that are taken at once beyond what is needed: 1 MiB.
const MOST_AHEAD: usize = 16;

struct Bump {
    /// The first free address; 0 before the first allocation.
    next: Cell<usize>,
    /// The end of the linear memory.
    end: Cell<usize>,
}

// SAFETY: `wasm32-unknown-unknown` without the `atomics` feature has one thread, so no two
// references to the cells are ever used at the same time.
#[allow(unsafe_code, reason = "the static of an allocator must be Sync; see above")]
unsafe impl Sync for Bump {}

#[global_allocator]
static MEMORY: Bump = Bump { next: Cell::new(0), end: Cell::new(0) };

#[allow(unsafe_code, reason = "the linker's symbol is declared, its value never read")]
unsafe extern "C" {
    /// Where the linker's own use of the memory (stack, data) ends. Only its address means something.
    static __heap_base: u8;
}

impl Bump {
    /// The address of `size` fresh bytes, or `None` when the memory cannot grow.
    fn take(&self, size: usize, align: usize) -> Option<usize> {
        if self.next.get() == 0 {
            self.next.set((&raw const __heap_base).addr());
            self.end.set(core::arch::wasm32::memory_size(0).saturating_mul(PAGE));
        }
        let start = self.next.get().checked_next_multiple_of(align)?;
        let finish = start.checked_add(size)?;
        self.reach(finish)?;
        self.next.set(finish);
        Some(start)
    }

    /// Makes the memory reach up to `finish`.
    fn reach(&self, finish: usize) -> Option<()> {
        let missing = finish.saturating_sub(self.end.get());
        if missing == 0 {
            return Some(());
        }
        let needed = missing.div_ceil(PAGE);
        // Ask ahead in proportion to what is held, so that a large delivery does not grow page by
        // page; fall back to exactly what is needed when the host's bound is near.
        let held = self.end.get() / PAGE;
        let ahead = needed.max(held.min(MOST_AHEAD));
        for pages in [ahead, needed] {
            if core::arch::wasm32::memory_grow(0, pages) != usize::MAX {
                self.end.set(self.end.get().checked_add(pages.checked_mul(PAGE)?)?);
                return Some(());
            }
        }
        None
    }
}

// SAFETY: `take` returns addresses inside the linear memory (`reach` succeeded), aligned as asked,
// and never twice: `next` only grows, and `realloc` extends in place only what ends at `next`.
// `alloc_zeroed` may skip the zeroing because the host hands out zeroed memory and no byte behind
// `__heap_base` is ever handed out a second time.
#[allow(unsafe_code, reason = "GlobalAlloc is an unsafe trait; the proof stands above")]
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout.size(), layout.align()) {
            Some(address) => core::ptr::with_exposed_provenance_mut(address),
            None => core::ptr::null_mut(),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the same contract as `alloc`.
        unsafe { self.alloc(layout) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size <= layout.size() {
            return old;
        }
        let start = old.addr();
        if start.checked_add(layout.size()) == Some(self.next.get())
            && let Some(finish) = start.checked_add(size)
            && self.reach(finish).is_some()
        {
            self.next.set(finish);
            return old;
        }
        match self.take(size, layout.align()) {
            Some(address) => {
                let fresh: *mut u8 = core::ptr::with_exposed_provenance_mut(address);
                // SAFETY: `old` holds `layout.size()` bytes by the caller's promise, `fresh` holds
                // more, and fresh memory overlaps nothing that was handed out before.
                unsafe { core::ptr::copy_nonoverlapping(old, fresh, layout.size()) };
                fresh
            }
            None => core::ptr::null_mut(),
        }
    }
}

/// A panic here is a defect of the channel; the host sees a trap and keeps the delivery.
#[panic_handler]
fn defect(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
