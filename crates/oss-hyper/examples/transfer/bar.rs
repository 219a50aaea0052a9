//! How far a transfer is: a bar on a terminal, a line now and then where there is none.

use core::time::Duration;
use std::io::IsTerminal as _;
use std::time::Instant;

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use oss_hyper::transfer::{Cancel, TransferError, TransferProgress};

/// The bar of one transfer; a clone is the same.
#[derive(Clone)]
pub(crate) struct Bar {
    bar: ProgressBar,
    name: String,
    is_terminal: bool,
}

impl Bar {
    pub(crate) fn new(name: &str) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let form = "{prefix:24} {bar:30} {bytes:>11}/{total_bytes} {binary_bytes_per_sec:>13} {eta:>4} {msg}";
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        Self { bar, name: name.to_owned(), is_terminal }
    }

    /// What tells the bar.
    pub(crate) fn watcher(&self) -> impl FnMut(TransferProgress) + Send + 'static {
        let (this, began) = (self.clone(), Instant::now());
        let mut told: Option<Instant> = None;
        move |at| {
            if this.is_terminal {
                this.draw(&at);
            } else if told.is_none_or(|told| told.elapsed() >= LINE_EVERY) || is_over(&at) {
                told = Some(Instant::now());
                println!("{}", this.line(&at, began.elapsed()));
            }
        }
    }

    /// The same, and stops the transfer once so many bytes have moved.
    pub(crate) fn until(&self, bytes: u64, cancel: &Cancel) -> impl FnMut(TransferProgress) + Send + 'static {
        let (mut watcher, cancel) = (self.watcher(), cancel.clone());
        move |at| {
            watcher(at);
            if at.bytes >= bytes {
                cancel.keep();
            }
        }
    }

    /// The end of the transfer.
    pub(crate) fn close<T>(&self, result: Result<T, TransferError>) -> Result<T, TransferError> {
        match &result {
            Ok(_) => self.bar.finish(),
            Err(_) => self.bar.abandon(),
        }
        result
    }

    fn draw(&self, at: &TransferProgress) {
        if let Some(total) = at.bytes_total {
            self.bar.set_length(total);
        }
        if self.bar.position() == 0 {
            // What was kept costs no time, and would make the rate a lie.
            self.bar.reset_elapsed();
            self.bar.set_position(at.bytes_kept);
            self.bar.reset_eta();
        }
        self.bar.set_position(at.bytes);
        self.bar.set_message(parts(at));
    }

    fn line(&self, at: &TransferProgress, elapsed: Duration) -> String {
        let moved = at.bytes.saturating_sub(at.bytes_kept);
        let per_sec = u64::try_from(u128::from(moved) * 1000 / elapsed.as_millis().max(1)).unwrap_or(0);
        let total = at.bytes_total.map_or_else(|| String::from("?"), |total| HumanBytes(total).to_string());
        let left = at.bytes_total.unwrap_or(0).saturating_sub(at.bytes).checked_div(per_sec);
        let left = left.map_or_else(
            || String::from("no end in sight"),
            |seconds| format!("{} left", HumanDuration(Duration::from_secs(seconds))),
        );
        let (done, rate) = (HumanBytes(at.bytes), HumanBytes(per_sec));
        format!("{}: {done} of {total}, {rate}/s, {left}, {}", self.name, parts(at))
    }
}

fn is_over(at: &TransferProgress) -> bool {
    Some(at.bytes) == at.bytes_total && Some(at.parts) == at.parts_total
}

fn parts(at: &TransferProgress) -> String {
    let total = at.parts_total.map_or_else(|| String::from("?"), |total| total.to_string());
    let kept =
        if at.bytes_kept > 0 { format!(", {} kept", HumanBytes(at.bytes_kept)) } else { String::new() };
    format!("part {} of {total}, {} retries{kept}", at.parts, at.retries)
}

/// How often there is a line where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(1);
