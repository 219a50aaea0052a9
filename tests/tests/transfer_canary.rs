//! I5: no secret in anything that a transfer shows: its machine at every step, the work that it asks for, its
//! checkpoint, its error, how far it is, the files beside the target, and what `tracing` hears of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

mod lines;

use core::fmt::Debug;
use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::Method;
use lines::Lines;
use oss_credentials::Source;
use oss_hyper::transfer::{Cancel, TransferProgress};
use oss_hyper::{
    Bucket, Client, Credentials, CredentialsProvider, Endpoint, Overrides, Policy, Region, Service,
};
use oss_proto::transfer::{
    Append, DeleteMany, Download, ServerCopy, Step, Transfer, TransferError, TransferOptions, Upload,
};
use oss_proto::{AppendObject, CopyObject, CopySource, Delete, DeleteMultipleObjects, GetObject, PutObject};
use oss_sim::canary::Canaries;
use oss_sim::conformance::{Notes, Scenario, Simulated, Stage};
use oss_sim::peer::{Answer, BUCKET, Deed, End, Peer, REGION, STS_SECRET, credentials, temporary};
use oss_sim::tcp::{TcpPeer, system_time};
use oss_sim::transfers::Files;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What each machine shows before and after each piece of work, whatever comes of it.
#[test]
fn i05_no_secret_in_any_step_of_a_transfer() {
    let (mut failed, mut kept) = (0, 0);
    for seed in 0..60 {
        let scenario = Scenario::new("a transfer").holds("a", content(PART * 2 + 7));
        let scenario = scenario.credentials([credentials(), temporary(), misspelt()]);
        let mut state = seed;
        let deeds: Vec<_> = (0..seed).map(|_| deed(&mut state)).collect();
        let scenario = scenario.deeds(deeds);
        let mut stage = Simulated::new(&scenario);
        let notes = Notes::default();
        let service = scenario.service("http://127.0.0.1");
        let mut files = Files { source: content(PART * 2 + 9), sink: Vec::new() };
        let options = TransferOptions::new().part_size(PART as u64).single_bytes_max(0);
        let put = || PutObject::new(BUCKET, "b", "");
        let mut all = (&mut stage, &mut files, &notes);

        let upload = Upload::new(put(), files_len(&all), &options);
        failed += run(&mut upload.with_checkpoints(&service, "len 1", None), &mut all, |_| {});
        let mut left = files_len(&all);
        failed += run(&mut Upload::of_unknown_length(put(), &options), &mut all, |upload| {
            if upload.wants_part() {
                let part = left.min(upload.part_size());
                upload.offer(part).unwrap();
                left -= part;
            }
        });
        let download = Download::new(GetObject::new(BUCKET, "a"), &options);
        failed += run(&mut download.with_checkpoints(&service, "part 1", None), &mut all, |_| {});
        let copy = CopyObject::new(BUCKET, "c", CopySource::new(BUCKET, "a"));
        failed += run(&mut ServerCopy::new(copy, &options), &mut all, |_| {});
        let mut pieces = 3;
        failed += run(&mut Append::at_end(AppendObject::new(BUCKET, "d", 0_u64, "")), &mut all, |append| {
            match append.wants_part() {
                true if pieces > 0 => append.offer(100).map(|()| pieces -= 1).unwrap(),
                _ => append.end(),
            }
        });
        let delete = DeleteMultipleObjects::new(BUCKET, Delete::from_iter(["a", "b", "c"]));
        let mut many = DeleteMany::new(delete, &options);
        failed += run(&mut many, &mut all, |_| {});
        many.fates().for_each(|fate| notes.show(&fate));

        let mut canaries = Canaries::of_the_peer(oss_sim::world::EPOCH);
        stage.peer(|peer| peer.take_signatures()).iter().for_each(|it| canaries.add_signature(it));
        let text = notes.take();
        kept += usize::from(text.contains("oss checkpoint"));
        assert_eq!(canaries.find(&text), None, "seed {seed}");
    }
    assert!((60..300).contains(&failed) && kept > 20, "{failed} of 360 failed, {kept} had checkpoints");
}

type All<'a> = (&'a mut Simulated, &'a mut Files, &'a Notes);

fn files_len((_, files, _): &All<'_>) -> u64 {
    files.source.len() as u64
}

/// Runs it and writes everything down; gives how many failed.
fn run<T>(transfer: &mut T, (stage, files, notes): &mut All<'_>, mut feed: impl FnMut(&mut T)) -> usize
where
    T: Transfer<Output: Debug> + Debug,
{
    loop {
        feed(transfer);
        notes.show(transfer);
        notes.show(&transfer.progress());
        let checkpoint = transfer.checkpoint();
        notes.show(&checkpoint);
        notes.write(&checkpoint.map(|checkpoint| checkpoint.to_text()).unwrap_or_default());
        let step = transfer.poll();
        notes.show(&step);
        match step {
            Step::Run(ticket, work) => {
                let result = files.work(work, *stage);
                notes.show(&result);
                transfer.complete(ticket, result);
            }
            Step::Busy => {}
            Step::Done(Ok(_)) => return 0,
            Step::Done(Err(error)) => {
                note(notes, &error);
                return 1;
            }
        }
    }
}

/// What a program sees of the transfers of the hyper client, on disk too.
#[test]
fn i05_no_secret_is_shown_kept_or_heard_of_a_transfer_over_tcp() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(lines.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let notes = Notes::default();
    let mut signatures = Vec::new();
    for seed in 0..16 {
        let folder = Folder::new(seed);
        let mut state = seed;
        let draw = move |_: &Method, _: &mut Peer| if seed < 2 { Deed::Serve } else { deed(&mut state) };
        let peer = TcpPeer::start(Peer::new([], false, system_time())).unwrap();
        let peer = peer.with_patience(Duration::from_millis(250)).drawing(draw);
        peer.peer().store("a", &content(PART * 3 + 7), system_time());
        let bucket = bucket(&peer, seed);
        runtime.block_on(files(&bucket, &folder, &notes));
        runtime.block_on(others(&bucket, &notes));
        signatures.extend(peer.peer().take_signatures());
    }
    let (heard, shown) = (lines.text(), notes.take());
    assert!(heard.contains("oss_call"), "nothing was heard");
    for kept in
        [".checkpoint\n", ".lock\n", ".part\n", "oss checkpoint", "AccessDenied", "SignatureDoesNotMatch"]
    {
        assert!(shown.contains(kept), "{kept} was not shown");
    }
    let mut canaries = Canaries::of_the_peer(system_time());
    canaries.add("a header of the program's own", GATEWAY_TOKEN.as_bytes());
    signatures.iter().for_each(|signature| canaries.add_signature(signature));
    assert_eq!(canaries.find(&heard), None);
    assert_eq!(canaries.find(&shown), None);
}

/// Files up and down, a stream up, each told how far it is and what lies beside it then.
async fn files(bucket: &Bucket, folder: &Folder, notes: &Notes) {
    let (source, target, kept) = (folder.0.join("source"), folder.0.join("target"), folder.0.join("kept"));
    fs::write(&source, content(PART * 3 + 1)).unwrap();
    let key = Overrides::new().credentials_provider(CredentialsProvider::from(Source::from(temporary())));
    // Of whatever a header of somebody's own holds, too, nobody knows that it is no secret.
    let key = key.header("x-gateway-token", GATEWAY_TOKEN);
    let cancel = Cancel::new();
    notes.show(&cancel);
    let watch = || {
        let (notes, folder) = (notes.clone(), folder.0.clone());
        move |at: TransferProgress| {
            notes.show(&at);
            list(&notes, &folder);
        }
    };
    let part = PART as u64;
    let up = bucket.upload_file("b", &source).part_size(part).single_bytes_max(0).checkpoint_dir(&kept);
    let up = up.overrides(&key).on_progress(watch());
    let down = bucket.download_file("a", &target).part_size(part).checkpoint_dir(&kept);
    let down = down.overrides(&key).cancel_with(&cancel).on_progress(watch());
    let stream = bucket.upload_stream("c", std::io::Cursor::new(content(PART * 2)));
    let stream = stream.part_size(part).overrides(&key).on_progress(watch());
    notes.show(&(&up, &down, &stream));
    tell(notes, up.await);
    tell(notes, bucket.upload_file("b", &source).part_size(part).checkpoint_dir(&kept).await);
    tell(notes, bucket.upload_file("b", folder.0.join("none")).await);
    tell(notes, stream.await);
    tell(notes, down.await);
    tell(notes, bucket.download_file("a", &target).part_size(part).await);
    list(notes, &folder.0);
}

async fn others(bucket: &Bucket, notes: &Notes) {
    let part = PART as u64;
    let copy = bucket.copy_object(CopySource::new(BUCKET, "a"), "d").part_size(part);
    let delete = bucket.delete_many(["a", "b", "none"]);
    notes.show(&(&copy, &delete));
    tell(notes, copy.await);
    let writer = bucket.writer("e").part_size(part);
    notes.show(&writer);
    let mut writer = writer.start();
    let written = writer.write_all(&content(PART + 1)).await;
    let ended = if written.is_ok() { writer.shutdown().await } else { written };
    ended.unwrap_or_else(|error| notes.fail(&error));
    notes.show(&writer);
    let mut appender = bucket.appender("f").start();
    let appended = appender.write_all(b"hello").await;
    let ended = if appended.is_ok() { appender.shutdown().await } else { appended };
    ended.unwrap_or_else(|error| notes.fail(&error));
    notes.show(&appender);
    match bucket.reader("a").await {
        Ok(mut reader) => {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).await.map_or_else(|error| notes.fail(&error), drop);
            notes.show(&reader);
        }
        Err(error) => notes.fail(&error),
    }
    match delete.await {
        Ok(deletions) => notes.show(&deletions),
        Err(error) => {
            notes.fail(&error);
            note(notes, &error.error);
        }
    }
}

fn tell<T: Debug>(notes: &Notes, result: Result<T, TransferError>) {
    match result {
        Ok(output) => notes.show(&output),
        Err(error) => note(notes, &error),
    }
}

fn note(notes: &Notes, error: &TransferError) {
    notes.fail(error);
    notes.show(error.kind());
    notes.show(&error.left());
    if let Some(left) = error.left() {
        notes.write(&left.to_string());
    }
    if let Some(call) = error.call() {
        notes.fail(call);
        notes.show(&call.attempts());
    }
}

/// The names below a folder, and what stands in those that hold text.
fn list(notes: &Notes, folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        notes.write(&format!("{}\n", path.display()));
        if path.is_dir() {
            list(notes, &path);
        } else if path.extension().is_some_and(|end| end != "part")
            && let Ok(text) = fs::read_to_string(&path)
        {
            notes.write(&text);
        }
    }
}

/// Half of the requests are answered as they should be.
fn deed(state: &mut u64) -> Deed {
    let mut draw = |end: u64| {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 33) % end
    };
    let at = draw(PART as u64);
    match draw(16) {
        0 => Deed::Lose,
        1 => Deed::Answer(Answer::error(503, "SlowDown")),
        2 => Deed::Answer(Answer::error(403, "AccessDenied")),
        3 => Deed::Close(at),
        4 => Deed::spoil(move |answer| answer.end = End::Cut(at)),
        5 => Deed::spoil(|answer| answer.set("x-oss-hash-crc64ecma", Some("1"))),
        6 => Deed::spoil(|answer| answer.set("etag", Some("\"0BAD\""))),
        _ => Deed::Serve,
    }
}

fn bucket(peer: &TcpPeer, seed: u64) -> Bucket {
    let service = Service::new(Endpoint::parse(&peer.endpoint()).unwrap());
    let service = service.with_region(Region::parse(REGION).unwrap());
    let policy = if seed.is_multiple_of(2) { Policy::new() } else { Policy::none() };
    let service = service.with_retry(policy.with_base_delay(Duration::from_millis(1)));
    let service = service.with(|settings| settings.timeouts.idle = Duration::from_millis(400));
    let key = [credentials(), temporary(), misspelt()][seed as usize % 3].clone();
    Client::new(service, key).bucket(BUCKET).unwrap()
}

/// The secret of another key: OSS answers with the signature that it was given.
fn misspelt() -> Credentials {
    Credentials::new("AKID", STS_SECRET).unwrap()
}

fn content(len: usize) -> Bytes {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// A folder of a test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(seed: u64) -> Self {
        let path = std::env::temp_dir().join(format!("oss-sim-canary-{}-{seed}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

const PART: usize = 100 << 10;
const GATEWAY_TOKEN: &str = "Tz4kWq8RbN-x2MvLp9Hd";
