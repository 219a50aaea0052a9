//! The emulator as connections and tests share it.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use oss_emulator::{Config, Emulator};

/// An emulator with a clock, shared by every connection; a clone is the same emulator.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    emulator: Mutex<Emulator>,
    clock_shift_secs: AtomicI64,
}

impl Handle {
    /// A new emulator on the system's clock.
    pub fn new(config: Config) -> Self {
        let emulator = Mutex::new(Emulator::new(config));
        Self { shared: Arc::new(Shared { emulator, clock_shift_secs: AtomicI64::new(0) }) }
    }

    /// Looks into the emulator, or changes it, between requests. Do not wait inside: all requests wait too.
    pub fn with<T>(&self, look: impl FnOnce(&mut Emulator) -> T) -> T {
        // A panic in a test's closure must not break the server for the tests after it.
        let mut emulator = self.shared.emulator.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut emulator)
    }

    /// Creates a bucket without a request; an existing one stays as it is.
    pub fn create_bucket(&self, name: &str) {
        let now = self.now();
        self.with(|emulator| emulator.create_bucket(name, now));
    }

    /// Makes the server's clock differ from the system's by this many seconds.
    pub fn shift_clock(&self, seconds: i64) {
        self.shared.clock_shift_secs.store(seconds, Ordering::Relaxed);
    }

    /// The server's time since the Unix epoch.
    pub fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let shift = self.shared.clock_shift_secs.load(Ordering::Relaxed);
        let amount = Duration::from_secs(shift.unsigned_abs());
        if shift < 0 { now.saturating_sub(amount) } else { now.saturating_add(amount) }
    }
}
