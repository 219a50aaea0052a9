//! A cheap model of OSS: it believes signatures, and decides and answers as OSS does in all that a schedule
//! can ask for. The verifying emulator is the dear one.

use bytes::Bytes;
use http::Method;
use oss_proto::{ByteRange, Text as _, UnixTime};

use crate::peer::Answer;
use crate::sim::history::{History, Version};
use crate::sim::schedule::{KEYS, Kind, Plan};

/// A request as the model sees it.
pub(crate) struct Asked<'a> {
    /// The call that makes it.
    pub(crate) plan: &'a Plan,
    /// The request.
    pub(crate) request: &'a http::Request<()>,
    /// Its body as it came.
    pub(crate) body: &'a Bytes,
    /// The body is the one that was sent.
    pub(crate) is_intact: bool,
    /// The access key that is taken.
    pub(crate) key_id: &'a str,
    /// The time of the peer.
    pub(crate) wall: UnixTime,
    /// The time of the world, in nanoseconds.
    pub(crate) now: u64,
}

/// What the model answers, and whether it did something.
pub(crate) fn perform(asked: &Asked<'_>, history: &mut History) -> (Answer, bool) {
    let refused = refuse_stranger(asked).or_else(|| refuse(asked, history));
    if let Some(answer) = refused {
        return (answer, false);
    }
    let does = !matches!(*asked.request.method(), Method::GET | Method::HEAD);
    if does {
        let id = (asked.plan.kind == Kind::Begin).then(|| format!("NEW{}", history.begun.len()));
        history.apply(asked.plan, asked.body, id, asked.now);
        header(asked, NONCE).into_iter().for_each(|nonce| history.mark(asked.plan.key, nonce));
    }
    (answer(asked, history), does)
}

fn header<'a>(asked: &'a Asked<'_>, name: &str) -> Option<&'a str> {
    asked.request.headers().get(name)?.to_str().ok()
}

/// Who signs with another key or at another time.
fn refuse_stranger(asked: &Asked<'_>) -> Option<Answer> {
    let refused = |code| Some(Answer::error(403, code));
    let date = header(asked, "x-oss-date").and_then(UnixTime::parse_iso_basic);
    if date.is_none_or(|date| date.as_secs().abs_diff(asked.wall.as_secs()) > SKEW_SECS_MAX) {
        let answer = refused("RequestTimeTooSkewed")?;
        return Some(answer.header("date", asked.wall.http_date().as_str()));
    }
    let credential = header(asked, "authorization")?.split_once("Credential=")?.1;
    match credential.strip_prefix(asked.key_id) {
        Some(rest) if rest.starts_with('/') => None,
        _ => refused("InvalidAccessKeyId"),
    }
}

/// What stands against the request in what there is.
fn refuse(asked: &Asked<'_>, history: &History) -> Option<Answer> {
    let plan = asked.plan;
    let current = history.current(asked_key(asked));
    let refused = |status, code| Some(Answer::error(status, code));
    if asked.request.method() == Method::HEAD {
        return current.is_none().then(|| Answer::new(404));
    }
    if is_look_at_link(asked) {
        return current.is_none().then(|| Answer::error(404, "NoSuchKey"));
    }
    match plan.kind {
        Kind::Get => {
            let Some(version) = current else { return refused(404, "NoSuchKey") };
            if header(asked, "if-match").is_some_and(|tag| tag != version.tag()) {
                return refused(412, "PreconditionFailed");
            }
            let range = header(asked, "range").and_then(ByteRange::parse);
            let size = version.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
            range.filter(|range| range.select(size).is_none()).and_then(|_| refused(416, "InvalidRange"))
        }
        Kind::Named(_) => refused(501, "NotImplemented"),
        Kind::PutNew | Kind::CopyNew(_) | Kind::Link(_) if current.is_some() => {
            refused(409, "FileAlreadyExists")
        }
        Kind::Append => {
            let at = KEYS[plan.key].len.map_or(0, usize::from);
            match current {
                Some(version) if !version.is_appendable => refused(409, "ObjectNotAppendable"),
                Some(version) if version.bytes.as_ref().map_or(0, Bytes::len) == at => None,
                None if at == 0 => None,
                _ => refused(409, "PositionNotEqualToLength"),
            }
        }
        Kind::Copy(from) | Kind::CopyNew(from) if history.current(from).is_none() => {
            refused(404, "NoSuchKey")
        }
        Kind::Complete if history.waiting(plan.key).is_none() => refused(404, "NoSuchUpload"),
        Kind::Complete | Kind::DeleteMany if !asked.is_intact => refused(400, "MalformedXML"),
        _ => None,
    }
}

fn answer(asked: &Asked<'_>, history: &History) -> Answer {
    let plan = asked.plan;
    let dated = |answer: Answer| answer.header("date", asked.wall.http_date().as_str());
    let current = history.current(asked_key(asked));
    if is_look_at_link(asked) {
        let target = current.and_then(|version| version.target).map_or("", |target| KEYS[target].name);
        return dated(described(current, Answer::new(200))).header("x-oss-symlink-target", target);
    }
    if asked.request.method() == Method::HEAD {
        let len = current.and_then(|version| version.bytes.as_ref()).map_or(0, Bytes::len);
        return dated(described(current, Answer::new(200))).header("content-length", len.to_string());
    }
    match plan.kind {
        Kind::Get => got(asked, current),
        Kind::Head | Kind::Named(_) => Answer::new(200),
        Kind::List => Answer::new(200).body(list(history)),
        Kind::PutCalled(false) => Answer::error(203, "CallbackFailed"),
        Kind::PutCalled(true) => described(current, Answer::new(200)).body("{}"),
        Kind::Put | Kind::PutNew | Kind::Link(_) | Kind::Append => described(current, Answer::new(200)),
        Kind::Part(_) => {
            let crc = oss_crc::checksum(asked.body);
            Answer::new(200).header("etag", "\"0\"").header(CRC64, crc.to_string())
        }
        Kind::Delete => Answer::new(204),
        Kind::Copy(_) | Kind::CopyNew(_) => {
            let tag = current.map(Version::tag).unwrap_or_default();
            Answer::new(200).body(format!("<CopyObjectResult><ETag>{tag}</ETag></CopyObjectResult>"))
        }
        Kind::Begin => {
            let id = history.begun.last().map_or("", |(_, id)| id.as_str());
            Answer::new(200).body(format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        Kind::Complete => {
            let tag = current.map(Version::tag).unwrap_or_default();
            let answer = Answer::new(200).body(format!(
                "<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>"
            ));
            described(current, answer)
        }
        Kind::DeleteMany => Answer::new(200).body("<DeleteResult></DeleteResult>"),
    }
}

fn described(version: Option<&Version>, answer: Answer) -> Answer {
    let Some(version) = version else { return answer };
    let kind = match version {
        Version { is_appendable: true, .. } => "Appendable",
        Version { is_multipart: true, .. } => "Multipart",
        _ => "Normal",
    };
    let answer = answer.header("etag", version.tag()).header(CRC64, version.crc.to_string());
    let answer = answer.header("x-oss-object-type", kind);
    match &version.nonce {
        Some(nonce) => answer.header(NONCE, nonce.as_str()),
        None => answer,
    }
}

/// The key of a request: a copy is looked for at its source too.
fn asked_key(asked: &Asked<'_>) -> usize {
    match asked.plan.kind {
        Kind::CopyNew(from) if asked.request.uri().path().ends_with(&format!("/{}", KEYS[from].name)) => from,
        _ => asked.plan.key,
    }
}

fn is_look_at_link(asked: &Asked<'_>) -> bool {
    matches!(asked.plan.kind, Kind::Link(_)) && asked.request.method() == Method::GET
}

fn got(asked: &Asked<'_>, version: Option<&Version>) -> Answer {
    let bytes = version.and_then(|version| version.bytes.clone()).unwrap_or_default();
    let size = bytes.len() as u64;
    let range = header(asked, "range").and_then(ByteRange::parse).and_then(|range| range.select(size));
    let Some(range) = range else { return described(version, Answer::new(200)).body(bytes) };
    let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
    let part =
        bytes.slice(usize::try_from(range.start).unwrap_or(0)..usize::try_from(range.end).unwrap_or(0));
    described(version, Answer::new(206)).header("content-range", text).body(part)
}

fn list(history: &History) -> String {
    let mut text = String::from("<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>");
    for (key, row) in KEYS.iter().enumerate() {
        if history.current(key).is_some() {
            text.push_str(&format!("<Contents><Key>{}</Key></Contents>", row.name));
        }
    }
    text.push_str("</ListBucketResult>");
    text
}

const NONCE: &str = "x-oss-meta-write-nonce";
const CRC64: &str = "x-oss-hash-crc64ecma";
const SKEW_SECS_MAX: u64 = 900;
