//! The canonical request of V4, written into the buffers of a [`Scratch`].

use alloc::vec::Vec;
use core::{cmp::Ordering, str};

use crate::{
    Request, Resource, Scratch,
    encode::{Pen, cmp_encoded, is_oss, key_encoded, key_lower},
    scratch::{Added, Name, Room, Span},
};

impl Scratch {
    /// Picks the headers to sign, the caller's and those added so far, sorts them, and returns the list of
    /// additional ones, `a;b`, which may be empty.
    ///
    /// What is added replaces the caller's headers of its name.
    pub(crate) fn collect_headers(&mut self, request: &Request<'_>) -> Span {
        let mut any_additional = false;
        for (index, (name, value)) in request.headers.iter().enumerate() {
            if request.additional.is_empty() && !matches!(name.as_bytes(), [b'x' | b'X' | b'c' | b'C', ..]) {
                continue;
            }
            let key = key_lower(name);
            let source = if is_oss(key) {
                let is_same = |own: &Name| own.key == key && name.eq_ignore_ascii_case(own.text);
                if self.added.iter().any(|added| is_same(added.name)) {
                    continue;
                }
                Source::caller(index)
            } else if CONTENT.iter().any(|own| own.key == key && own.text.len() == name.len()) {
                Source::caller(index)
            } else if !request.additional.is_empty() && is_additional(request, name, value) {
                any_additional = true;
                Source::additional(index)
            } else {
                continue;
            };
            self.headers.push(Taken { key, source });
        }
        for (index, added) in self.added.iter().enumerate() {
            self.headers.push(Taken { key: added.name.key, source: Source::added(index) });
        }
        let Self { added, headers, .. } = self;
        let name = |source: Source| match source.kind() {
            Kind::Added => added[source.index()].name.text,
            Kind::Caller | Kind::Plain | Kind::Additional => request.headers[source.index()].0,
        };
        // Equal names keep the caller's order: their values are joined in it.
        sort(headers, |a, b| cmp_lower(name(a), name(b)).then(a.cmp(&b)));
        if any_additional { self.list_additional(request) } else { Span::EMPTY }
    }

    // Outside of the loops above, as few requests have any.
    #[cold]
    fn list_additional(&mut self, request: &Request<'_>) -> Span {
        let mut last: Option<&str> = None;
        self.values.write(|pen| {
            for header in &self.headers {
                let Kind::Additional = header.source.kind() else { continue };
                let name = request.headers[header.source.index()].0;
                if last.is_some_and(|last| last.eq_ignore_ascii_case(name)) {
                    continue;
                }
                if last.is_some() {
                    pen.byte(b';');
                }
                pen.lower(name);
                last = Some(name);
            }
        })
    }

    /// Lower-case names of the headers that the signature covers, sorted, once the canonical request is
    /// written.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| text(self.canonical.at(*name)))
    }

    /// Takes a parameter of the request into the canonical query, by its index.
    pub(crate) fn add_pair(&mut self, index: usize, name: &str) {
        let (key, plain) = key_encoded(name);
        let source = if plain { Source::plain(index) } else { Source::caller(index) };
        self.pairs.push(Taken { key, source });
    }

    /// Takes what is added so far into the canonical query.
    pub(crate) fn add_own_pairs(&mut self) {
        for (index, added) in self.added.iter().enumerate() {
            let key = added.name.key_encoded;
            self.pairs.push(Taken { key, source: Source::added(index) });
        }
    }

    /// Writes the six fields of the canonical request, from the headers and pairs taken before.
    pub(crate) fn write_canonical(&mut self, request: &Request<'_>, additional: Span, payload: &str) {
        let Self { values, added, canonical, headers, pairs, names, target, .. } = self;
        sort_pairs(pairs, |source| source.of(request.query, added, values));
        canonical.write(|pen| {
            pen.push(request.method.as_bytes());
            pen.byte(b'\n');
            let start = pen.at();
            write_resource(pen, request.resource);
            let resource = Span { start, end: pen.at() };
            pen.byte(b'\n');
            let start = pen.at();
            write_query(pen, pairs, |source| source.of(request.query, added, values));
            *target = Some((resource, Span { start, end: pen.at() }));
            pen.byte(b'\n');
            write_headers(pen, headers, names, |source| source.of(request.headers, added, values));
            pen.byte(b'\n');
            pen.push(values.at(additional));
            pen.byte(b'\n');
            pen.push(payload.as_bytes());
        });
    }
}

fn sort_pairs<'a>(pairs: &mut [Taken], pair: impl Fn(Source) -> (&'a str, &'a [u8])) {
    sort(pairs, |a, b| {
        let (a, b) = (pair(a), pair(b));
        cmp_encoded(a.0.as_bytes(), b.0.as_bytes()).then_with(|| cmp_encoded(a.1, b.1))
    });
}

fn write_query<'a>(out: &mut Pen<'_>, pairs: &[Taken], pair: impl Fn(Source) -> (&'a str, &'a [u8])) {
    let mut pen = out.lend();
    for taken in pairs {
        let (name, value) = pair(taken.source);
        match taken.source.kind() {
            Kind::Plain | Kind::Added => pen.push(name.as_bytes()),
            Kind::Caller | Kind::Additional => pen.component(name.as_bytes()),
        }
        // OSS reads `?acl` and `?acl=` alike; the canonical form is the bare name.
        if !value.is_empty() {
            pen.byte(b'=');
            pen.component(value);
        }
        pen.byte(b'&');
    }
    if !pairs.is_empty() {
        pen.back();
    }
    let end = pen.at();
    out.go(end);
}

pub(crate) fn write_headers<'a>(
    out: &mut Pen<'_>,
    headers: &[Taken],
    names: &mut Vec<Span>,
    header: impl Fn(Source) -> (&'a str, &'a [u8]),
) {
    let mut pen = out.lend();
    let mut last = (0, "");
    for taken in headers {
        let (name, value) = header(taken.source);
        if taken.key == last.0 && name.eq_ignore_ascii_case(last.1) {
            pen.back();
            pen.byte(b',');
        } else {
            let start = pen.at();
            pen.lower(name);
            names.push(Span { start, end: pen.at() });
            pen.byte(b':');
        }
        pen.push(trimmed(value));
        pen.byte(b'\n');
        last = (taken.key, name);
    }
    let end = pen.at();
    out.go(end);
}

/// A header to sign, or a parameter of the canonical query.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    /// Sorts as the name does, unless it is equal for both.
    pub(crate) key: u64,
    pub(crate) source: Source,
}

/// Sorts by the keys, and where they are equal, by `otherwise`.
pub(crate) fn sort(list: &mut [Taken], otherwise: impl Fn(Source, Source) -> Ordering) {
    let order = |a: &Taken, b: &Taken| a.key.cmp(&b.key).then_with(|| otherwise(a.source, b.source));
    if matches!(list.len(), MANY..) {
        return list.sort_unstable_by(order);
    }
    for end in 1..list.len() {
        let (mut at, taken) = (end, list[end]);
        while at > 0 && order(&list[at - 1], &taken).is_gt() {
            list[at] = list[at - 1];
            at -= 1;
        }
        list[at] = taken;
    }
}

/// Where a name and its value stand: an index and a [`Kind`] in one word, which a sort moves at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source(usize);

/// Which list an index is of.
enum Kind {
    Caller,
    Plain,
    Additional,
    Added,
}

impl Source {
    /// In the request.
    pub(crate) const fn caller(index: usize) -> Self {
        // No list of pairs has so many entries that two bits are missing.
        Self(index << 2)
    }

    /// In the request, and it is a parameter whose name is its own encoded form.
    const fn plain(index: usize) -> Self {
        Self(index << 2 | 1)
    }

    /// In the request, and it is a header that is signed because the caller named it.
    const fn additional(index: usize) -> Self {
        Self(index << 2 | 2)
    }

    /// In [`Scratch::added`].
    pub(crate) const fn added(index: usize) -> Self {
        Self(index << 2 | 3)
    }

    const fn index(self) -> usize {
        self.0 >> 2
    }

    const fn kind(self) -> Kind {
        match self.0 & 3 {
            0 => Kind::Caller,
            1 => Kind::Plain,
            2 => Kind::Additional,
            _ => Kind::Added,
        }
    }

    /// The name and the value; `list` is the request's.
    #[inline]
    pub(crate) fn of<'a>(
        self,
        list: &[(&'a str, &'a str)],
        added: &[Added],
        values: &'a Room,
    ) -> (&'a str, &'a [u8]) {
        if matches!(self.kind(), Kind::Added) {
            let Added { name, value } = added[self.index()];
            return (name.text, values.at(value));
        }
        let (name, value) = list[self.index()];
        (name, value.as_bytes())
    }
}

#[cold]
fn is_additional(request: &Request<'_>, name: &str, value: &str) -> bool {
    !name.is_empty()
        && is_named(request.additional, name)
        && is_present(request, name, value)
        && !name.eq_ignore_ascii_case("authorization")
}

/// The value without space and tab around it, which is what a receiver sees (RFC 9110 section 5.5).
pub(crate) fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Compares names as they are in lower case.
fn cmp_lower(a: &str, b: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    a.bytes().map(lower).cmp(b.bytes().map(lower))
}

/// What was written from whole texts.
pub(crate) fn text(written: &[u8]) -> &str {
    str::from_utf8(written).expect("the buffers are written from texts")
}

fn write_resource(pen: &mut Pen<'_>, resource: Resource<'_>) {
    let (bucket, key) = match resource {
        Resource::Service => return pen.byte(b'/'),
        Resource::Bucket(bucket) => (bucket, ""),
        Resource::Object { bucket, key } => (bucket, key),
        Resource::Vectors { .. } | Resource::Tables { .. } | Resource::TablesService { .. } => {
            return resource.pieces().into_iter().for_each(|piece| pen.path(piece.as_bytes()));
        }
    };
    pen.byte(b'/');
    pen.path(bucket.as_bytes());
    pen.byte(b'/');
    pen.path(key.as_bytes());
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

/// Signed as all that start with `x-oss-` are; so short that key and length say all.
const CONTENT: [Name; 2] = [Name::new("content-type"), Name::new("content-md5")];
/// Fewer are sorted by insertion.
const MANY: usize = 25;

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec};
    use core::cell::Cell;

    use proptest::prelude::*;

    use super::*;
    use crate::{AccessKey, Scope, SigningKey, UnixTime, presign_query, sign_headers};

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
        for (index, (name, _)) in request.query.iter().enumerate() {
            scratch.add_pair(index, name);
        }
        scratch.write_canonical(request, additional, "PAYLOAD");
        let text = text(scratch.canonical.written()).strip_prefix("GET\n").expect("starts with the method");
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
            (
                Resource::Vectors { region: "r", account: "123", bucket: "b", key: "" },
                "/acs%3Aossvector%3Ar%3A123%3Ab/",
            ),
            (
                Resource::Vectors { region: "cn-hangzhou", account: "", bucket: "", key: "" },
                "/acs%3Aossvector%3Acn-hangzhou%3A%3A/",
            ),
            (
                Resource::Tables { arn: "acs:osstables:r:1:bucket/b", path: "buckets/acs:x" },
                "/acs%3Aosstables%3Ar%3A1%3Abucket/b/buckets/acs%3Ax",
            ),
            (
                Resource::TablesService { region: "r", path: "buckets" },
                "/acs%3Aosstables%3Ar%3A%3Abucket//buckets",
            ),
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
        let nameless = Request { headers: &[("", "x")], additional: &[""], ..GET };
        assert_eq!(canonical(&nameless), ("/".into(), String::new(), String::new(), String::new()));
        let headers = [("b", "1"), ("a", ""), ("A", "x"), ("B", "2"), ("c", "3")];
        let (.., lines, list) = canonical(&Request { headers: &headers, additional: &additional, ..GET });
        assert_eq!((lines.as_str(), list.as_str()), ("a:,x\nb:1,2\n", "a;b"));
    }

    #[test]
    fn names_that_begin_alike_are_told_apart() {
        let headers = [
            ("x-oss-meta-long-name-b", "2"),
            ("x-oss-meta-long-name-a", "1"),
            ("content-lang", "as long as content-type"),
            ("content-md6", "as long as content-md5"),
            ("x-oss-content-other", "begins as our own header does"),
        ];
        let request = Request { headers: &headers, ..GET };
        let signing = SigningKey::derive(&KEY, &SCOPE);
        let mut scratch = Scratch::new();
        let signed = sign_headers(&request, &KEY, &signing, &SCOPE, &mut scratch);
        let names = signed.signed_headers().collect::<Vec<_>>();
        let expected = [
            "x-oss-content-other",
            "x-oss-content-sha256",
            "x-oss-date",
            "x-oss-meta-long-name-a",
            "x-oss-meta-long-name-b",
        ];
        assert_eq!(names, expected);
    }

    /// Whoever names a thousand headers must not have us compare each with each.
    #[test]
    fn many_equal_names_are_not_compared_each_with_each() {
        let taken = |index| Taken { key: 0, source: Source::caller(index) };
        let mut list = (0..1_000).rev().map(taken).collect::<Vec<_>>();
        let compared = Cell::new(0);
        sort(&mut list, |a, b| {
            compared.set(compared.get() + 1);
            a.cmp(&b)
        });
        assert!(list.iter().map(|taken| taken.source).eq((0..1_000).map(Source::caller)));
        assert!(compared.get() < 20_000, "{compared:?}");
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
        assert!(!text(scratch.canonical.written()).contains("large"));
        assert_eq!(format!("{scratch:?}"), "Scratch { .. }");
    }

    fn capacities(scratch: &Scratch) -> [usize; 3] {
        [scratch.values.size(), scratch.canonical.size(), scratch.to_sign.size()]
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
