//! The calls: every kind, with time limits, dropped half-way now and then, read slowly now and then.

use alloc::sync::Arc;
use core::ops::Range;
use core::time::Duration;
use std::path::PathBuf;
use std::time::Instant;

use bytes::Bytes;
use oss_hyper::oss_proto::{
    AppendObject, ByteRange, CompleteMultipartUpload, CompletedPart, CompletedParts, GetObject,
    InitiateMultipartUpload, PutObject, Reply, UploadPart,
};
use oss_hyper::{Body, Bucket, Error, Overrides};
use tokio::time::{sleep, timeout};

use super::chance::Chance;
use super::oracle::{Appended, Oracle, content};
use super::tally::Tally;
use super::transfers;

/// One of those who call, one call after another.
pub(super) struct Caller {
    pub(super) bucket: Bucket,
    pub(super) oracle: Arc<Oracle>,
    pub(super) tally: Arc<Tally>,
    pub(super) chance: Chance,
    pub(super) folder: PathBuf,
    pub(super) number: u64,
}

/// A call's kind and how long it may take.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) kind: &'static str,
    pub(super) time: Duration,
}

type Ended<T> = Result<T, Error>;

impl Caller {
    pub(super) async fn call_until(mut self, until: Instant) {
        while Instant::now() < until {
            let time = Duration::from_millis(self.chance.pick(&[100, 500, 2000, 5000]));
            let patience =
                self.chance.percent(10).then(|| Duration::from_micros(self.chance.length(300_000)));
            let is_transfer = self.chance.percent(transfers::PERCENT);
            let kind = self.chance.pick(if is_transfer { transfers::KINDS } else { KINDS });
            let limit = Limit { kind, time };
            match patience {
                None => self.call(limit).await,
                Some(patience) => match timeout(patience, self.call(limit)).await {
                    Ok(()) => {}
                    Err(_elapsed) => self.tally.dropped(kind),
                },
            }
        }
    }

    async fn call(&mut self, limit: Limit) {
        match limit.kind {
            "put" => self.put(limit).await,
            "put from a stream" => self.put_stream(limit).await,
            "put once" => self.put_once(limit).await,
            "get" => self.get(limit).await,
            "get a range" => self.get_range(limit).await,
            "get to a file" => self.get_to_file(limit).await,
            "head" => self.head(limit).await,
            "list" => self.list(limit).await,
            "delete" => self.delete(limit).await,
            "append" => self.append(limit).await,
            "upload in parts" => self.upload_in_parts(limit).await,
            _ => self.transfer(limit).await,
        }
    }

    /// The bucket for calls with this limit.
    pub(super) fn bucket(&self, limit: Limit) -> Bucket {
        self.bucket.with(&Overrides::new().operation_timeout(limit.time))
    }

    /// Notes how a call ended, and when.
    async fn timed<T>(&self, limit: Limit, call: impl Future<Output = Ended<T>>) -> Ended<T> {
        let began = Instant::now();
        let result = call.await;
        self.tally.call(limit.kind, &result, began.elapsed().saturating_sub(limit.time));
        result
    }

    pub(super) fn key(&mut self) -> String {
        format!("shared/{}", self.chance.below(KEYS))
    }

    async fn put(&mut self, limit: Limit) {
        let (key, len) = (self.key(), self.chance.length(400_000));
        let ticket = self.oracle.begin(&key, Some(len));
        let call = self.timed(limit, self.bucket(limit).put(&*key, ticket.content.clone())).await;
        self.oracle.end(&ticket, &call, attempts(&call));
    }

    async fn put_stream(&mut self, limit: Limit) {
        let (key, len) = (self.key(), self.chance.length(400_000));
        let ticket = self.oracle.begin(&key, Some(len));
        let told = self.chance.percent(50).then_some(len);
        let bytes = ticket.content.clone();
        let body = match self.chance.percent(50) {
            true => Body::reader(told, std::io::Cursor::new(bytes)),
            false => Body::reopen(told, move || {
                let bytes = bytes.clone();
                async move { Ok(std::io::Cursor::new(bytes)) }
            }),
        };
        let call = self.timed(limit, self.bucket(limit).put(&*key, body)).await;
        self.oracle.end(&ticket, &call, attempts(&call));
    }

    /// To a key that nobody else writes to, and only if there is nothing.
    async fn put_once(&mut self, limit: Limit) {
        let key = format!("once/{}/{}", self.number, self.oracle.tick());
        let ticket = self.oracle.begin(&key, Some(self.chance.length(2000)));
        let put = PutObject::to(&*key, ticket.content.clone()).forbid_overwrite(true);
        let call = self.timed(limit, self.bucket(limit).send(put)).await;
        self.oracle.end(&ticket, &call, attempts(&call));
    }

    async fn delete(&mut self, limit: Limit) {
        if self.chance.percent(70) {
            return self.get(limit).await;
        }
        let key = self.key();
        let ticket = self.oracle.begin(&key, None);
        let call = self.timed(limit, self.bucket(limit).delete(&*key)).await;
        self.oracle.end(&ticket, &call, attempts(&call));
    }

    async fn get(&mut self, limit: Limit) {
        let key = self.key();
        self.read(limit, &key, None).await;
    }

    async fn get_range(&mut self, limit: Limit) {
        let key = self.key();
        let first = self.chance.length(300_000);
        let range = first..first + 1 + self.chance.length(100_000);
        self.read(limit, &key, Some(range)).await;
    }

    /// Reads, perhaps slowly, perhaps not to the end, and compares what came.
    async fn read(&mut self, limit: Limit, key: &str, range: Option<Range<u64>>) {
        let (began, start) = (self.oracle.tick(), Instant::now());
        let mut get = GetObject::to(key);
        get.range = range.clone().map(ByteRange::new);
        let is_slow = self.chance.percent(10);
        let stops_after = self.chance.percent(10).then(|| self.chance.length(100_000));
        let (mut came, mut end) = (Vec::new(), start + limit.time);
        let call = async {
            let mut object = self.bucket(limit).open(get).await?;
            while let Some(bytes) = object.chunk().await? {
                came.extend_from_slice(&bytes);
                if stops_after.is_some_and(|stop| came.len() as u64 >= stop) {
                    return Ok(false);
                }
                if is_slow {
                    sleep(Duration::from_millis(20)).await;
                    // A time that is over while the reader sleeps is told when it comes back.
                    end = end.max(Instant::now());
                }
            }
            Ok(true)
        };
        let result: Ended<bool> = call.await;
        self.tally.call(limit.kind, &result, Instant::now().saturating_duration_since(end));
        self.tally.read(came.len() as u64);
        let is_right = match &result {
            Ok(true) => self.oracle.may_be(key, began, range.clone(), &came),
            // Before a failure, and before a reader that stops, there is at least a beginning.
            _ => came.is_empty() || self.oracle.may_begin(key, began, range.clone(), &came),
        };
        if !is_right {
            self.tally.wrong(format!("{key} {range:?}: {} bytes that nobody wrote, {result:?}", came.len()));
        }
    }

    async fn get_to_file(&mut self, limit: Limit) {
        let (key, began) = (self.key(), self.oracle.tick());
        // A name of its own: a download that is dropped at its very end may still get it, later.
        let path = self.folder.join(format!("{began}"));
        let call = self.timed(limit, self.bucket(limit).get_to_file(&*key, &path)).await;
        let content = std::fs::read(&path);
        let _removed = std::fs::remove_file(&path);
        match (call, content) {
            (Ok(_), Ok(bytes)) if self.oracle.may_be(&key, began, None, &bytes) => {
                self.tally.read(bytes.len() as u64);
            }
            (Ok(_), content) => {
                let content = content.map(|bytes| bytes.len());
                self.tally.wrong(format!("{key}: a file of {content:?} bytes that nobody wrote"));
            }
            (Err(_), Ok(_)) => self.tally.wrong(format!("{key}: a file of a download that failed")),
            (Err(_), Err(_)) => {}
        }
    }

    async fn head(&mut self, limit: Limit) {
        let (key, began) = (self.key(), self.oracle.tick());
        let call = self.timed(limit, self.bucket(limit).head(&*key)).await;
        let len = call.ok().and_then(|reply| reply.output.content_length);
        if len.is_some_and(|len| !self.oracle.may_have_len(&key, began, len)) {
            self.tally.wrong(format!("{key}: {len:?} bytes long, which it never was"));
        }
    }

    async fn list(&mut self, limit: Limit) {
        let began = self.oracle.tick();
        let bucket = self.bucket(limit);
        let mut pages = bucket.list("shared/");
        let Ok(Some(page)) = self.timed(limit, pages.next()).await else { return };
        for object in page.output.contents {
            let len = object.size.unwrap_or(u64::MAX);
            if !self.oracle.may_have_len(&object.key, began, len) {
                self.tally.wrong(format!("{}: listed with {len} bytes", object.key));
            }
        }
    }

    /// Appends to an object of its own until that is in doubt.
    async fn append(&mut self, limit: Limit) {
        let id = self.oracle.tick();
        let key = format!("appended/{}/{id}", self.number);
        let (mut sure, mut crc, bucket) = (Vec::new(), 0, self.bucket(limit));
        for piece in 1..=4 {
            let bytes = content(id ^ piece << 24, 0..1 + self.chance.length(20_000));
            let append = AppendObject::to(&*key, sure.len() as u64, bytes.clone()).initial_crc64(crc);
            // Told before it is sent: this call may be dropped.
            let told = |doubtful| Appended { key: key.clone(), sure: sure.clone(), doubtful };
            let watch = Watch { oracle: &self.oracle, appended: Some(told(bytes.to_vec())) };
            let call = self.timed(limit, bucket.send(append)).await;
            match &call {
                Ok(reply) => {
                    crc = oss_crc::combine(crc, oss_crc::checksum(&bytes), bytes.len() as u64);
                    if reply.output.crc64.is_some_and(|theirs| theirs != crc) {
                        self.tally.wrong(format!("{key}: an append with another checksum was taken"));
                    }
                    watch.forget();
                    sure.extend_from_slice(&bytes);
                }
                Err(error) if error.outcome() == oss_hyper::Outcome::Unknown => return,
                Err(_) => {
                    watch.forget();
                    break;
                }
            }
        }
        self.oracle.append(Appended { key, sure, doubtful: Vec::new() });
    }

    /// In two parts.
    async fn upload_in_parts(&mut self, limit: Limit) {
        let (key, rest) = (self.key(), self.chance.length(50_000));
        let bucket = self.bucket(limit);
        let begun = self.timed(limit, bucket.send(InitiateMultipartUpload::to(&*key))).await;
        let Ok(upload) = begun.map(|reply| reply.output.upload_id) else { return };
        let ticket = self.oracle.begin(&key, Some(PART_BYTES + rest));
        let mut parts = Vec::new();
        let pieces: [Bytes; 2] =
            [ticket.content.slice(..PART_BYTES as usize), ticket.content.slice(PART_BYTES as usize..)];
        for (number, piece) in (1..).zip(pieces) {
            let part = UploadPart::to(&*key, &upload, number, piece);
            let Ok(reply) = self.timed(limit, bucket.send(part)).await else { return };
            let Some(etag) = reply.output.etag else { return };
            parts.push(CompletedPart::new(number, etag));
        }
        let complete = CompleteMultipartUpload::to(&*key, &upload).parts(CompletedParts::new(parts));
        let call = self.timed(limit, bucket.send(complete)).await;
        self.oracle.end(&ticket, &call, attempts(&call));
    }
}

/// Tells of an append that is in doubt, also when its caller is dropped.
struct Watch<'o> {
    oracle: &'o Oracle,
    appended: Option<Appended>,
}

impl Watch<'_> {
    fn forget(mut self) {
        self.appended = None;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(appended) = self.appended.take() {
            self.oracle.append(appended);
        }
    }
}

fn attempts<T>(result: &Ended<Reply<T>>) -> usize {
    result.as_ref().map_or(0, |reply| reply.attempts.len())
}

const KINDS: &[&str] = &[
    "put",
    "put",
    "put from a stream",
    "put once",
    "get",
    "get",
    "get",
    "get a range",
    "get a range",
    "get to a file",
    "head",
    "list",
    "delete",
    "append",
    "upload in parts",
];
/// How many keys all callers share.
const KEYS: u64 = 24;
/// The least that a part may have.
pub(super) const PART_BYTES: u64 = 100 << 10;
