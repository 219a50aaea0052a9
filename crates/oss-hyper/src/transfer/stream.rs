//! Uploads and appends of what comes, part by part.

use std::io;

use bytes::Bytes;
use oss_proto::Error;
use oss_proto::transfer::{
    Append, Completion, FileError, FileStep, Progress, Ticket, Transfer, TransferError, TransferErrorKind,
    Upload, Work,
};

use super::blocks::body_in_memory;
use super::cancel::How;
use super::engine;
use super::give_up::GiveUp;
use super::job::{self, Job, Lane, Next, Passed, by_machine, landed};
use super::pace::Pace;
use super::parts::{Buffers, Source};
use super::progress::Watch;
use super::settings::Settings;
use super::upload::compared;
use crate::Client;

/// A machine whose parts are cut by its driver.
pub(super) trait Streamed: Transfer<Output: Send> + Send + 'static {
    fn wants_part(&self) -> bool;
    /// The next part is ready; one that is not full is the last. Gives whether its bytes will be asked for.
    fn offer(&mut self, len: u64, is_full: bool) -> bool;
    fn stop(&mut self, why: TransferErrorKind);
    fn keep(&mut self, keep: bool);

    /// The result, with what the client knows of it.
    fn judged(_client: &Client, output: Self::Output) -> Self::Output {
        output
    }
}

impl Streamed for Upload {
    fn wants_part(&self) -> bool {
        Self::wants_part(self)
    }

    fn offer(&mut self, len: u64, _is_full: bool) -> bool {
        // A machine that wants no part any more has failed, and says why itself.
        Self::offer(self, len).is_ok()
    }

    fn stop(&mut self, why: TransferErrorKind) {
        self.fail(why);
    }

    fn keep(&mut self, keep: bool) {
        self.keep_parts(keep);
    }

    fn judged(client: &Client, output: Self::Output) -> Self::Output {
        compared(client, output)
    }
}

impl Streamed for Append {
    fn wants_part(&self) -> bool {
        Self::wants_part(self)
    }

    fn offer(&mut self, len: u64, is_full: bool) -> bool {
        let is_taken = len > 0 && Self::offer(self, len).is_ok();
        if !is_full {
            self.end();
        }
        is_taken
    }

    fn stop(&mut self, _why: TransferErrorKind) {
        self.cancel();
    }

    /// What was appended stays, whatever is asked for.
    fn keep(&mut self, _keep: bool) {}
}

/// Moves what a source gives.
pub(super) async fn run_stream<M: Streamed>(
    settings: Settings,
    machine: M,
    source: Source,
    buffers: Buffers,
) -> Result<M::Output, TransferError> {
    let client = settings.bucket.client().clone();
    let pace = Pace::new(settings.bytes_per_sec);
    let drop_guard = GiveUp::new(&client, settings.options.keep_parts);
    let (ready, fault, offset) = (None, None, 0);
    let mut job = StreamJob { client, machine, source, buffers, pace, ready, fault, offset, drop_guard };
    let result = engine::run(&mut job, settings.cancel, Watch::new(settings.watcher)).await;
    job.drop_guard.disarm();
    let result = result.map(|output| M::judged(&job.client, output));
    match job.fault {
        Some(fault) => result.map_err(|error| error.with_kind(fault)),
        None => result,
    }
}

struct StreamJob<M> {
    client: Client,
    machine: M,
    source: Source,
    buffers: Buffers,
    pace: Pace,
    /// The next part, and whether it could be got.
    ready: Option<io::Result<Bytes>>,
    fault: Option<TransferErrorKind>,
    /// Where the next part begins in the stream.
    offset: u64,
    drop_guard: GiveUp,
}

impl<M: Streamed> Job for StreamJob<M> {
    type Output = M::Output;
    by_machine!(machine);

    fn poll(&mut self) -> Next<M::Output> {
        job::next(&mut self.machine)
    }

    fn cancel(&mut self, how: How) {
        self.machine.keep(how == How::Keep);
        self.machine.cancel();
    }

    fn wants_part(&self) -> bool {
        self.ready.is_none() && self.machine.wants_part()
    }

    async fn get_part_ready(&mut self) {
        self.ready = Some(self.source.next(&self.buffers).await);
    }

    fn offer_part(&mut self) {
        match self.ready.take() {
            Some(Ok(part)) => {
                let (offset, len) = (self.offset, part.len() as u64);
                if self.machine.offer(len, self.buffers.is_full(&part)) {
                    self.offset = self.offset.saturating_add(len);
                    self.buffers.put(offset, part);
                }
            }
            Some(Err(error)) => {
                let fault = TransferErrorKind::File(FileError::new(FileStep::Read, error));
                self.fault.get_or_insert_with(|| fault.clone());
                self.machine.stop(fault);
            }
            None => {}
        }
    }

    fn lane(&mut self, work: Work, passed: Passed) -> Lane {
        let (client, buffers, pace) = (self.client.clone(), self.buffers.clone(), self.pace.clone());
        macro_rules! sent {
            ($operation:ident, $at:expr) => {
                Box::pin(async move {
                    let (at, part) = $at;
                    let body = body_in_memory(part, &passed, &pace);
                    let landing = landed(client.send_from($operation, body).await);
                    buffers.release(at);
                    landing
                })
            };
        }
        match work {
            Work::Begin(begin) => self.drop_guard.begin(begin),
            Work::Put(range, put) => sent!(put, (range.start, buffers.at(range.start))),
            Work::Part(range, part) => sent!(part, (range.start, buffers.at(range.start))),
            // Its range is that of the object, which was there before; one moves at a time.
            Work::Append(_, append) => sent!(append, buffers.first()),
            work => job::call(&client, work).expect("a stream asks for its parts and for calls"),
        }
    }
}
