use alloc::format;

use super::*;
use crate::sts::actions::Proof;

const RUN_INSTANCES: &str = "http://ecs.cn-shanghai.aliyuncs.com/\
    ?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai";

/// Header values, digest of the canonical request, signature: what two revisions of the document print.
const ACS3: [(&str, &str, &str, &str); 2] = [
    (
        "2023-10-26T10:22:32Z",
        "3156853299f313e23d1673dc12e1703d",
        "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
        "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
    ),
    (
        "2023-10-26T09:01:01Z",
        "d410180a5abf7fe235dd9b74aca91fc0",
        "29622f5feb1e9fcaaa2e276a72889c975f7b16f00e02be1ca34965b18cd85015",
        "e521358f7776c97df52e6b2891a8bc73026794a071b50c3323388c4e0df64804",
    ),
];

/// Parameters, and the signature with the secret `testsecret`.
const RPC: [(&[(&str, &str)], &str); 4] = [
    (
        &[
            ("Version", "2015-04-01"),
            ("SignatureVersion", "1.0"),
            ("Format", "JSON"),
            ("Timestamp", "2015-09-01T05:57:34Z"),
            ("RoleArn", "acs:ram::1234567890123:role/firstrole"),
            ("RoleSessionName", "client"),
            ("AccessKeyId", "testid"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("Action", "AssumeRole"),
            ("SignatureNonce", "571f8fb8-506e-11e5-8e12-b8e8563dc8d2"),
        ],
        "gNI7b0AyKZHxDgjBGPDgJ1Ce3L4=",
    ),
    (
        &[
            ("AccessKeyId", "testid"),
            ("Action", "DescribeDedicatedHosts"),
            ("Format", "JSON"),
            ("RegionId", "cn-beijing"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "edb2b34af0af9a6d14deaf7c1a5315eb"),
            ("SignatureVersion", "1.0"),
            ("Timestamp", "2023-03-13T08:34:30Z"),
            ("Version", "2014-05-26"),
        ],
        "9NaGiOspFP5UPcwX8Iwt2YJXXuk=",
    ),
    // The document spells the time `TimeStamp` here; with the documented name the signature is the next one.
    (
        &[
            ("TimeStamp", "2016-02-23T12:46:24Z"),
            ("Format", "XML"),
            ("AccessKeyId", "testid"),
            ("Action", "DescribeRegions"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("Version", "2014-05-26"),
            ("SignatureVersion", "1.0"),
        ],
        "CT9X0VtwR86fNWSnsc6v8YGOjuE=",
    ),
    (
        &[
            ("Timestamp", "2016-02-23T12:46:24Z"),
            ("Format", "XML"),
            ("AccessKeyId", "testid"),
            ("Action", "DescribeRegions"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("Version", "2014-05-26"),
            ("SignatureVersion", "1.0"),
        ],
        "OLeaidS1JvxuMvnyHOwuJ+uX5qY=",
    ),
];

#[test]
fn rpc_signatures_of_the_documents() {
    for (pairs, expected) in RPC {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut pairs: Vec<(String, String)> = pairs.iter().map(owned).collect();
        // The signature is not part of what is signed.
        pairs.push(("Signature".to_owned(), expected.to_owned()));
        let text = rpc::string_to_sign("GET", &pairs);
        assert_eq!(rpc::signature("testsecret", &text), expected, "{text}");
    }
    let (pairs, _) = RPC[0];
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
    let text = rpc::string_to_sign("GET", &pairs);
    assert!(
        text.starts_with("GET&%2F&AccessKeyId%3Dtestid%26Action%3DAssumeRole%26Format%3DJSON%26RoleArn%3D")
    );
    assert!(text.contains("acs%253Aram%253A%253A1234567890123%253Arole%252Ffirstrole"), "{text}");
}

#[test]
fn acs3_signatures_of_the_documents() {
    for (date, nonce, digest, expected) in ACS3 {
        let proof = proof_of(date, nonce, SIGNED).unwrap();
        assert_eq!(
            proof.string_to_sign,
            format!("ACS3-HMAC-SHA256\n{digest}"),
            "{:?}",
            proof.canonical_request
        );
        assert_eq!(acs3::signature("YourAccessKeySecret", &proof.string_to_sign), expected);
        assert_eq!((proof.key_id.as_str(), proof.nonce.as_str()), ("YourAccessKeyId", nonce));
    }
}

#[test]
fn acs3_wants_every_common_header_signed() {
    let (date, nonce, ..) = ACS3[0];
    for name in ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"] {
        let fewer = SIGNED.split(';').filter(|other| *other != name).collect::<Vec<_>>().join(";");
        let refusal = proof_of(date, nonce, &fewer).map(|_| ()).unwrap_err();
        assert_eq!(refusal.code, "IncompleteSignature", "{name}");
    }
}

const SIGNED: &str = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";

fn proof_of(date: &str, nonce: &str, signed: &str) -> Result<Proof, Refusal> {
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let authorization =
        format!("ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders={signed},Signature=0");
    let request = http::Request::post(RUN_INSTANCES)
        .header("host", "ecs.cn-shanghai.aliyuncs.com")
        .header("x-acs-action", "RunInstances")
        .header("x-acs-content-sha256", digest)
        .header("x-acs-date", date)
        .header("x-acs-signature-nonce", nonce)
        .header("x-acs-version", "2014-05-26")
        .header("authorization", authorization);
    let (head, ()) = request.body(()).unwrap().into_parts();
    acs3::proof(&Call::new(&head), crate::time::parse_iso_extended(date).unwrap())
}

#[test]
fn sts_is_told_from_oss() {
    let config = Config::new("cn-hangzhou").with_cname("files.example.com", "mapped");
    let takes = |method: &str, uri: &str, headers: &[(&str, &str)]| {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        takes(&request.body(()).unwrap().into_parts().0, &config)
    };
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert!(takes("GET", "http://127.0.0.1:9000/?Format=JSON&Action=AssumeRole", &[]));
    assert!(takes("POST", "http://localhost/", &[form]));
    assert!(takes("POST", "http://127.0.0.1/", &[("x-acs-action", "AssumeRole")]));
    assert!(takes("POST", "http://127.0.0.1/", &[("authorization", "ACS3-HMAC-SHA256 x")]));
    assert!(takes("PUT", "https://sts.cn-hangzhou.aliyuncs.com/x", &[]));
    assert!(takes("GET", "http://sts-vpc.cn-beijing.aliyuncs.com:80/", &[]));
    // Of OSS: lists, uploads by form, objects whatever they are called, buckets in every style.
    assert!(!takes("GET", "http://127.0.0.1/", &[]));
    assert!(!takes("GET", "http://127.0.0.1/?prefix=Action", &[]));
    assert!(!takes("POST", "http://127.0.0.1/bucket", &[form]));
    assert!(!takes("GET", "http://127.0.0.1/bucket/key?Action=AssumeRole", &[]));
    assert!(!takes("GET", "http://bucket.localhost/?Action=AssumeRole", &[]));
    assert!(!takes("POST", "http://files.example.com/", &[form]));
    assert!(!takes("POST", "http://127.0.0.1/", &[("content-type", "multipart/form-data; boundary=b")]));
}
