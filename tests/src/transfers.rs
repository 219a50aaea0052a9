//! A driver of transfers, one piece of work after the other: what a driver of your own looks like.
//!
//! ```
//! use oss_proto::PutObject;
//! use oss_proto::transfer::{TransferOptions, Upload};
//! use oss_sim::conformance::{Scenario, Simulated};
//! use oss_sim::peer::BUCKET;
//! use oss_sim::transfers::{Files, run};
//!
//! let mut stage = Simulated::new(&Scenario::new("an emulator in memory, without sockets"));
//! let mut files = Files { source: vec![7; 250 << 10].into(), sink: Vec::new() };
//!
//! let options = TransferOptions::new().part_size(100 << 10).lanes(1);
//! let mut upload = Upload::new(PutObject::new(BUCKET, "big", ""), 250 << 10, &options);
//! let output = run(&mut upload, &mut stage, &mut files)?;
//! assert_eq!((output.parts, output.is_checked), (3, true));
//! # Ok::<(), oss_proto::transfer::TransferError>(())
//! ```

use core::fmt;
use core::ops::Range;

use bytes::Bytes;
use oss_proto::transfer::{Completion, Received, Step, Transfer, TransferError, Work};
use oss_proto::{Error, ErrorKind, GetObject, Operation, Outcome, Reply};

use crate::conformance::{Content, Stage};

/// The files on this side.
#[derive(Debug, Default)]
pub struct Files {
    /// What is uploaded.
    pub source: Bytes,
    /// Where a download goes: byte `n` of the object is at `n`.
    pub sink: Vec<u8>,
}

/// Runs a transfer to its end.
///
/// # Errors
/// What the transfer ends with.
pub fn run<T: Transfer, S: Stage>(
    transfer: &mut T,
    stage: &mut S,
    files: &mut Files,
) -> Result<T::Output, TransferError> {
    loop {
        match transfer.poll() {
            Step::Run(ticket, work) => transfer.complete(ticket, files.work(work, stage)),
            Step::Busy => unreachable!("whatever was handed out is completed"),
            Step::Done(result) => return result,
        }
    }
}

impl Files {
    /// Does one piece of work.
    ///
    /// # Errors
    /// What its call ends with.
    pub fn work<S: Stage>(&mut self, work: Work, stage: &mut S) -> Result<Completion, Error> {
        match work {
            Work::Put(range, mut put) => {
                put.body = self.part(range).into();
                call(stage, &put)
            }
            Work::Begin(begin) => call(stage, &begin),
            Work::Part(range, mut part) => {
                part.body = self.part(range).into();
                call(stage, &part)
            }
            Work::PartCopy(part) => call(stage, &part),
            Work::ListParts(list) => call(stage, &list),
            Work::Finish(finish) => call(stage, &finish),
            Work::Abort(abort) => call(stage, &abort),
            Work::Head(head) => call(stage, &head),
            Work::Tags(tags) => call(stage, &tags),
            Work::Copy(copy) => call(stage, &copy),
            Work::Append(range, mut append) => {
                append.body = self.part(range).into();
                call(stage, &append)
            }
            Work::Delete(delete) => call(stage, &delete),
            Work::Get(range, get) => self.get(range, &get, stage),
            Work::Verify(range) => {
                let file = if self.source.is_empty() { &self.sink[..] } else { &self.source[..] };
                let bytes = file.get(index(range.start)..index(range.end));
                Ok(bytes
                    .map_or_else(Completion::unreadable, |it| Completion::verified(oss_crc::checksum(it))))
            }
        }
    }

    fn part(&self, range: Range<u64>) -> Bytes {
        self.source.slice(index(range.start)..index(range.end))
    }

    fn get<S: Stage>(&mut self, at: Range<u64>, get: &GetObject, stage: &mut S) -> Result<Completion, Error> {
        let mut bytes = Vec::new();
        let reply = stage.fetch(get, &mut bytes)?;
        let head = GetObject::read(&reply.head, &Bytes::new())
            .map_err(|error| Error::new(ErrorKind::Reply(error), "GetObject", Outcome::Rejected))?;
        let (start, end) = (index(at.start), index(at.start) + bytes.len());
        self.sink.resize(self.sink.len().max(end), 0);
        self.sink[start..end].copy_from_slice(&bytes);
        Ok(Received::new(&head, bytes.len() as u64, oss_crc::checksum(&bytes)).into())
    }
}

fn call<S: Stage, O>(stage: &mut S, operation: &O) -> Result<Completion, Error>
where
    O: Operation<Output: fmt::Debug + Send> + Clone + fmt::Debug + Send + Sync + 'static,
    Completion: From<Reply<O::Output>>,
{
    stage.call(operation, &Content::default()).map(Completion::from)
}

fn index(at: u64) -> usize {
    usize::try_from(at).expect("what is in memory fits a word")
}
