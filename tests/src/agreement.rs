//! The signer against the naive second one, in all four forms of a signature.

use core::time::Duration;

use oss_sign::{
    AccessKey, PRESIGN_PARAMETERS, Request, Resource, Scope, Scratch, Signed, SigningKey, UnixTime,
    V1_SUB_RESOURCES, presign_query, presign_query_v1, sign_headers, sign_headers_v1,
};

use crate::naive_sign;

/// What both sign.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The request and the key; its date is not read.
    pub input: naive_sign::Input<'a>,
    /// The moment of signing.
    pub time: UnixTime,
    /// Seconds that a URL is valid, within what OSS allows.
    pub valid_secs: u64,
    /// Further sub-resources of V1.
    pub sub_resources: Vec<&'a str>,
}

/// Signs with both in the header and in the query, V4 and V1, and compares everything that they return.
///
/// # Errors
///
/// The form and the part in which they differ, and both values.
pub fn agree(case: &Case<'_>, scratch: &mut Scratch) -> Result<(), String> {
    let Case { input, time, valid_secs, sub_resources } = case;
    let key = AccessKey { id: input.id, secret: input.secret, token: Some(input.token) };
    let scope = Scope { region: input.region, product: input.product, time: *time };
    let resource = match (input.bucket, input.key) {
        (None, _) => Resource::Service,
        (Some(bucket), None) => Resource::Bucket(bucket),
        (Some(bucket), Some(key)) => Resource::Object { bucket, key },
    };
    let request = Request {
        method: input.method,
        resource,
        query: &input.query,
        headers: &input.headers,
        additional: &input.additional,
    };
    let dated = |date: &str, naive: &dyn Fn(&naive_sign::Input<'_>) -> naive_sign::Output| {
        naive(&naive_sign::Input { date, ..input.clone() })
    };
    let signing = SigningKey::derive(&key, &scope);
    let iso = time.iso_basic();
    let signed = sign_headers(&request, &key, &signing, &scope, scratch);
    same("V4 header", &signed, &dated(&iso, &naive_sign::header))?;

    let valid_for = Duration::from_secs(*valid_secs);
    let signed = presign_query(&request, &key, &signing, &scope, valid_for, scratch);
    let signed = signed.map_err(|error| error.to_string())?;
    same("V4 query", &signed, &dated(&iso, &|input| naive_sign::presign(input, *valid_secs)))?;

    let signed = sign_headers_v1(&request, &key, *time, sub_resources, scratch);
    let naive = dated(&time.http_date(), &|input| naive_sign::header_v1(input, sub_resources));
    same("V1 header", &signed, &naive)?;

    // No URL ends before 1970.
    let expires = time.as_secs().max(0).to_string();
    let signed = presign_query_v1(&request, &key, *time, sub_resources, scratch);
    same("V1 query", &signed, &dated(&expires, &|input| naive_sign::presign_v1(input, sub_resources)))
}

fn same(form: &str, ours: &Signed<'_>, naive: &naive_sign::Output) -> Result<(), String> {
    let parts = [
        ("canonical request", ours.canonical_request(), &naive.canonical_request),
        ("string to sign", ours.string_to_sign(), &naive.string_to_sign),
        ("signature", ours.signature(), &naive.signature),
    ];
    for (part, ours, naive) in parts {
        if ours != naive {
            return Err(format!("{form}, {part}: ours {ours:?}, naive {naive:?}"));
        }
    }
    let added: Vec<_> = naive.added.iter().map(|(name, value)| (&**name, &**value)).collect();
    let ours: Vec<_> = ours.iter().collect();
    if ours == added { Ok(()) } else { Err(format!("{form}, added: ours {ours:?}, naive {added:?}")) }
}

/// Random requests from a seed, odd in every part.
#[derive(Clone, Debug)]
pub struct Odd {
    state: u64,
}

impl Odd {
    /// The same seed gives the same requests.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Makes the next request and hands it over.
    pub fn with_next<R>(&mut self, work: impl FnOnce(&Case<'_>) -> R) -> R {
        let method = *self.pick(&["GET", "PUT", "POST", "HEAD", "DELETE"]);
        let (bucket, key) = (self.text(12), self.text(60));
        let level = self.below(10);
        let query: Vec<_> = (0..self.below(7)).map(|_| (self.parameter(), self.text(16))).collect();
        let headers: Vec<_> = (0..self.below(9)).map(|_| (self.header(), self.text(20))).collect();
        let additional: Vec<_> = (0..self.below(4)).map(|_| self.header()).collect();
        let (region, id, secret) = (self.text(12), self.text(20), self.text(90));
        let token = if self.below(2) == 0 { String::new() } else { self.text(40) };
        let span = UnixTime::MAX.secs_since(UnixTime::MIN).unsigned_abs();
        let time = UnixTime::MIN.saturating_add(self.below(span).cast_signed());
        let product = *self.pick(&["oss", "oss-cloudbox", "p"]);
        let input = naive_sign::Input {
            method,
            bucket: (level > 0).then_some(&*bucket),
            key: (level > 2).then_some(&*key),
            query: query.iter().map(|(name, value)| (&**name, &**value)).collect(),
            headers: headers.iter().map(|(name, value)| (&**name, &**value)).collect(),
            additional: additional.iter().map(|name| &**name).collect(),
            region: &region,
            product,
            date: "",
            id: &id,
            secret: &secret,
            token: &token,
        };
        let valid_secs = 1 + self.below(43_200);
        let sub_resources = query.iter().map(|(name, _)| &**name).take(1).collect();
        work(&Case { input, time, valid_secs, sub_resources })
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// Plain text, text with everything that is encoded or trimmed, or any characters.
    fn text(&mut self, most: u64) -> String {
        let length = self.below(most + 1);
        let letters = match self.below(3) {
            0 => "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~",
            1 => " \t/%+&=?#;:,|*'()!\\\"<>{}[]^`ab~中é",
            _ => "",
        };
        let letters: Vec<char> = letters.chars().collect();
        let any = |number: u64| char::from_u32((number % 0x11_0000) as u32).unwrap_or(' ');
        let one = |this: &mut Self| match &letters[..] {
            [] => any(this.next()),
            letters => *this.pick(letters),
        };
        (0..length).map(|_| one(self)).collect()
    }

    fn parameter(&mut self) -> String {
        match self.below(5) {
            0 => (*self.pick(&PRESIGN_PARAMETERS)).to_owned(),
            1 => (*self.pick(V1_SUB_RESOURCES)).to_owned(),
            2 => format!("x-oss-{}", self.text(4)),
            _ => self.text(4),
        }
    }

    /// Few names in any case, so that they repeat and meet those of the signer.
    fn header(&mut self) -> String {
        let name = *self.pick(&[
            "a",
            "b",
            "host",
            "range",
            "content-type",
            "content-md5",
            "content-length",
            "content-types",
            "date",
            "x-oss-",
            "x-oss",
            "x-osss",
            "x-oss-a",
            "x-oss-b",
            "x-oss-date",
            "x-oss-meta-a-long-name-of-its-own",
            "x-oss-meta-a-long-name-of-its-kind",
            "x-oss-content-sha256",
            "x-oss-security-token",
            "authorization",
            "zebra",
        ]);
        let cases = self.next();
        let upper = |index: usize| cases >> (index % 64) & 1 == 1 && cases.is_multiple_of(3);
        let letters = name.chars().enumerate();
        letters.map(|(index, c)| if upper(index) { c.to_ascii_uppercase() } else { c }).collect()
    }
}
