//! A composer that is kept gives the requests of a new one, whatever it composed before.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use oss_proto::{
    Addressing, BucketName, Composer, Credentials, Draft, Endpoint, GetObject, ListBuckets, ListObjectsV2,
    Operation, PutObject, Raw, Region, Scope, Service, UnixTime, compose,
};

const NOW: UnixTime = UnixTime::from_secs(1_702_743_657);
const NEXT_DAY: UnixTime = UnixTime::from_secs(1_702_743_657 + 86_400);

#[test]
fn requests_of_a_kept_composer_are_those_of_a_new_one() {
    let mut kept = Composer::new();
    let (drafts, services, credentials) = (drafts(), services(), credentials());
    let mut random = 1_u64;
    let mut draw = |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % end
    };
    let (mut sent, mut refused) = (0, 0);
    for _ in 0..2_000 {
        let (draft, service) = (&drafts[draw(drafts.len())], &services[draw(services.len())]);
        let (credentials, now) = (&credentials[draw(credentials.len())], [NOW, NEXT_DAY][draw(2)]);
        // Most calls in a row are of one client.
        for draft in [draft, draft, &drafts[0]] {
            let kept = shown(kept.compose(draft, service, credentials, now));
            let new = shown(compose(draft, service, credentials, now));
            assert_eq!(kept, new, "{draft:?} {service:?}");
            *(if new.is_ok() { &mut sent } else { &mut refused }) += 1;
        }
    }
    assert!(sent > 3_000 && refused > 500, "{sent} {refused}");
}

#[test]
fn a_signed_request_goes_where_one_of_nobody_goes() {
    let nobody = Credentials::anonymous();
    for service in services() {
        for draft in drafts() {
            let Ok(signed) = compose(&draft, &service, &credentials()[0], NOW) else { continue };
            let unsigned = compose(&draft, &service, &nobody, NOW).unwrap();
            let (signed, unsigned) = (signed.uri(), unsigned.uri());
            assert_eq!(signed.scheme(), unsigned.scheme());
            assert_eq!(signed.authority(), unsigned.authority());
            assert_eq!(signed.path(), unsigned.path());
            let sorted = |uri: &http::Uri| {
                let mut pairs: Vec<_> =
                    uri.query().into_iter().flat_map(|all| all.split('&')).map(String::from).collect();
                pairs.sort();
                pairs
            };
            assert_eq!(sorted(signed), sorted(unsigned));
        }
    }
}

#[test]
fn b28_a_name_is_checked_even_where_the_same_names_were_sent_before() {
    let (service, credentials, mut composer) = (&services()[0], &credentials()[0], Composer::new());
    let mut upload =
        Raw::new("Test", http::Method::PUT, Scope::Object).bucket("bucket").key("k").draft().unwrap();
    upload.headers.push(("x-oss-meta-a".into(), "1".into()));
    composer.compose(&upload, service, credentials, NOW).unwrap();
    // The names are those of the upload in their order, but one of them is now the caller's.
    let mut download = upload.clone();
    download.method = http::Method::GET;
    download.headers.insert(0, ("content-length".into(), "0".into()));
    let error = composer.compose(&download, service, credentials, NOW).unwrap_err();
    assert!(error.to_string().contains("is set by the client itself"), "{error}");
    // A shape that is known says nothing about values.
    for (value, problem) in [("a\r\nb", "contains \\r"), (" a", "begins or ends"), ("é", "contains")] {
        upload.headers[0].1 = value.into();
        let error = composer.compose(&upload, service, credentials, NOW).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
    upload.headers[0].1 = "2".into();
    let request = composer.compose(&upload, service, credentials, NOW).unwrap();
    assert_eq!(request.headers()["x-oss-meta-a"], "2");
}

#[test]
fn the_secrets_of_a_request_are_marked_each_time() {
    let (service, mut composer) = (&services()[0], Composer::new());
    let credentials = credentials()[2].clone();
    for _ in 0..2 {
        let request = composer.compose(&drafts()[0], service, &credentials, NOW).unwrap();
        let marked = request.headers().iter().filter(|(_, value)| value.is_sensitive());
        let marked: Vec<_> = marked.map(|(name, _)| name.as_str()).collect();
        assert_eq!(marked, ["x-oss-security-token", "authorization"]);
    }
    assert!(!format!("{composer:?}").contains("SECRET"), "{composer:?}");
}

/// All that is sent, in order, or why nothing is.
fn shown(request: Result<http::Request<()>, oss_proto::InvalidRequest>) -> Result<String, String> {
    let request = request.map_err(|error| error.to_string())?;
    let headers: Vec<_> = request.headers().iter().map(|(name, value)| (name, value.as_bytes())).collect();
    Ok(format!("{} {} {headers:?}", request.method(), request.uri()))
}

fn drafts() -> Vec<Draft> {
    let put = PutObject::new("examplebucket", "照片 1.jpg", "hello").metadata([("a", "1")]);
    let mut drafts = vec![
        put.draft().unwrap(),
        PutObject::new("examplebucket", "b", "").content_type("text/plain").draft().unwrap(),
        GetObject::new("examplebucket", "?a#b%2F/../").draft().unwrap(),
        GetObject::new("other-bucket", "k").draft().unwrap(),
        ListObjectsV2::new("examplebucket").prefix("a b/").max_keys(7).delimiter("/").draft().unwrap(),
        ListObjectsV2::here().draft().unwrap(),
        ListBuckets::new().draft().unwrap(),
    ];
    // More shapes than are kept, among them ones that are not kept or refused.
    for name in
        ["x-oss-meta-b", "x-oss-meta-c", "if-match", "range", "X-Oss-Meta-A", "user-agent", "Host", "a b"]
    {
        let mut draft = drafts[0].clone();
        draft.headers.push((name.into(), "v".into()));
        drafts.push(draft);
    }
    for value in ["", " v", "v\r\nx-oss-acl: public-read", "é"] {
        let mut draft = drafts[0].clone();
        draft.headers[0].1 = value.into();
        drafts.push(draft);
    }
    let mut twice = drafts[3].clone();
    twice.default_headers = vec![("accept".into(), "a".into()), ("accept".into(), "b".into())];
    let mut long = drafts[4].clone();
    long.query[0].1 = "p".repeat(70_000);
    let mut reserved = drafts[4].clone();
    reserved.query.push(("Signature".into(), "s".into()));
    drafts.extend([twice, long, reserved]);
    drafts
}

fn services() -> Vec<Service> {
    let region = |name| Region::parse(name).unwrap();
    let first = Service::new(Endpoint::public(&region("cn-hangzhou"))).with_region(region("cn-hangzhou"));
    let style = |text, style| {
        let endpoint = Endpoint::parse(text).unwrap().with_addressing(style);
        Service::new(endpoint).with_region(region("cn-hangzhou"))
    };
    vec![
        first.clone(),
        first.clone().with_region(region("cn-beijing")),
        first.clone().with_bucket(BucketName::parse("default").unwrap()),
        first.clone().with(|settings| settings.user_agent = "own/1".to_owned().into()),
        first.clone().with(|settings| settings.user_agent = "".into()),
        first.clone().with(|settings| settings.user_agent = "é".into()),
        first
            .clone()
            .with(|settings| settings.additional_headers = vec!["host".into(), "content-length".into()]),
        first.clone().with(|settings| settings.region = None),
        #[cfg(feature = "v1")]
        first.with(|settings| settings.signature = oss_proto::SignatureVersion::V1),
        style("http://127.0.0.1:9000", Addressing::Path),
        style("https://static.example.com", Addressing::Cname),
    ]
}

fn credentials() -> Vec<Credentials> {
    let plain = Credentials::new("id", "SECRET-of-id").unwrap();
    let with_token = plain.clone().with_token("SECRET-token").unwrap();
    vec![plain, Credentials::new("id", "SECRET-of-id-2").unwrap(), with_token, Credentials::anonymous()]
}
