//! What is not to be gone on with, and what is not to be forgotten.

use alloc::vec::Vec;

use super::model::{Store, broken, service};
use super::rows::{options, source, well};
use super::{Dice, get, put};
use crate::transfer::*;
use crate::{GetObjectOutput, HeadObjectOutput, Outcome, PutObject, Reply, ReplyHead};

fn interrupted(put: PutObject, len: u64) -> (Store, Checkpoint) {
    let mut store = source(usize::try_from(len).unwrap());
    let mut upload = Upload::new(put, len, &options()).with_checkpoints(&service(), "t1", None);
    for _ in 0..2 {
        let Step::Run(ticket, work) = upload.poll() else { panic!("it goes on") };
        let result = store.run(work, None, &mut Dice(1));
        upload.complete(ticket, result);
    }
    let checkpoint = upload.checkpoint().unwrap();
    (store, checkpoint)
}

#[test]
fn i01_what_nothing_pins_is_not_gone_on_with() {
    let mut download = Download::new(get(), &options());
    let (old, new) = ([1_u8; 40], [2_u8; 40]);
    let mut file = Vec::new();
    let mut gets = 0;
    let result = loop {
        match download.poll() {
            Step::Run(ticket, Work::Head(_)) => {
                let head = HeadObjectOutput { content_length: Some(40), ..Default::default() };
                let reply = Reply::new(head, ReplyHead::default(), alloc::sync::Arc::default());
                download.complete(ticket, Ok(reply.into()));
            }
            Step::Run(ticket, Work::Get(range, _)) => {
                gets += 1;
                let (start, end) =
                    (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
                let content_range =
                    Some(crate::ContentRange { first: range.start, last: range.end - 1, size: 40 });
                let head = GetObjectOutput { content_range, ..Default::default() };
                let (bytes, breaks) =
                    if gets == 1 { (&old[start..start + 10], true) } else { (&new[start..end], false) };
                file.truncate(start);
                file.extend_from_slice(bytes);
                let mut received = Received::new(&head, bytes.len() as u64, oss_crc::checksum(bytes));
                if breaks {
                    received = received.broken(broken(Outcome::Rejected));
                }
                download.complete(ticket, Ok(received.into()));
            }
            Step::Done(result) => break result,
            _ => panic!("it waits for nothing"),
        }
    };
    assert!(result.is_err() || file == old || file == new, "half of each: {file:?}");
}
