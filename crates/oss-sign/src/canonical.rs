//! The canonical request, written into the buffers of a [`Scratch`].

use alloc::{string::String, vec::Vec};
use core::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::{Zeroize, Zeroizing};

use crate::{AccessKey, Request, Resource, Scope};

/// The buffers of a signature, kept by the caller so that signing allocates only when a request is larger
/// than all before it.
///
/// They hold the last signature and token; dropping the scratch wipes them, and so does a signature that
/// needs larger ones. `Debug` shows none of the contents.
#[derive(Default)]
pub struct Scratch {
    /// Raw values of what is added: date, token, authorization and so on.
    pub(crate) values: String,
    /// What is added, in order.
    pub(crate) added: Vec<Added>,
    /// Lower-case header names, then encoded names and values of the query: what is sorted by.
    work: String,
    pub(crate) canonical: String,
    pub(crate) to_sign: String,
    headers: Vec<Header>,
    pairs: Vec<Pair>,
}

impl Scratch {
    /// Empty buffers; the first signature allocates them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Empties the buffers and makes them large enough for the whole signature: one that grew while being
    /// written would leave a copy of a token behind in freed memory.
    pub(crate) fn prepare(&mut self, request: &Request<'_>, key: &AccessKey<'_>, scope: &Scope<'_>) {
        let resource = match request.resource {
            Resource::Service => ["", ""],
            Resource::Bucket(bucket) => [bucket, ""],
            Resource::Object { bucket, key } => [bucket, key],
        };
        let others = [request.method, key.id, key.token.unwrap_or_default(), scope.region, scope.product];
        let pairs = request.query.iter().chain(request.headers);
        let input = pairs.map(|(name, value)| name.len().saturating_add(value.len() + SEPARATORS));
        let input = input.chain(resource.into_iter().chain(others).map(str::len));
        let input = input.fold(0_usize, usize::saturating_add);
        // The factors: an encoded byte takes three, and a header name stands in up to three places, one of
        // them encoded. `FIXED` covers every name and constant of ours in one buffer.
        reserve(&mut self.values, input.saturating_mul(3));
        reserve(&mut self.work, input.saturating_mul(4));
        reserve(&mut self.canonical, input.saturating_mul(5));
        reserve(&mut self.to_sign, input);
        self.added.clear();
        self.headers.clear();
        self.pairs.clear();
    }

    /// Notes that a header or parameter is to be added, whose value is these pieces in a row.
    pub(crate) fn add(&mut self, name: &'static str, value: &[&str]) {
        let start = self.values.len();
        for piece in value {
            self.values.push_str(piece);
        }
        self.added.push(Added { name, value: Span { start, end: self.values.len() } });
    }

    /// Picks the headers to sign, the caller's and those added so far, sorts them, and returns the list of
    /// additional ones, `a;b`, when not empty.
    ///
    /// What is added replaces the caller's headers of its name.
    pub(crate) fn collect_headers(&mut self, request: &Request<'_>) -> Option<Span> {
        for (index, (name, value)) in request.headers.iter().enumerate() {
            let replaced = self.added.iter().any(|added| name.eq_ignore_ascii_case(added.name));
            if replaced || name.eq_ignore_ascii_case("authorization") {
                continue;
            }
            let additional = !is_signed_anyway(name);
            if additional && !(is_named(request.additional, name) && is_present(request, name, value)) {
                continue;
            }
            let start = self.work.len();
            self.work.push_str(name);
            self.work[start..].make_ascii_lowercase();
            let name = Span { start, end: self.work.len() };
            self.headers.push(Header { name, additional, value: Value::Caller(index) });
        }
        for added in &self.added {
            let name = push(&mut self.work, added.name);
            self.headers.push(Header { name, additional: false, value: Value::Added(added.value) });
        }
        let work = &self.work;
        // Equal names keep the caller's order: their values are joined in it.
        self.headers.sort_unstable_by(|a, b| (a.name.of(work), a.value).cmp(&(b.name.of(work), b.value)));
        self.list_additional()
    }

    fn list_additional(&mut self) -> Option<Span> {
        let start = self.values.len();
        let mut last = None;
        for header in self.headers.iter().filter(|header| header.additional) {
            let name = header.name.of(&self.work);
            if last == Some(name) {
                continue;
            }
            if last.is_some() {
                self.values.push(';');
            }
            self.values.push_str(name);
            last = Some(name);
        }
        last.map(|_| Span { start, end: self.values.len() })
    }

    /// Lower-case names of the headers that the signature covers, sorted.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        let name = |header: &Header| header.name.of(&self.work);
        self.headers.iter().enumerate().filter_map(move |(index, header)| {
            let repeated = index > 0 && name(&self.headers[index - 1]) == name(header);
            (!repeated).then(|| name(header))
        })
    }

    /// Takes a parameter into the canonical query.
    pub(crate) fn add_pair(&mut self, name: &str, value: &str) {
        let name = push_encoded(&mut self.work, name, QUERY);
        let value = push_encoded(&mut self.work, value, QUERY);
        self.pairs.push(Pair { name, value });
    }

    /// Takes what is added so far into the canonical query.
    pub(crate) fn add_own_pairs(&mut self) {
        for added in &self.added {
            let name = push(&mut self.work, added.name);
            let value = push_encoded(&mut self.work, added.value.of(&self.values), QUERY);
            self.pairs.push(Pair { name, value });
        }
    }

    /// Writes the six fields of the canonical request, from the headers and pairs taken before.
    pub(crate) fn write_canonical(&mut self, request: &Request<'_>, additional: Option<Span>, payload: &str) {
        self.canonical.push_str(request.method);
        self.canonical.push('\n');
        write_resource(&mut self.canonical, request.resource);
        self.canonical.push('\n');
        self.write_query();
        self.canonical.push('\n');
        self.write_headers(request);
        self.canonical.push('\n');
        if let Some(additional) = additional {
            self.canonical.push_str(additional.of(&self.values));
        }
        self.canonical.push('\n');
        self.canonical.push_str(payload);
    }

    fn write_query(&mut self) {
        let work = &self.work;
        let sort_by = |pair: &Pair| (pair.name.of(work), pair.value.of(work));
        self.pairs.sort_unstable_by(|a, b| sort_by(a).cmp(&sort_by(b)));
        for (index, (name, value)) in self.pairs.iter().map(sort_by).enumerate() {
            if index > 0 {
                self.canonical.push('&');
            }
            self.canonical.push_str(name);
            // OSS reads `?acl` and `?acl=` alike; the canonical form is the bare name.
            if !value.is_empty() {
                self.canonical.push('=');
                self.canonical.push_str(value);
            }
        }
    }

    fn write_headers(&mut self, request: &Request<'_>) {
        let mut last = None;
        for header in &self.headers {
            let name = header.name.of(&self.work);
            let value = match header.value {
                Value::Added(span) => span.of(&self.values),
                Value::Caller(index) => request.headers[index].1,
            };
            if last == Some(name) {
                self.canonical.push(',');
            } else {
                if last.is_some() {
                    self.canonical.push('\n');
                }
                self.canonical.push_str(name);
                self.canonical.push(':');
            }
            self.canonical.push_str(trim(value));
            last = Some(name);
        }
        if last.is_some() {
            self.canonical.push('\n');
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for buffer in [&mut self.values, &mut self.work, &mut self.canonical, &mut self.to_sign] {
            buffer.zeroize();
        }
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// A header or parameter that the signer adds; the value stands in [`Scratch::values`].
#[derive(Clone, Copy)]
pub(crate) struct Added {
    pub(crate) name: &'static str,
    pub(crate) value: Span,
}

/// A piece of one of the buffers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn of(self, buffer: &str) -> &str {
        &buffer[self.start..self.end]
    }
}

/// A header to sign; the name stands in [`Scratch::work`].
struct Header {
    name: Span,
    value: Value,
    additional: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    /// Index into the request's headers.
    Caller(usize),
    Added(Span),
}

/// An encoded parameter in [`Scratch::work`].
struct Pair {
    name: Span,
    value: Span,
}

fn push(buffer: &mut String, text: &str) -> Span {
    let start = buffer.len();
    buffer.push_str(text);
    Span { start, end: buffer.len() }
}

/// Appends a digest as lower-case hexadecimal digits.
pub(crate) fn push_hex(buffer: &mut String, digest: &[u8; DIGEST_BYTES]) -> Span {
    let mut digits = Zeroizing::new([[0; 2]; DIGEST_BYTES]);
    for (pair, byte) in digits.iter_mut().zip(digest) {
        *pair = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    }
    push(buffer, core::str::from_utf8(digits.as_flattened()).expect("hexadecimal digits are ASCII"))
}

/// The value without space and tab around it, which is what a receiver sees (RFC 9110 section 5.5).
pub(crate) fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

fn push_encoded(buffer: &mut String, text: &str, encoded: &'static AsciiSet) -> Span {
    let start = buffer.len();
    buffer.extend(utf8_percent_encode(text, encoded));
    Span { start, end: buffer.len() }
}

fn write_resource(canonical: &mut String, resource: Resource<'_>) {
    let (bucket, key) = match resource {
        Resource::Service => return canonical.push('/'),
        Resource::Bucket(bucket) => (bucket, ""),
        Resource::Object { bucket, key } => (bucket, key),
    };
    canonical.push('/');
    push_encoded(canonical, bucket, PATH);
    canonical.push('/');
    push_encoded(canonical, key, PATH);
}

fn is_signed_anyway(name: &str) -> bool {
    let prefix = name.as_bytes().get(..SIGNED_PREFIX.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(SIGNED_PREFIX))
        || name.eq_ignore_ascii_case("content-type")
        || name.eq_ignore_ascii_case("content-md5")
}

fn is_named(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// The official SDKs take an additional header whose value is empty for one that is not there.
fn is_present(request: &Request<'_>, name: &str, value: &str) -> bool {
    let has_value = |value: &str| !trim(value).is_empty();
    has_value(value)
        || request.headers.iter().any(|(other, value)| has_value(value) && other.eq_ignore_ascii_case(name))
}

fn reserve(buffer: &mut String, bytes: usize) {
    let bytes = bytes.saturating_add(FIXED);
    buffer.clear();
    if buffer.capacity() < bytes {
        buffer.zeroize();
        *buffer = String::with_capacity(bytes);
    }
}

pub(crate) const DIGEST_BYTES: usize = 32;
const SIGNED_PREFIX: &[u8] = b"x-oss-";
const HEX: &[u8; 16] = b"0123456789abcdef";
/// Bytes of punctuation that one header or parameter may need in one buffer.
const SEPARATORS: usize = 3;
/// Bytes that everything of ours may need in one buffer: names, dates, digests, punctuation.
const FIXED: usize = 512;
/// What is encoded in a query: all but the unreserved characters of RFC 3986.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What is encoded in a path: the same, but `/` stays.
const PATH: &AsciiSet = &QUERY.remove(b'/');

#[cfg(test)]
mod tests {
    use alloc::{format, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::{SigningKey, UnixTime, presign_query, sign_headers};

    const GET: Request<'static> =
        Request { method: "GET", resource: Resource::Service, query: &[], headers: &[], additional: &[] };
    const KEY: AccessKey<'static> = AccessKey { id: "ak", secret: "sk", token: None };
    const SCOPE: Scope<'static> =
        Scope { region: "cn-hangzhou", product: "oss", time: UnixTime::from_secs(1_702_743_657) };

    const HEADER: &str = "(x-oss-|content-type|X)[A-Za-z;%]{0,30}";

    /// The canonical request without the signer's own headers, as six fields.
    fn canonical(request: &Request<'_>) -> (String, String, String, String) {
        let mut scratch = Scratch::new();
        scratch.prepare(request, &KEY, &SCOPE);
        let additional = scratch.collect_headers(request);
        for (name, value) in request.query {
            scratch.add_pair(name, value);
        }
        scratch.write_canonical(request, additional, "PAYLOAD");
        let text = scratch.canonical.strip_prefix("GET\n").expect("starts with the method");
        let text = text.strip_suffix("\nPAYLOAD").expect("ends with the payload");
        let (uri, text) = text.split_once('\n').expect("a uri");
        let (query, text) = text.split_once('\n').expect("a query");
        let (headers, additional) = text.rsplit_once('\n').expect("headers");
        (uri.into(), query.into(), headers.into(), additional.into())
    }

    #[test]
    fn b13_b14_the_resource_is_encoded_once_and_never_folded() {
        let object = |key| Resource::Object { bucket: "bucket", key };
        let table = [
            (Resource::Service, "/"),
            (Resource::Bucket("bucket"), "/bucket/"),
            (object(""), "/bucket/"),
            (object("a/b"), "/bucket/a/b"),
            (object("/lead"), "/bucket//lead"),
            (object("a//b/"), "/bucket/a//b/"),
            (object("./a/../b"), "/bucket/./a/../b"),
            (object("a b+c%20d%"), "/bucket/a%20b%2Bc%2520d%25"),
            (object("?x=1#y&z;"), "/bucket/%3Fx%3D1%23y%26z%3B"),
            (object("-._~*'()!"), "/bucket/-._~%2A%27%28%29%21"),
            (object("中😀\n\u{7f}"), "/bucket/%E4%B8%AD%F0%9F%98%80%0A%7F"),
            (Resource::Bucket("a b/c"), "/a%20b/c/"),
        ];
        for (resource, uri) in table {
            assert_eq!(canonical(&Request { resource, ..GET }).0, uri);
        }
    }

    #[test]
    fn b30_the_query_is_encoded_and_sorted_by_encoded_name_then_value() {
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let table: [(Pairs<'_>, &str); 8] = [
            (&[], ""),
            (&[("acl", "")], "acl"),
            (&[("b", "2"), ("a", "1")], "a=1&b=2"),
            // `|` sorts after letters and its encoding before them.
            (&[("param1", "3"), ("|param1", "2"), ("+param1", "1")], "%2Bparam1=1&%7Cparam1=2&param1=3"),
            // By name first: as whole texts, `a-b=…` would come before `a=…`.
            (&[("a-b", "2"), ("a", "1")], "a=1&a-b=2"),
            (&[("a", "2"), ("a", "1"), ("a", "")], "a&a=1&a=2"),
            (&[("", "x"), ("", ""), ("z", "")], "&=x&z"),
            (&[("k/&=", "v /?%中")], "k%2F%26%3D=v%20%2F%3F%25%E4%B8%AD"),
        ];
        for (query, text) in table {
            assert_eq!(canonical(&Request { query, ..GET }).1, text);
        }
    }

    #[test]
    fn headers_are_picked_trimmed_joined_and_sorted() {
        let headers = [
            ("X-Oss-Meta-B", "\t v  w \t"),
            ("x-oss-meta-a", ""),
            ("Content-Type", "text/plain"),
            ("CONTENT-MD5", "5"),
            ("Range", "bytes=0-9"),
            ("x-oss-meta-b", "second"),
            ("x-osss", "not ours"),
            ("x-oss", "not ours"),
            ("authorization", "never"),
            ("X-OSS-META-B", "third"),
        ];
        let request = Request { headers: &headers, ..GET };
        let (.., lines, additional) = canonical(&request);
        let signed =
            "content-md5:5\ncontent-type:text/plain\nx-oss-meta-a:\nx-oss-meta-b:v  w,second,third\n";
        assert_eq!((lines.as_str(), additional.as_str()), (signed, ""));

        let additional = ["RANGE", "range", "Content-Type", "x-oss-meta-a", "absent", "authorization"];
        let (.., lines, list) = canonical(&Request { additional: &additional, ..request });
        let signed = signed.replace("x-oss-meta-a", "range:bytes=0-9\nx-oss-meta-a");
        assert_eq!((lines, list.as_str()), (signed, "range"));
    }

    #[test]
    fn an_additional_header_without_a_value_is_absent_and_keeps_its_empty_repeats_otherwise() {
        let additional = ["b", "a"];
        let empty = Request { headers: &[("a", " "), ("A", "\t")], additional: &additional, ..GET };
        assert_eq!(canonical(&empty), ("/".into(), String::new(), String::new(), String::new()));
        let headers = [("b", "1"), ("a", ""), ("A", "x"), ("B", "2"), ("c", "3")];
        let (.., lines, list) = canonical(&Request { headers: &headers, additional: &additional, ..GET });
        assert_eq!((lines.as_str(), list.as_str()), ("a:,x\nb:1,2\n", "a;b"));
    }

    #[test]
    fn a_smaller_request_reuses_the_buffers_and_leaves_nothing_of_the_larger_one() {
        let signing = SigningKey::derive(&KEY, &SCOPE);
        let mut scratch = Scratch::new();
        let value = "v".repeat(5_000);
        let large = Request { headers: &[("x-oss-meta-large", &value)], query: &[("q", &value)], ..GET };
        sign_headers(&large, &KEY, &signing, &SCOPE, &mut scratch);
        let before = capacities(&scratch);
        let again = sign_headers(&GET, &KEY, &signing, &SCOPE, &mut scratch).signature().len();
        assert_eq!((again, capacities(&scratch)), (64, before));
        assert!(!scratch.canonical.contains("large"));
        assert_eq!(format!("{scratch:?}"), "Scratch { .. }");
    }

    fn capacities(scratch: &Scratch) -> [usize; 4] {
        [&scratch.values, &scratch.work, &scratch.canonical, &scratch.to_sign].map(String::capacity)
    }

    proptest! {
        #[test]
        fn no_buffer_grows_while_it_is_written(
            method in "[A-Z]{0,8}",
            (bucket, key) in ("\\PC{0,20}", "\\PC{0,200}"),
            query in prop::collection::vec(("\\PC{0,10}", "\\PC{0,40}"), 0..12),
            headers in prop::collection::vec((HEADER, "\\PC{0,30}"), 0..12),
            (id, region, token) in ("\\PC{0,40}", "\\PC{0,30}", prop::option::of("\\PC{0,90}")),
        ) {
            let query = query.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>();
            let headers = headers.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>();
            let additional = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>();
            let resource = Resource::Object { bucket: &bucket, key: &key };
            let key = AccessKey { id: &id, secret: "sk", token: token.as_deref() };
            let scope = Scope { region: &region, product: &id, time: UnixTime::MAX };
            let request = Request {
                method: &method,
                resource,
                query: &query,
                headers: &headers,
                additional: &additional,
            };
            let signing = SigningKey::derive(&key, &scope);
            let mut scratch = Scratch::new();
            scratch.prepare(&request, &key, &scope);
            let reserved = capacities(&scratch);
            sign_headers(&request, &key, &signing, &scope, &mut scratch);
            prop_assert_eq!(capacities(&scratch), reserved);
            let valid_for = core::time::Duration::from_secs(43_200);
            let signed = presign_query(&request, &key, &signing, &scope, valid_for, &mut scratch);
            prop_assert!(signed.is_ok());
            prop_assert_eq!(capacities(&scratch), reserved);
            let names = scratch.header_names().collect::<Vec<_>>();
            let mut sorted = vec![""; 0];
            sorted.extend(&names);
            sorted.sort_unstable();
            sorted.dedup();
            prop_assert_eq!(names, sorted);
        }
    }
}
