//! Answers that are made to cost much, and what each is handed to: the entry points that a peer reaches.

use core::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use oss_credentials::{
    Answer, CredentialCache, CredentialsUri, FileAnswer, HttpAnswer, IniProfile, Lookup, Need, Source, Step,
};
use oss_proto::{
    Action, Call, CopyObject, CopySource, Credentials, DeleteMultipleObjects, Endpoint, Event, Exchange,
    HeadObject, ListBuckets, ListObjectVersions, ListObjects, ListObjectsV2, ListParts, Now, Operation,
    Policy, ProcessObject, Region, ReplyHead, Sent, Service, ServiceError, UnixTime,
};

/// An answer and who reads it.
pub(crate) struct Case {
    /// What it is.
    pub(crate) name: &'static str,
    /// The longest that is tried, in bytes.
    pub(crate) bytes_max: usize,
    /// The answer, of about this length.
    pub(crate) make: fn(usize) -> Input,
    /// Reads it; whether it was taken.
    pub(crate) read: fn(&Input) -> Reading,
}

/// What comes.
pub(crate) struct Input {
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Input {
    /// All that came, in bytes.
    pub(crate) fn len(&self) -> usize {
        let header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
        self.body.len() + self.headers.iter().map(header).sum::<usize>()
    }
}

/// What came of it, kept until it was weighed.
pub(crate) type Reading = Result<Box<dyn core::any::Any>, Box<dyn core::error::Error>>;

/// Every case.
pub(crate) const CASES: &[Case] = &[
    // Lists: many elements that hold nothing.
    case("xml: empty prefixes", XML, |n| list("<CommonPrefixes><Prefix/></CommonPrefixes>", n), list_v2),
    case("xml: empty objects", XML, |n| list("<Contents><Key/></Contents>", n), list_v2),
    case("xml: elements nobody knows", XML, |n| list("<K/>", n), list_v2),
    case("xml: empty buckets", XML, buckets, |input| call(&ListBuckets::new(), 200, input)),
    case("xml: empty parts", XML, parts, |input| call(&ListParts::new(BUCKET, "a", "u"), 200, input)),
    case("xml: empty versions", XML, versions, |input| call(&ListObjectVersions::new(BUCKET), 200, input)),
    case("xml: empty deletions", XML, deletions, |input| {
        call(&DeleteMultipleObjects::new(BUCKET, ["a"]), 200, input)
    }),
    // Texts.
    case("xml: one text", XML, |n| text(&["a"], n), list_v2),
    case("xml: one text of references", XML, |n| text(&["&amp;", "&#65;"], n), list_v2),
    case("xml: one text of comments", XML, |n| text(&["<!---->a"], n), list_v2),
    case("xml: a text, a comment, a byte", XML, broken_text, list_v2),
    case("xml: one text of CDATA", XML, |n| text(&["<![CDATA[<![CDATA[]]]]>"], n), list_v2),
    case("xml: what looks like CDATA's end", XML, |n| text(&["]]"], n), list_v2),
    case("xml: a text of escapes", XML, |n| encoded("%41", "", n), list_v2),
    case("xml: an escape broken at the end", XML, |n| encoded("%01", "%zz", n), list_v2),
    case("xml: escapes of no UTF-8", XML, |n| encoded("%01", "%ff", n), list_v2),
    case("xml: a number without end", XML, |n| between("<R", "<MaxKeys>", "1", "</MaxKeys>", n), list_v2),
    // Markup.
    case("xml: deep", XML, |n| list("<a>", n), list_v2),
    case("xml: 100,000 attributes", XML, attributes, list_v2),
    case("xml: 32 attributes each", XML, |n| list(&format!("<K{}/>", " a='v'".repeat(32)), n), list_v2),
    case("xml: one attribute", XML, |n| between("<R", "<K a='", "v", "'/>", n), list_v2),
    case("xml: one name", XML, |n| between("<R", "<", "K", "/>", n), list_v2),
    case("xml: comments", XML, |n| list("<!-- - -->", n), list_v2),
    case("xml: a comment without end", XML, |n| list("<!-- - - ", n), list_v2),
    case("xml: instructions", XML, |n| list("<?p ?>", n), list_v2),
    case("xml: blanks", XML, |n| list(" \n", n), list_v2),
    case("xml: entity bomb", XML, bomb, list_v2),
    case(
        "xml: not UTF-8 at the end",
        XML,
        |n| body([text(&["a"], n).body.as_ref(), b"\xff"].concat()),
        list_v2,
    ),
    case("xml: no XML", XML, |n| body("<html> ".repeat(n / 7)), list_v2),
    // JSON.
    case("json: deep", JSON, |n| body(format!("{{\"a\":{}", "[".repeat(n))), process),
    case("json: one text", JSON, |n| body(format!("{{\"bucket\":\"{}\"}}", "a".repeat(n))), process),
    case(
        "json: one text of escapes",
        JSON,
        |n| body(format!("{{\"bucket\":\"{}\"}}", "\\u0041".repeat(n / 6))),
        process,
    ),
    case("json: members", JSON, |n| body(format!("{{{}\"b\":1}}", "\"a\":1,".repeat(n / 6))), process),
    case("json: a list", JSON, |n| body(format!("{{\"a\":[{}1]}}", "[],".repeat(n / 3))), process),
    // Refusals.
    case("error: one text", XML, |n| body(format!("<Error><Code>{}</Code></Error>", "a".repeat(n))), refused),
    case("error: elements", XML, |n| body(format!("<Error>{}</Error>", "<a/>".repeat(n / 4))), refused),
    case(
        "error: nested elements",
        XML,
        |n| body(format!("<Error>{}</Error>", "<a><b>c</b></a>".repeat(n / 15))),
        refused,
    ),
    case(
        "error: not UTF-8",
        XML,
        |n| body([b"<Error><Message>".as_slice(), &vec![0xff; n], b"</Message></Error>"].concat()),
        refused,
    ),
    case(
        "error: control characters",
        ERROR,
        |n| body(format!("<Error><Message>{}</Message></Error>", "\u{1}".repeat(n))),
        refused,
    ),
    case("error: all fields", ERROR, fields, refused),
    case("error: html", XML, |n| body(format!("<html>{}", "\u{1b}[31m".repeat(n / 5))), refused),
    case(
        "error: under 200",
        ERROR,
        |n| body(format!("<Error><Code>{}</Code></Error>", "a".repeat(n))),
        |input| call(&CopyObject::new(BUCKET, "a", CopySource::new(BUCKET, "b")), 200, input),
    ),
    // Headers.
    case("header: x-oss-err", 1 << 20, |n| header("x-oss-err", &"QUFB".repeat(n / 4)), no_body),
    case("header: x-oss-err within 8 KiB", 10 << 10, |n| header("x-oss-err", &"QUFB".repeat(n / 4)), no_body),
    case("header: request id", 1 << 20, |n| header("x-oss-request-id", &"A".repeat(n)), no_body),
    case(
        "header: location",
        64 << 10,
        |n| header("location", &"http://a/".repeat(n / 9)),
        |input| call(&HeadObject::new(BUCKET, "a"), 301, input),
    ),
    case("header: a flood of metadata", 64 << 10, flood, |input| {
        call(&HeadObject::new(BUCKET, "a"), 200, input)
    }),
    // Credential sources.
    case("credentials: deep JSON", XML, |n| body(format!("{{\"a\":{}", "[".repeat(n))), uri),
    case("credentials: deep JSON within 64 KiB", 65_000, |n| body(format!("{{\"a\":{}", "[".repeat(n))), uri),
    case(
        "credentials: members within 64 KiB",
        65_000,
        |n| body(format!("{{{}}}", (0..n / 9).map(|i| format!("\"{i:04}\":1,")).collect::<String>())),
        uri,
    ),
    case(
        "credentials: a token within 64 KiB",
        65_000,
        |n| body(format!("{{\"SecurityToken\":\"{}\"}}", "\\u0041".repeat(n / 6))),
        uri,
    ),
    case("ini: 64 MiB", 64 << 20, |n| body("[a]\n".repeat(n / 4)), ini),
    case(
        "ini: sections within 1 MiB",
        1_000_000,
        |n| body((0..n / 9).map(|i| format!("[{i:06}]\n")).collect::<String>()),
        ini,
    ),
    case(
        "ini: values within 1 MiB",
        1_000_000,
        |n| body(format!("[default]\n{}", "k = v # c\n".repeat(n / 10))),
        ini,
    ),
    case(
        "ini: one line within 1 MiB",
        1_000_000,
        |n| body(format!("[default]\nk = {}", " #".repeat(n / 2))),
        ini,
    ),
];

const fn case(
    name: &'static str,
    bytes_max: usize,
    make: fn(usize) -> Input,
    read: fn(&Input) -> Reading,
) -> Case {
    Case { name, bytes_max, make, read }
}

fn body(body: impl Into<Vec<u8>>) -> Input {
    Input { headers: HeaderMap::new(), body: Bytes::from(body.into()) }
}

fn header(name: &'static str, value: &str) -> Input {
    let value = HeaderValue::from_str(value).expect("it is printable");
    Input { headers: HeaderMap::from_iter([(HeaderName::from_static(name), value)]), body: Bytes::new() }
}

fn list(part: &str, bytes: usize) -> Input {
    repeated("<ListBucketResult>", part, "</ListBucketResult>", bytes)
}

fn repeated(start: &str, part: &str, end: &str, bytes: usize) -> Input {
    let count = bytes.saturating_sub(start.len() + end.len()) / part.len();
    body([start, &part.repeat(count), end].concat())
}

fn between(_: &str, start: &str, part: &str, end: &str, bytes: usize) -> Input {
    let (start, end) = (format!("<ListBucketResult>{start}"), format!("{end}</ListBucketResult>"));
    repeated(&start, part, &end, bytes)
}

fn text(parts: &[&str], bytes: usize) -> Input {
    between("", "<Name>", &parts.concat(), "</Name>", bytes)
}

/// Copied whole for the sake of a byte.
fn broken_text(bytes: usize) -> Input {
    between("", "<Name>", "a", "<!---->b</Name>", bytes)
}

fn encoded(part: &str, end: &str, bytes: usize) -> Input {
    let start = "<EncodingType>url</EncodingType><Prefix>";
    between("", start, part, &format!("{end}</Prefix>"), bytes)
}

fn buckets(bytes: usize) -> Input {
    let (start, end) = ("<ListAllMyBucketsResult><Buckets>", "</Buckets></ListAllMyBucketsResult>");
    repeated(start, "<Bucket/>", end, bytes)
}

fn parts(bytes: usize) -> Input {
    let part = "<Part><PartNumber>1</PartNumber></Part>";
    repeated("<ListPartsResult>", part, "</ListPartsResult>", bytes)
}

fn versions(bytes: usize) -> Input {
    let part = "<Version><Key/></Version><DeleteMarker><Key/></DeleteMarker>";
    repeated("<ListVersionsResult>", part, "</ListVersionsResult>", bytes)
}

fn deletions(bytes: usize) -> Input {
    repeated("<DeleteResult>", "<Deleted><Key/></Deleted>", "</DeleteResult>", bytes)
}

fn attributes(bytes: usize) -> Input {
    between("", "<K", &(0..100_000).map(|i| format!(" a{i}='v'")).collect::<String>(), "/>", bytes)
}

fn bomb(bytes: usize) -> Input {
    let lol = "<!DOCTYPE R [<!ENTITY a0 'lol'><!ENTITY a1 '&a0;&a0;&a0;&a0;'>]><ListBucketResult><Name>";
    repeated(lol, "&a1;", "</Name></ListBucketResult>", bytes)
}

fn fields(bytes: usize) -> Input {
    let field = |i: usize| format!("<Field{i}>{}</Field{i}>", "&#1;".repeat(bytes / 300));
    body(format!("<Error>{}</Error>", (0..70).map(field).collect::<String>()))
}

/// As many headers as a connection takes, and as long.
fn flood(bytes: usize) -> Input {
    let header = |i: usize| {
        let name = HeaderName::try_from(format!("x-oss-meta-{i}")).expect("it is a name");
        (name, HeaderValue::try_from("v".repeat(bytes / 128 - 14)).expect("it is printable"))
    };
    Input { headers: (0..128).map(header).collect(), body: Bytes::new() }
}

fn list_v2(input: &Input) -> Reading {
    // The other list has the same rows but the token: what one is spared the other is not.
    call(&ListObjectsV2::new(BUCKET), 200, input).or_else(|_| call(&ListObjects::new(BUCKET), 200, input))
}

fn process(input: &Input) -> Reading {
    call(&ProcessObject::new(BUCKET, "a", "image/info"), 200, input)
}

fn refused(input: &Input) -> Reading {
    let error = ServiceError::read(500, &input.headers, &input.body);
    assert!(error.to_string().len() < 8 << 10);
    call(&ListObjectsV2::new(BUCKET), 500, input)
}

fn no_body(input: &Input) -> Reading {
    call(&HeadObject::new(BUCKET, "a"), 404, input)
}

/// A whole call, once, whose answer comes in pieces as a connection gives them.
fn call<O: Operation<Output: 'static>>(operation: &O, status: u16, input: &Input) -> Reading {
    let region = Region::parse("cn-hangzhou")?;
    let service = Service::new(Endpoint::public(&region)).with_region(region).with_retry(Policy::none());
    let now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let mut call = Exchange::new(operation, &service, Call::seeded(7));
    let mut rest = input.body.clone();
    loop {
        let event = match call.poll(now) {
            Action::Authenticate { .. } => Event::Credentials(Credentials::new("id", "secret")?),
            Action::Send(_) => {
                let head = ReplyHead::new(status, input.headers.clone());
                Event::Head(oss_proto::Head::new(head, Sent::new()))
            }
            Action::Read { .. } if rest.is_empty() => Event::End,
            Action::Read { .. } => Event::Body(rest.split_to(rest.len().min(PIECE_BYTES))),
            Action::Retry(_) => Event::Retry(None),
            Action::Wait { .. } => unreachable!("nothing is repeated"),
            Action::Done(result) => {
                drop(call);
                return result.map(|reply| Box::new(reply) as _).map_err(Into::into);
            }
        };
        call.handle(event, now);
    }
}

fn uri(input: &Input) -> Reading {
    let source = CredentialsUri::new("https://a.example/").into();
    obtain(source, |_| Answer::Http(HttpAnswer::new(200, input.body.to_vec())))
}

fn ini(input: &Input) -> Reading {
    obtain(IniProfile::new().file("/f").into(), |lookup| match lookup {
        Lookup::Env(names) => Answer::Env(names.iter().map(|_| None).collect()),
        _ => Answer::File(FileAnswer::new(input.body.to_vec())),
    })
}

fn obtain(source: Source, answer: impl Fn(&Lookup) -> Answer) -> Reading {
    let mut cache = CredentialCache::new(source, 1);
    let now = UnixTime::from_secs(1_700_000_000);
    for _ in 0..QUESTIONS_MAX {
        match cache.poll(Need::until(now), Duration::ZERO, now) {
            Step::Ready(credentials) => return Ok(Box::new(credentials)),
            Step::Failed(error) => return Err(error.into()),
            Step::Wait { .. } => break,
            Step::Ask(ticket, lookup) => {
                let answer = answer(&lookup);
                cache.answer(ticket, answer, Duration::ZERO, now);
            }
        }
    }
    Err("asked again and again".into())
}

const BUCKET: &str = "examplebucket";
/// The most that is collected.
const XML: usize = 16 << 20;
const JSON: usize = 16_000_000;
/// The most that is read of a refusal.
const ERROR: usize = 64 << 10;
/// What a connection gives in one go.
const PIECE_BYTES: usize = 16 << 10;
const QUESTIONS_MAX: usize = 40;
