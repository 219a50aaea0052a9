//! Transfers against a peer that misbehaves, told once and played in the simulated world and over sockets.

use bytes::Bytes;
use oss_proto::transfer::{
    Append, Download, ServerCopy, Step, Ticket, Transfer, TransferError, TransferOptions, Upload, UploadFate,
    Work,
};
use oss_proto::{
    AppendObject, CopyObject, CopySource, CorruptBody, DeleteObject, ErrorKind, GetObject, GetObjectTagging,
    HeadObject, Integrity, PutObject, Tags,
};
use oss_sim::conformance::{Content, Scenario, Stage};
use oss_sim::peer::{Answer, BUCKET, Deed, End, Framing};
use oss_sim::transfers::Files;
use oss_sim::world::EPOCH;

const PART: u64 = 100 << 10;

/// A stage, what is on this side of it, and what the peer saw.
pub(crate) struct Theatre<S> {
    stage: S,
    files: Files,
}

impl<S: Stage> Theatre<S> {
    pub(crate) fn new(deeds: impl IntoIterator<Item = Deed>, make: fn(&Scenario) -> S) -> Self {
        let scenario = Scenario::new("a transfer").holds("a", content(40)).deeds(deeds);
        Self { stage: make(&scenario), files: Files { source: content(250 << 10), sink: Vec::new() } }
    }

    /// Runs a transfer; whatever is handed out at a time is done in the opposite order, and reported in
    /// another.
    fn run<T: Transfer>(&mut self, transfer: &mut T) -> Result<T::Output, TransferError> {
        self.run_with(transfer, &mut |_, _| {})
    }

    /// The same; before each piece of work something happens.
    fn run_with<T: Transfer>(
        &mut self,
        transfer: &mut T,
        before: &mut dyn FnMut(&mut S, &Work),
    ) -> Result<T::Output, TransferError> {
        let mut waiting: Vec<(Ticket, Work)> = Vec::new();
        loop {
            match transfer.poll() {
                Step::Run(ticket, work) => waiting.push((ticket, work)),
                Step::Busy => {
                    assert!(!waiting.is_empty(), "it waits for nothing");
                    let mut done = Vec::new();
                    for (ticket, work) in waiting.drain(..).rev() {
                        before(&mut self.stage, &work);
                        // Downloads come to this side, whatever is uploaded from it.
                        done.push((ticket, self.files.work(work, &mut self.stage)));
                    }
                    done.rotate_left(1);
                    done.into_iter().for_each(|(ticket, result)| transfer.complete(ticket, result));
                }
                Step::Done(result) => return result,
            }
        }
    }

    fn log(&mut self) -> Vec<String> {
        self.stage.peer(|peer| peer.take_log())
    }

    fn content(&mut self, key: &str) -> Option<Bytes> {
        self.stage.peer(|peer| peer.content(key))
    }

    /// Whether an upload is left.
    fn has_upload(&mut self) -> bool {
        self.stage.peer(|peer| peer.holds()).iter().any(|line| line.ends_with("an upload"))
    }
}

fn content(len: usize) -> Bytes {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
}

fn download() -> Download {
    Download::new(GetObject::new(BUCKET, "a"), &TransferOptions::new().part_size(10))
}

fn upload() -> Upload {
    Upload::new(PutObject::new(BUCKET, "b", ""), 250 << 10, &TransferOptions::new().part_size(PART))
}

fn serve(count: usize) -> impl Iterator<Item = Deed> {
    (0..count).map(|_| Deed::Serve)
}

pub(crate) fn f34_f35<S: Stage>(make: fn(&Scenario) -> S) {
    for is_deleted in [false, true] {
        let mut theatre = Theatre::new([], make);
        let mut gets = 0;
        let error = theatre.run_with(&mut download(), &mut |stage, work| {
            gets += usize::from(matches!(work, Work::Get(..)));
            if gets == 3 {
                stage.peer(|peer| match is_deleted {
                    true => drop(peer.prepare(&DeleteObject::new(BUCKET, "a"), EPOCH)),
                    false => peer.store("a", &content(41), EPOCH),
                });
            }
        });
        let error = error.unwrap_err();
        assert!(error.is_object_changed(), "{error}");
        let log = theatre.log();
        assert!(log.iter().skip(1).all(|line| line.contains("if-match: \"")), "{log:?}");
    }
}

pub(crate) fn f36_f37<S: Stage>(make: fn(&Scenario) -> S) {
    for at in 0..10 {
        let cut = Deed::spoil(move |answer| answer.end = End::Cut(at));
        let short = Deed::spoil(move |answer| {
            answer.body = answer.body.slice(..usize::try_from(at).unwrap());
            answer.reframe(Framing::Chunked);
        });
        for deed in [cut, short] {
            let mut theatre = Theatre::new(serve(2).chain([deed]), make);
            let output = theatre.run(&mut download()).unwrap();
            assert!(matches!(output.integrity, Integrity::Crc64(_)));
            assert_eq!(theatre.files.sink, content(40));
        }
    }
}

pub(crate) fn f41<S: Stage>(make: fn(&Scenario) -> S) {
    let flip = Deed::spoil(|answer| {
        let mut body = answer.body.to_vec();
        body[3] ^= 1;
        answer.body = body.into();
    });
    let error = Theatre::new(serve(2).chain([flip]), make).run(&mut download()).unwrap_err();
    let kind = error.call().map(oss_proto::Error::kind);
    assert!(matches!(kind, Some(ErrorKind::Corrupt(CorruptBody::Crc64 { .. }))), "{error}");
    // Another range than the one that was asked for, as long as it.
    let other = Deed::spoil(|answer| answer.set("content-range", Some("bytes 30-39/40")));
    let error = Theatre::new(serve(1).chain([other]), make).run(&mut download()).unwrap_err();
    let kind = error.call().map(oss_proto::Error::kind);
    assert!(matches!(kind, Some(ErrorKind::Corrupt(CorruptBody::Range { .. }))), "{error}");
}

pub(crate) fn f56<S: Stage>(make: fn(&Scenario) -> S) {
    let mut theatre = Theatre::new(serve(1).chain([Deed::Lose, Deed::Serve, Deed::Lose]), make);
    let output = theatre.run(&mut upload()).unwrap();
    assert_eq!((output.parts, output.is_checked, output.bytes), (3, true, 250 << 10));
    assert_eq!(theatre.content("b"), Some(content(250 << 10)));
    assert!(!theatre.has_upload());
}

pub(crate) fn f57<S: Stage>(make: fn(&Scenario) -> S) {
    let mut theatre = Theatre::new([Deed::Lose], make);
    let output = theatre.run(&mut upload()).unwrap();
    assert!(output.may_be_orphan && theatre.has_upload());
    assert_eq!(theatre.content("b"), Some(content(250 << 10)));
    let mut theatre = Theatre::new([Deed::Lose, Deed::Lose], make);
    let error = theatre.run(&mut upload()).unwrap_err();
    let left = error.left().unwrap();
    assert!(left.may_be_orphan && left.upload_id.is_none(), "{error}");
    assert!(!Theatre::new([], make).run(&mut upload()).unwrap().may_be_orphan);
}

pub(crate) fn f58<S: Stage>(make: fn(&Scenario) -> S) {
    let lose = |lost| serve(4).chain((0..lost).map(|_| Deed::Lose));
    for lost in 1..=3 {
        let mut theatre = Theatre::new(lose(lost), make);
        let output = theatre.run(&mut upload()).unwrap();
        assert_eq!((output.parts, output.is_checked, output.bytes), (3, true, 250 << 10));
        assert_eq!(theatre.content("b"), Some(content(250 << 10)));
    }
    // The last look is lost too: there is nothing left to find out with.
    let mut theatre = Theatre::new(lose(4), make);
    let error = theatre.run(&mut upload()).unwrap_err();
    assert_eq!(error.left().map(|left| left.fate), Some(UploadFate::MayBeComplete), "{error}");
    assert_eq!(theatre.content("b"), Some(content(250 << 10)));
}

pub(crate) fn f61<S: Stage>(make: fn(&Scenario) -> S) {
    let mut theatre = Theatre::new([Deed::Serve, Deed::Serve, Deed::Lose], make);
    let mut append = Append::at_end(AppendObject::new(BUCKET, "log", 0_u64, ""));
    let mut pieces = [PART, PART, 50 << 10].into_iter();
    let output = loop {
        if append.wants_part() {
            match pieces.next() {
                Some(len) => append.offer(len).unwrap(),
                None => append.end(),
            }
        }
        match append.poll() {
            Step::Run(ticket, work) => {
                let result = theatre.files.work(work, &mut theatre.stage);
                append.complete(ticket, result);
            }
            Step::Busy => {}
            Step::Done(result) => break result.unwrap(),
        }
    };
    assert_eq!((output.position, output.appends), (250 << 10, 3));
    assert_eq!(theatre.content("log"), Some(content(250 << 10)));
}

pub(crate) fn f65<S: Stage>(make: fn(&Scenario) -> S) {
    let refusal = || Deed::Answer(Answer::error(403, "AccessDenied"));
    let mut theatre = Theatre::new(serve(2).chain([refusal()]), make);
    let error = theatre.run(&mut upload()).unwrap_err();
    assert_eq!(error.left().map(|left| (left.fate, left.parts.len())), Some((UploadFate::Aborted, 2)));
    assert!(!theatre.has_upload() && theatre.content("b").is_none());
    let log = theatre.log();
    assert_eq!(log.iter().filter(|line| line.contains("DELETE")).count(), 1, "{log:?}");

    let options = TransferOptions::new().part_size(PART).keep_parts(true);
    let mut kept = Upload::new(PutObject::new(BUCKET, "b", ""), 250 << 10, &options);
    let mut theatre = Theatre::new(serve(2).chain([refusal()]), make);
    let error = theatre.run(&mut kept).unwrap_err();
    assert_eq!(error.left().map(|left| left.fate), Some(UploadFate::Kept));
    assert!(theatre.has_upload());
}

pub(crate) fn f66<S: Stage>(make: fn(&Scenario) -> S) {
    let mut theatre = Theatre::new([], make);
    theatre.run(&mut upload()).unwrap();
    assert_eq!(theatre.content("b"), Some(content(250 << 10)));
    let output = theatre.run(&mut download()).unwrap();
    assert!(matches!(output.integrity, Integrity::Crc64(_)));
    assert_eq!(theatre.files.sink, content(40));
}

pub(crate) fn copies<S: Stage>(make: fn(&Scenario) -> S) {
    let mut theatre = Theatre::new([], make);
    let described = PutObject::new(BUCKET, "b", content(250 << 10))
        .content_type("text/x-special")
        .metadata([("author", "zoe")])
        .tagging([("a+b", "c:d")]);
    theatre.stage.call(&described, &Content::default()).unwrap();
    let copy = || CopyObject::new(BUCKET, "c", CopySource::new(BUCKET, "b"));
    for single_bytes_max in [0, 1 << 30] {
        let options = TransferOptions::new().part_size(PART).single_bytes_max(single_bytes_max);
        let output = theatre.run(&mut ServerCopy::new(copy(), &options)).unwrap();
        assert_eq!((output.bytes, output.is_checked), (250 << 10, true));
        assert_eq!(output.parts, if single_bytes_max == 0 { 3 } else { 0 });
        assert_eq!(theatre.content("c"), Some(content(250 << 10)));
        let head = theatre.stage.call(&HeadObject::new(BUCKET, "c"), &Content::default()).unwrap().output;
        assert_eq!(head.content_type.as_deref(), Some("text/x-special"));
        assert_eq!(head.metadata.get("author"), Some("zoe"));
        let tags = theatre.stage.call(&GetObjectTagging::new(BUCKET, "c"), &Content::default()).unwrap();
        let tags = tags.output.tag_set.into_iter();
        let tags = tags.fold(Tags::default(), |tags, tag| tags.with(tag.key, tag.value));
        assert_eq!(tags, Tags::default().with("a+b", "c:d"));
    }
}
