//! The tick allocates nothing.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tandem_base::{AudioFormat, SrtpSuite};

use super::secrecy::encrypt;
use super::stage::{OPUS, conference};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends may allocate after its counter is gone.
    let _ = COUNT.try_with(|c| c.set(c.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_conference_of_twenty_ticks_without_allocating() {
    let mut stage = conference();
    for n in 0..20u16 {
        let format = [AudioFormat::Pcmu, AudioFormat::G722, OPUS, AudioFormat::Pcma][usize::from(n % 4)];
        let ptime = [20, 20, 20, 30, 60, 10][usize::from(n % 6)];
        stage.join(format, ptime, (n % 5 == 0).then_some(400.0 + 90.0 * f64::from(n)));
        // Some are encrypted, and by each kind of suite.
        match n % 3 {
            0 => {}
            1 => encrypt(&mut stage, usize::from(n), SrtpSuite::AesCm128HmacSha1_80, 1),
            _ => encrypt(&mut stage, usize::from(n), SrtpSuite::AeadAes256Gcm, 1),
        }
    }
    stage.run(50);
    stage.run_measured(300, |step| {
        let before = COUNT.get();
        step();
        assert_eq!(COUNT.get() - before, 0, "allocations in one step");
    });
    assert!(stage.tally.packets_out > 300 * 15);
}
